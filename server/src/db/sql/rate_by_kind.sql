SELECT minute, kind::text AS "kind!", sum(events)::bigint AS "events!", sum(drifts)::bigint AS "drifts!"
  FROM events_minute
 WHERE minute >= date_trunc('minute', $1::timestamptz) AND minute <= $2
 GROUP BY minute, kind
HAVING sum(events) > 0
 ORDER BY 1 DESC, 2
