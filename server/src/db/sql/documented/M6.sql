SELECT date_trunc('minute', ts) AS minute, count(*) AS events, verdict
FROM events
WHERE ts > now() - interval '1 hour'
GROUP BY 1, 3 ORDER BY 1 DESC;
