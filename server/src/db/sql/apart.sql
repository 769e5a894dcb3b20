SELECT x.agent_id AS "agent_id!", coalesce(a.name, '') AS "agent_name!", x.how AS "how!", x.reason AS "reason!",
       x.events AS "events!", x.oldest_ts, x.newest_ts, x.last_at AS "last_at!"
  FROM (SELECT agent_id, 'quarantined' AS how, reason, count(*) AS events, min(ts) AS oldest_ts,
               max(ts) AS newest_ts, max(received_at) AS last_at
          FROM events_quarantine GROUP BY agent_id, reason
        UNION ALL
        SELECT agent_id, 'rejected', reason, count(*), NULL, NULL, max(received_at)
          FROM rejected_events GROUP BY agent_id, reason
        UNION ALL
        SELECT agent_id, 'expired', 'its day was dropped already', events, oldest_ts, newest_ts, updated_at
          FROM events_expired) x
  LEFT JOIN agents a USING (agent_id)
 ORDER BY x.last_at DESC, x.agent_id, x.reason
 LIMIT $1
