SELECT a.agent_id, a.name, a.last_seen, a.kernel, a.arch, a.agent_version, a.capabilities, a.hooks,
       a.posture::text AS "posture!", a.posture_reason, a.denial::text AS "denial!", a.denial_at,
       a.tables::text AS "tables!", a.tables_digest,
       a.unregistered_agents, a.scope, a.policy_id, e.version AS policy_version,
       (SELECT p.policy_id FROM agent_policies p
         WHERE p.agent_id = a.agent_id ORDER BY p.effective_from DESC LIMIT 1) AS assigned_policy_id,
       a.policy_error, a.clock_skew_ms, a.spool_records, a.events_lost, m.last_event_at AS "last_event_at?",
       (SELECT count(*) FROM discovered_agents d
         WHERE d.daemon_agent_id = a.agent_id AND d.ended_at IS NULL) AS "ai_processes!",
       a.enrolled_at, a.cert_not_after, a.archived_at, a.revoked_at
  FROM agents a
  LEFT JOIN alert_agents m USING (agent_id)
  LEFT JOIN effective_policies e USING (policy_id)
 WHERE ($1 OR (a.archived_at IS NULL AND a.revoked_at IS NULL)) AND ($2::uuid[] IS NULL OR a.agent_id = ANY ($2))
   AND ($3::uuid IS NULL OR (a.name, a.agent_id) > (SELECT c.name, c.agent_id FROM agents c WHERE c.agent_id = $3))
   AND ($4::float8 IS NULL OR a.last_seen < now() - make_interval(secs => $4))
   AND ($5::float8 IS NULL OR a.last_seen >= now() - make_interval(secs => $5))
   AND ($6::float8 IS NULL
        OR (CASE WHEN m.agent_id IS NULL THEN a.enrolled_at ELSE m.online_since END < now() - make_interval(secs => $6)
            AND (m.last_event_at IS NULL OR m.last_event_at < now() - make_interval(secs => $6))
            AND NOT EXISTS (SELECT FROM events e
                             WHERE e.agent_id = a.agent_id AND e.ts >= now() - make_interval(secs => $6))))
 ORDER BY a.name, a.agent_id
 LIMIT $7
