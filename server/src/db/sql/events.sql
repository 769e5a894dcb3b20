SELECT e.event_id AS "event_id!", e.agent_id AS "agent_id!", coalesce(a.name, '') AS "agent_name!",
       e.ts AS "ts!", e.received_at AS "received_at!", e.discovered_agent_id, e.agent_type,
       e.kind::text AS "kind!", e.resource AS "resource!", e.verdict::text AS "verdict!",
       e.server_verdict::text, e.drift_detected AS "drift_detected!", e.drift_reason::text,
       e.severity::text AS "severity!", e.rule, e.policy_id, e.policy_version, e.pid AS "pid!",
       e.process_exe AS "process_exe!", e.cmdline AS "cmdline!",
       e.metadata AS "metadata!: Json<std::collections::BTreeMap<String, String>>"
  FROM (SELECT * FROM events
         WHERE ($1::uuid IS NULL OR agent_id = $1)
           AND ($2::uuid IS NULL OR event_id = $2)
           AND ($3::text[] IS NULL OR kind = ANY ($3::text[]::event_kind[]))
           AND ($4::text[] IS NULL OR verdict = ANY ($4::text[]::event_verdict[]))
           AND ($5::text IS NULL OR severity >= $5::event_severity)
           AND ($6::text IS NULL OR agent_type = $6)
           AND ($7::boolean IS NULL OR drift_detected = $7)
           AND ($8::timestamptz IS NULL OR ts >= $8)
           AND ($9::timestamptz IS NULL OR ts < $9)
           AND ($10::timestamptz IS NULL OR ts <= $10)
           AND ($10::timestamptz IS NULL OR (ts, event_id) < ($10, $11::uuid))
         ORDER BY ts DESC, event_id DESC
         LIMIT $12) e
  LEFT JOIN agents a USING (agent_id)
 ORDER BY e.ts DESC, e.event_id DESC
