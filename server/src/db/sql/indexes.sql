SELECT i.relname AS "index!", t.relname AS "table!", pg_relation_size(i.oid) AS "bytes!",
       (CASE WHEN pg_stat_get_live_tuples(t.oid) > 0 THEN pg_stat_get_live_tuples(t.oid)
             ELSE greatest(t.reltuples, 0)::bigint END)::bigint AS "rows!",
       pg_stat_get_numscans(i.oid) AS "scans!", h.inhparent IS NOT NULL AS "of_events!"
  FROM pg_index x
  JOIN pg_class i ON i.oid = x.indexrelid AND i.relkind = 'i'
  JOIN pg_class t ON t.oid = x.indrelid
  LEFT JOIN pg_inherits h ON h.inhrelid = t.oid AND h.inhparent = 'events'::regclass
 WHERE t.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'events'::regclass)
 ORDER BY 3 DESC, 1
 LIMIT $1
