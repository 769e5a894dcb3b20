SELECT agent_id, name, now() - last_seen AS staleness
FROM agents
WHERE last_seen < now() - interval '2 minutes'
ORDER BY staleness DESC;
