WITH there AS (
    SELECT i.relname::text AS index, t.relname::text AS table_name, pg_relation_size(i.oid) AS bytes,
           (CASE WHEN pg_stat_get_live_tuples(t.oid) > 0 THEN pg_stat_get_live_tuples(t.oid)
                 ELSE greatest(t.reltuples, 0)::bigint END)::bigint AS rows,
           pg_stat_get_numscans(i.oid) AS scans,
           -- Bytes of an entry: a line pointer of 4, a head of 8 and the key, (uuid, timestamptz, uuid) or (timestamptz).
           -- Where many rows share a key nothing can be said.
           CASE WHEN h.inhparent IS NULL THEN NULL
                WHEN i.relname LIKE '%\_pkey' THEN 52
                WHEN i.relname LIKE '%\_ts\_idx' THEN 20 END AS entry_bytes
      FROM pg_index x
      JOIN pg_class i ON i.oid = x.indexrelid AND i.relkind = 'i'
      JOIN pg_class t ON t.oid = x.indrelid
      LEFT JOIN pg_inherits h ON h.inhrelid = t.oid AND h.inhparent = 'events'::regclass
     WHERE t.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'events'::regclass)),
leaves AS ( -- of a fresh build, which fills 90 % of the 8152 bytes that entries can use of a page
    SELECT *, ceil(rows::numeric / (8152 * 90 / 100 / entry_bytes)) AS pages FROM there),
bloated AS ( -- beyond a first page that holds facts alone, the leaves, and inner pages: one for each 200 below it at the least
    SELECT *, CASE WHEN pages >= 0 THEN greatest(bytes - (1 + pages + ceil(pages / 200)) * 8192, 0)::bigint END AS bloat_bytes
      FROM leaves)
SELECT index AS "index!", table_name AS "table!", bytes AS "bytes!", rows AS "rows!", scans AS "scans!", bloat_bytes,
       (bloat_bytes * 100 / greatest(bytes, 1))::int AS bloat_percent
  FROM bloated
 ORDER BY 3 DESC, 1
 LIMIT $1
