SELECT d.id, d.daemon_agent_id, a.name AS agent_name, d.agent_type, d.display_name, d.pid, d.process_signature,
       d.process_exe, d.cmdline,
       (EXISTS (SELECT FROM approved_agent_types t WHERE t.agent_type = d.agent_type)
        OR EXISTS (SELECT FROM policy_assignments o WHERE o.target_type = 'agent_type' AND o.target_id = d.agent_type
                                                      AND o.ended_at IS NULL)) AS "registered!", d.found_by, d.first_seen, d.ended_at
  FROM discovered_agents d JOIN agents a ON a.agent_id = d.daemon_agent_id
 WHERE ($1::uuid[] IS NULL OR d.id = ANY ($1))
   AND ($2::uuid IS NULL OR d.daemon_agent_id = $2)
   AND ($3::text IS NULL OR d.agent_type = $3)
   AND ($4::timestamptz IS NULL OR d.ended_at IS NULL OR d.ended_at > $4)
   AND ($5::timestamptz IS NULL OR (d.first_seen, d.id) < ($5, $6::uuid))
 ORDER BY d.first_seen DESC, d.id DESC
 LIMIT $7
