//! `--sql` and `tyrctl sql`: what is printed, and that no server is needed for it.

use insta::assert_snapshot;

use crate::double::{Answers, Double};

/// Runs without a server, a token or a configuration.
fn alone(double: &Double, arguments: &[&str]) -> String {
    let output = double.command(arguments).env_remove("TYR_SERVER").env("XDG_CONFIG_HOME", "/nonexistent").output();
    let output = output.expect("tyrctl runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn statements_are_printed_without_a_server() {
    let double = Double::start(Answers::default());
    assert_snapshot!(alone(&double, &["agents", "--stale=2m", "--sql", "--fail-on-any"]), @"
    -- tyrctl agents --stale=2m --fail-on-any
    -- $1 archived: false
    -- $4 unheard_for_s: 120
    SELECT a.agent_id, a.name, a.last_seen, a.kernel, a.arch, a.agent_version, a.capabilities, a.hooks,
           a.posture::text AS posture, a.posture_reason, a.denial::text AS denial, a.denial_at,
           a.tables::text AS tables, a.tables_digest,
           a.unregistered_agents, a.scope, a.policy_id, e.version AS policy_version,
           (SELECT p.policy_id FROM agent_policies p
             WHERE p.agent_id = a.agent_id ORDER BY p.effective_from DESC LIMIT 1) AS assigned_policy_id,
           a.policy_error, a.clock_skew_ms, a.spool_records, a.events_lost, m.last_event_at AS last_event_at,
           (SELECT count(*) FROM discovered_agents d
             WHERE d.daemon_agent_id = a.agent_id AND d.ended_at IS NULL) AS ai_processes,
           a.enrolled_at, a.cert_not_after, a.archived_at, a.revoked_at
      FROM agents a
      LEFT JOIN alert_agents m USING (agent_id)
      LEFT JOIN effective_policies e USING (policy_id)
     WHERE (false OR (a.archived_at IS NULL AND a.revoked_at IS NULL))
       AND (a.last_seen < now() - make_interval(secs => 120))
     ORDER BY a.name, a.agent_id;
    ");
    assert_snapshot!(alone(&double, &["events", "rate", "--since", "2026-11-22T18:00:00Z", "--sql"]), @"
    -- tyrctl events rate --since 2026-11-22T18:00:00Z
    -- $1 since: timestamptz '2026-11-22T18:00:00Z'
    -- $2 until: now()
    SELECT minute, verdict::text AS verdict, sum(events)::bigint AS events, sum(drifts)::bigint AS drifts
      FROM events_minute
     WHERE minute >= date_trunc('minute', timestamptz '2026-11-22T18:00:00Z'::timestamptz) AND minute <= now()
     GROUP BY minute, verdict
    HAVING sum(events) > 0
     ORDER BY 1 DESC, 2;
    ");
    assert_snapshot!(
        alone(&double, &["events", "list", "--agent", "build 17", "--verdict", "deny,alert", "--limit", "5", "--sql"]), @"
        -- tyrctl events list --agent 'build 17' --verdict deny,alert --limit 5
        -- $1 agent: coalesce((SELECT agent_id FROM agents WHERE name = 'build 17' ORDER BY archived_at NULLS FIRST LIMIT 1), uuid '00000000-0000-0000-0000-000000000000')
        -- $4 verdict: ARRAY['deny', 'alert']
        -- $12 limit: 5
        SELECT e.event_id AS event_id, e.agent_id AS agent_id, coalesce(a.name, '') AS agent_name,
               e.ts AS ts, e.received_at AS received_at, e.discovered_agent_id, e.agent_type,
               e.kind::text AS kind, e.resource AS resource, e.verdict::text AS verdict,
               e.server_verdict::text, e.drift_detected AS drift_detected, e.drift_reason::text,
               e.severity::text AS severity, e.rule, e.policy_id, e.policy_version, e.pid AS pid,
               e.process_exe AS process_exe, e.cmdline AS cmdline,
               e.metadata AS metadata
          FROM (SELECT * FROM events
                 WHERE (agent_id = coalesce((SELECT agent_id FROM agents WHERE name = 'build 17' ORDER BY archived_at NULLS FIRST LIMIT 1), uuid '00000000-0000-0000-0000-000000000000'))
                   AND (verdict = ANY (ARRAY['deny', 'alert']::text[]::event_verdict[]))
                 ORDER BY ts DESC, event_id DESC
                 LIMIT 5) e
          LEFT JOIN agents a USING (agent_id)
         ORDER BY e.ts DESC, e.event_id DESC;
        "
    );
    for arguments in [
        ["agents", "--silent"].as_slice(),
        &["ai", "--all"],
        &["drift", "--by", "rule"],
        &["drift", "--events"],
        &["events", "agents"],
        &["why", "00000000-0000-7000-8000-000000000021"],
        &["alerts", "--state", "all", "--agent", "build-017"],
        &["policy", "list"],
        &["token", "list"],
        &["user", "list"],
        &["audit", "--action", "auth", "--since", "1d"],
        &["db"],
        &["db", "connections"],
        &["db", "tables"],
        &["db", "partitions"],
        &["db", "indexes"],
        &["db", "apart"],
    ] {
        let page = alone(&double, &[arguments, &["--sql"]].concat());
        assert!(page.starts_with(&format!("-- tyrctl {}\n", arguments.join(" "))) && page.ends_with(";\n"), "{page}");
    }
    assert_eq!(double.requests(), Vec::<String>::new());
}

#[test]
fn what_tyrctl_does_itself_is_said() {
    let double = Double::start(Answers::default());
    let said = double.run(&["ai", "--sql", "--limit", "3", "--sort", "pid"]);
    assert!(said.ends_with("note: not in the statement, as tyrctl does it itself: --sort, --limit\n"), "{said}");
    let said = double.run(&["agents", "--stale", "--sql"]);
    assert!(said.contains("TYR_STALE_AFTER_S"), "{said}");
}

#[test]
fn all_statements_have_a_name() {
    let double = Double::start(Answers::default());
    assert_snapshot!(alone(&double, &["sql", "list"]), @"
    NAME                  DOCUMENTED  COMMAND                                             ANSWERS
    agents                M2, M4, M5  tyrctl agents                                       agents; those that are stale, online or silent
    ai                    -           tyrctl ai                                           AI processes that agents found
    events                M7, M9      tyrctl events list, drift --events, why             events, newest first
    rate                  -           tyrctl top                                          events per minute, verdict and kind, from the roll-up
    rate_by_verdict       -           tyrctl events rate                                  events per minute and verdict, from the roll-up
    rate_by_kind          -           tyrctl events rate --by kind                        events per minute and kind, from the roll-up
    rate_by_minute        -           tyrctl events rate --by minute                      events per minute, from the roll-up
    rate_by_agent         -           tyrctl events rate --by agent                       events per hour and agent, from the roll-up
    agent_events          -           tyrctl events agents                                the agents with most events, from the roll-up by hour
    drift                 -           tyrctl drift                                        drift by agent, sustained drift marked
    drift_by              -           tyrctl drift --by kind|policy|rule|reason|verdicts  drift by what it has in common
    drifts_since          -           tyrctl top                                          how many events drifted
    alerts                -           tyrctl alerts                                       alerts: firing ones first, then pending, then resolved
    policies              -           tyrctl policy list                                  policy versions, newest first
    tokens                -           tyrctl token list                                   enrollment tokens without their secrets, newest first
    users                 -           tyrctl user list                                    users by name, without what their passwords are checked by
    audit                 -           tyrctl audit                                        what people did, newest first
    database              -           tyrctl db                                           the database: version, size, connections it takes
    connections           M10         tyrctl db connections                               connections to the database, by program and state
    tables                M10         tyrctl db tables                                    tables with their sizes and growth per day
    partitions            M12         tyrctl db partitions                                days of events, newest first
    indexes               M10         tyrctl db indexes                                   indexes with an estimate of their bloat
    apart                 -           tyrctl db apart                                     what agents sent and is not among the events
    documented_stale      M3          tyrctl agents --stale=2m                            the manual's text: agents not heard from for two minutes
    documented_rate       M6          tyrctl events rate                                  the manual's text: events per minute and verdict; reads every event of the hour
    documented_drift      M8          tyrctl drift --since 1d                             the manual's text: drift by agent over the last day
    documented_retention  M11         tyr-server db retention                             the manual's text: deletes events older than 30 days; dropping whole days does it by itself
    ");
}

#[test]
fn statements_are_shown_by_name_or_number() {
    let double = Double::start(Answers::default());
    assert_snapshot!(alone(&double, &["sql", "show", "m8"]), @"
    -- tyrctl drift --since 1d: the manual's text: drift by agent over the last day
    SELECT agent_id, count(*) AS drifts
    FROM events
    WHERE drift_detected = true AND ts > now() - interval '1 day'
    GROUP BY 1 ORDER BY 2 DESC;
    ");
    let three = alone(&double, &["sql", "show", "M10"]);
    assert_eq!(three.matches("-- tyrctl db ").count(), 3, "{three}");
    assert_snapshot!(double.run(&["sql", "show", "drfit"]), @"
    exit 2
    --- stderr
    error: `drfit` is not a value for `<NAME>`
    hint: did you mean `drift`?
    hint: one of agents, ai, events, rate, rate_by_verdict, rate_by_kind, rate_by_minute, rate_by_agent, agent_events, drift, drift_by, drifts_since, alerts, policies, tokens, users, audit, database, connections, tables, partitions, indexes, apart, documented_stale, documented_rate, documented_drift, documented_retention, M2, M3, M4, M5, M6, M7, M8, M9, M10, M11, M12
    ");
}
