INSERT INTO table_sizes AS s (day, table_name, bytes, rows)
SELECT (now() AT TIME ZONE 'UTC')::date, root.relname, sum(pg_total_relation_size(c.oid)),
       sum(CASE WHEN c.relkind = 'p' THEN 0 -- ANALYZE gives the parent the sum of its parts
                WHEN pg_stat_get_live_tuples(c.oid) > 0 THEN pg_stat_get_live_tuples(c.oid)
                ELSE greatest(c.reltuples, 0)::bigint END)
  FROM pg_class c
  LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
  JOIN pg_class root ON root.oid = coalesce(i.inhparent, c.oid)
 WHERE c.relkind IN ('r', 'p')
   AND c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'events'::regclass)
 GROUP BY root.relname
ON CONFLICT (day, table_name) DO UPDATE SET bytes = excluded.bytes, rows = excluded.rows
