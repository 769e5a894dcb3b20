WITH sustained AS ( -- drift in three of the last five windows of five minutes, as the alert rule counts it
    SELECT agent_id
      FROM alert_minutes
     WHERE minute > now() - interval '25 minutes' AND minute <= now() AND drifts_stale + drifts_differing > 0
     GROUP BY agent_id
    HAVING count(DISTINCT floor(extract(epoch FROM now() - minute) / 300)) >= 3)
SELECT d.agent_id, coalesce(a.name, '') AS "agent_name!", d.drifts AS "drifts!", coalesce(s.severe, 0) AS "severe!",
       d.last_ts AS "last_ts!",
       d.agent_id IN (SELECT agent_id FROM sustained) AS "sustained!"
  FROM (SELECT agent_id, count(*) AS drifts, max(ts) AS last_ts
          FROM events
         WHERE drift_detected = true AND ts > $1 AND ts <= $2 AND ($3::uuid IS NULL OR agent_id = $3)
         GROUP BY agent_id) d
  LEFT JOIN (SELECT agent_id, count(*) AS severe -- alerts that should have been denials
               FROM events
              WHERE drift_detected AND verdict = 'alert' AND server_verdict = 'deny'
                AND ts > $1 AND ts <= $2 AND ($3::uuid IS NULL OR agent_id = $3)
              GROUP BY agent_id) s USING (agent_id)
  LEFT JOIN agents a USING (agent_id)
 ORDER BY d.drifts DESC, d.agent_id
