WITH now_there AS (
    SELECT root.relname::text AS table_name, sum(pg_total_relation_size(c.oid)) AS bytes, sum(pg_indexes_size(c.oid)) AS index_bytes,
           sum(CASE WHEN c.relkind = 'p' THEN 0 -- ANALYZE gives the parent the sum of its parts
                WHEN pg_stat_get_live_tuples(c.oid) > 0 THEN pg_stat_get_live_tuples(c.oid)
                    ELSE greatest(c.reltuples, 0)::bigint END) AS rows
      FROM pg_class c
      LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
      JOIN pg_class root ON root.oid = coalesce(i.inhparent, c.oid)
     WHERE c.relkind IN ('r', 'p')
       AND c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'events'::regclass)
     GROUP BY root.relname),
before AS (
    SELECT DISTINCT ON (table_name) table_name, bytes, (now() AT TIME ZONE 'UTC')::date - day AS days
      FROM table_sizes
     WHERE day BETWEEN (now() AT TIME ZONE 'UTC')::date - 8 AND (now() AT TIME ZONE 'UTC')::date - 1
     ORDER BY table_name, day),
complete AS ( -- days of events, which retention drops at the other end: the last seven that are over and hold any
    SELECT pg_total_relation_size(c.oid) AS bytes
      FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
     WHERE i.inhparent = 'events'::regclass AND NOT i.inhdetachpending
       AND c.relname ~ '^events_[0-9]{8}$' AND right(c.relname, 8) < to_char(now() AT TIME ZONE 'UTC', 'YYYYMMDD')
       AND (pg_stat_get_live_tuples(c.oid) > 0 OR c.reltuples > 0)
     ORDER BY c.relname DESC
     LIMIT 7)
SELECT n.table_name AS "table!", n.rows::bigint AS "rows!", n.bytes::bigint AS "bytes!", n.index_bytes::bigint AS "index_bytes!",
       (CASE WHEN n.table_name = 'events' THEN (SELECT floor(avg(bytes)) FROM complete)
             ELSE (n.bytes - b.bytes) / b.days END)::bigint AS growth_bytes_per_day
  FROM now_there n
  LEFT JOIN before b USING (table_name)
 ORDER BY n.bytes DESC, n.table_name
