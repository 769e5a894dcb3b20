SELECT token_id, label, max_uses, uses, expires_at, revoked_at, created_at, created_by
  FROM enrollment_tokens
 WHERE ($1::text IS NULL OR token_id = $1)
   AND ($2::text IS NULL
        OR (created_at, token_id) < (SELECT c.created_at, c.token_id FROM enrollment_tokens c WHERE c.token_id = $2))
 ORDER BY created_at DESC, token_id DESC
 LIMIT $3
