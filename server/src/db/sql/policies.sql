SELECT version, name, rules, created_at, created_by
  FROM policy_versions
 WHERE ($1::int IS NULL OR version < $1)
 ORDER BY version DESC
 LIMIT $2
