SELECT user_id, username, role::text AS "role!", created_at, password_changed_at, last_login_at
  FROM users
 WHERE ($1::uuid IS NULL OR user_id = $1)
   AND ($2::text IS NULL OR username > $2)
 ORDER BY username
 LIMIT $3
