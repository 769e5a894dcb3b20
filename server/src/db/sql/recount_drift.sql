INSERT INTO alert_minutes AS m (agent_id, minute, drifts_stale, drifts_differing, drifts_unenforced)
SELECT e.agent_id, date_trunc('minute', e.received_at),
       count(*) FILTER (WHERE e.drift_reason = 'stale_policy'),
       count(*) FILTER (WHERE e.drift_reason = 'verdict_differs'),
       count(*) FILTER (WHERE e.drift_reason = 'not_enforced_here')
  FROM events e JOIN agents a USING (agent_id)
 WHERE e.drift_detected AND e.ts > $1::timestamptz - interval '1 day'
   AND e.received_at > $1::timestamptz - interval '30 minutes'
 GROUP BY 1, 2
ON CONFLICT (minute, agent_id) DO UPDATE
   SET drifts_stale = greatest(m.drifts_stale, excluded.drifts_stale),
       drifts_differing = greatest(m.drifts_differing, excluded.drifts_differing),
       drifts_unenforced = greatest(m.drifts_unenforced, excluded.drifts_unenforced)
