SELECT h.hour, h.agent_id, coalesce(a.name, '') AS "agent_name!", h.events AS "events!", h.drifts AS "drifts!"
  FROM (SELECT hour, agent_id, sum(events)::bigint AS events, sum(drifts)::bigint AS drifts
          FROM events_hour
         WHERE hour >= date_trunc('hour', $1::timestamptz, 'UTC') AND hour < $2
         GROUP BY hour, agent_id
        HAVING sum(events) > 0
         ORDER BY 1 DESC, 3 DESC, 2
         LIMIT $3) h
  LEFT JOIN agents a USING (agent_id)
 ORDER BY h.hour DESC, h.events DESC, h.agent_id
