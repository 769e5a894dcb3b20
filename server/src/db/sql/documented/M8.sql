SELECT agent_id, count(*) AS drifts
FROM events
WHERE drift_detected = true AND ts > now() - interval '1 day'
GROUP BY 1 ORDER BY 2 DESC;
