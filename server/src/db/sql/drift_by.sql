WITH sustained AS ( -- drift in three of the last five windows of five minutes, as the alert rule counts it
    SELECT agent_id
      FROM alert_minutes
     WHERE minute > now() - interval '25 minutes' AND minute <= now() AND drifts_stale + drifts_differing > 0
     GROUP BY agent_id
    HAVING count(DISTINCT floor(extract(epoch FROM now() - minute) / 300)) >= 3)
SELECT d.of_one AS "group!", count(*) AS "drifts!", count(*) FILTER (WHERE d.severe) AS "severe!",
       count(DISTINCT d.agent_id) AS "agents!", max(d.ts) AS "last_ts!",
       bool_or(d.agent_id IN (SELECT agent_id FROM sustained)) AS "sustained!"
  FROM (SELECT agent_id, ts, verdict = 'alert' AND server_verdict = 'deny' AS severe,
               CASE $4::text
                    WHEN 'kind' THEN kind::text
                    WHEN 'policy' THEN coalesce('v' || policy_version, 'none')
                    WHEN 'rule' THEN coalesce(rule, 'none')
                    WHEN 'reason' THEN coalesce(drift_reason::text, 'none')
                    WHEN 'verdicts' THEN verdict::text || '→' || coalesce(server_verdict::text, 'none')
               END AS of_one
          FROM events
         WHERE drift_detected = true AND ts > $1 AND ts <= $2 AND ($3::uuid IS NULL OR agent_id = $3)) d
 GROUP BY d.of_one
 ORDER BY 2 DESC, 1
