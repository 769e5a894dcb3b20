SELECT d.agent_id, coalesce(a.name, '') AS "agent_name!", d.drifts AS "drifts!", d.last_ts AS "last_ts!"
  FROM (SELECT agent_id, count(*) AS drifts, max(ts) AS last_ts
          FROM events
         WHERE drift_detected = true AND ts > $1 AND ts <= $2
         GROUP BY agent_id) d
  LEFT JOIN agents a USING (agent_id)
 ORDER BY d.drifts DESC, d.agent_id
