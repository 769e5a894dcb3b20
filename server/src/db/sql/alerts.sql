SELECT x.alert_id, x.rule::text AS "rule!", x.agent_id, a.name AS agent_name, x.state::text AS "state!", x.since,
       x.changed_at, x.fired_at, x.resolved_at, x.value, x.threshold,
       x.details AS "details: Json<std::collections::BTreeMap<String, String>>", x.flapping, x.acknowledged_at,
       x.acknowledged_by, x.note
  FROM (SELECT *, CASE state WHEN 'firing' THEN 0 WHEN 'pending' THEN 1 ELSE 2 END AS rank FROM alerts) x
  JOIN agents a USING (agent_id)
 WHERE x.state = ANY ($1::text[]::alert_state[])
   AND ($2::text IS NULL OR x.rule = $2::alert_rule)
   AND ($3::uuid IS NULL OR x.agent_id = $3)
   AND ($4::text IS NULL OR a.name = $4)
   AND ($5::uuid[] IS NULL OR x.alert_id = ANY ($5))
   AND ($6::bigint IS NULL OR x.revision > $6)
   AND ($7::bigint IS NULL OR x.revision <= $7)
   AND ($8::timestamptz IS NULL OR x.changed_at > $8)
   AND ($9 OR x.state <> 'resolved' OR x.fired_at IS NOT NULL)
   AND ($10::int IS NULL OR x.rank > $10
        OR (x.rank = $10 AND (x.changed_at, x.alert_id) < ($11::timestamptz, $12::uuid)))
 ORDER BY x.rank, x.changed_at DESC, x.alert_id DESC
 LIMIT $13
