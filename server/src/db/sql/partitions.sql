SELECT p.name AS "partition!", p.from_ts AS "from_ts!",
       (CASE WHEN pg_stat_get_live_tuples(c.oid) > 0 THEN pg_stat_get_live_tuples(c.oid)
             ELSE greatest(c.reltuples, 0)::bigint END)::bigint AS "rows!",
       pg_total_relation_size(c.oid) AS "bytes!", pg_indexes_size(c.oid) AS "index_bytes!",
       lo.ts AS "oldest_ts?", hi.ts AS "newest_ts?"
  FROM unnest($1::text[], $2::timestamptz[]) AS p (name, from_ts)
  JOIN pg_inherits i ON i.inhparent = 'events'::regclass
  JOIN pg_class c ON c.oid = i.inhrelid AND c.relname = p.name
  LEFT JOIN LATERAL (SELECT ts FROM events WHERE ts >= p.from_ts AND ts < p.from_ts + interval '1 day'
                      ORDER BY ts LIMIT 1) lo ON true
  LEFT JOIN LATERAL (SELECT ts FROM events WHERE ts >= p.from_ts AND ts < p.from_ts + interval '1 day'
                      ORDER BY ts DESC LIMIT 1) hi ON true
 ORDER BY p.from_ts DESC
