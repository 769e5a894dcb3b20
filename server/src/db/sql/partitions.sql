SELECT p.name AS "partition!", p.from_ts AS "from!", p.rows AS "rows!", p.bytes AS "bytes!", p.index_bytes AS "index_bytes!",
       lo.ts AS "oldest_ts?", hi.ts AS "newest_ts?"
  FROM (SELECT c.relname::text AS name, to_date(right(c.relname, 8), 'YYYYMMDD')::timestamp AT TIME ZONE 'UTC' AS from_ts,
               (CASE WHEN pg_stat_get_live_tuples(c.oid) > 0 THEN pg_stat_get_live_tuples(c.oid)
                     ELSE greatest(c.reltuples, 0)::bigint END)::bigint AS rows,
               pg_total_relation_size(c.oid) AS bytes, pg_indexes_size(c.oid) AS index_bytes
          FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
         WHERE i.inhparent = 'events'::regclass AND NOT i.inhdetachpending AND c.relname ~ '^events_[0-9]{4}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])$') p
  LEFT JOIN LATERAL (SELECT ts FROM events WHERE ts >= p.from_ts AND ts < p.from_ts + interval '1 day'
                      ORDER BY ts LIMIT 1) lo ON true
  LEFT JOIN LATERAL (SELECT ts FROM events WHERE ts >= p.from_ts AND ts < p.from_ts + interval '1 day'
                      ORDER BY ts DESC LIMIT 1) hi ON true
 ORDER BY p.from_ts DESC
