SELECT audit_id, ts, actor, actor_id, source, action, target,
       details AS "details: Json<std::collections::BTreeMap<String, String>>", request_id
  FROM audit_log
 WHERE ($1::text IS NULL OR actor = $1)
   AND ($2::text IS NULL OR action = $2)
   AND ($3::text IS NULL OR starts_with(action, $3 || '.'))
   AND ($4::timestamptz IS NULL OR ts >= $4)
   AND ($5::timestamptz IS NULL OR ts < $5)
   AND ($6::timestamptz IS NULL OR (ts, audit_id) < ($6, $7::bigint))
 ORDER BY ts DESC, audit_id DESC
 LIMIT $8
