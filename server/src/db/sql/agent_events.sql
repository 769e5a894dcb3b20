SELECT h.agent_id, coalesce(a.name, '') AS "agent_name!", h.events AS "events!", h.allow AS "allow!", h.deny AS "deny!",
       h.alert AS "alert!", h.drifts AS "drifts!"
  FROM (SELECT agent_id, sum(events)::bigint AS events,
               coalesce(sum(events) FILTER (WHERE verdict = 'allow'), 0)::bigint AS allow,
               coalesce(sum(events) FILTER (WHERE verdict = 'deny'), 0)::bigint AS deny,
               coalesce(sum(events) FILTER (WHERE verdict = 'alert'), 0)::bigint AS alert,
               sum(drifts)::bigint AS drifts
          FROM events_hour
         WHERE hour >= date_trunc('hour', $1::timestamptz, 'UTC') AND hour < $2
         GROUP BY agent_id
        HAVING sum(events) > 0
         ORDER BY 2 DESC, agent_id
         LIMIT $3) h
  LEFT JOIN agents a USING (agent_id)
 ORDER BY h.events DESC, h.agent_id
