//! `--sql` tells the truth: a command and the statement that it prints give the same rows, from the same database.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Map, Value};
use tyr_e2e::stack::{Stack, text};
use tyr_e2e::wait_for;
use uuid::Uuid;

const LIMIT: Duration = Duration::from_secs(30);
const POLICY: &str = "apiVersion: tyr.dev/v1
kind: Policy
metadata: {name: sql}
spec:
  rules:
    - name: first
      action: exec
      verdict: allow
    - name: no-egress
      action: net_connect
      cidr_deny: [203.0.113.0/24]
      verdict: deny
";

/// A fleet of all sorts (who is to stay online was heard from in the future), with events, drift, and what has no place. Everything has its counts, as the server keeps them.
const FLEET: &str = "
INSERT INTO agents (agent_id, name, kernel, arch, client_cert, cert_serial, cert_not_after, enrolled_at, last_seen, archived_at,
                    capabilities, posture)
SELECT md5(name)::uuid, name, '6.12', 'x86_64', '-', name, now() + interval '1 day', now() - enrolled, now() - seen, archived,
       '{observe}', 'partial'
  FROM (VALUES ('build-1', interval '1 h', interval '-1 h', NULL::timestamptz), ('build-2', '1 h', '4 min', NULL),
               ('o''neill', '9 d', '3 h', NULL), ('silent', '9 d', '-1 h', NULL), ('gone', '30 d', '9 d', now()))
       AS a (name, enrolled, seen, archived);
INSERT INTO discovered_agents (id, daemon_agent_id, agent_type, display_name, pid, process_signature, process_exe, cmdline,
                               found_by, first_seen, ended_at)
SELECT md5('ai' || n)::uuid, md5('build-1')::uuid, CASE WHEN n % 2 = 0 THEN 'cursor' ELSE 'claude-code' END, 'ai', n, 'ff',
       '/usr/bin/node', E'node \"a\\tb\"', 'scan', now() - n * interval '1 min', CASE WHEN n > 3 THEN now() END
  FROM generate_series(1, 5) n;
INSERT INTO events (event_id, agent_id, ts, received_at, discovered_agent_id, agent_type, pid, kind, verdict, server_verdict,
                    severity, drift_detected, drift_reason, policy_version, rule, resource, process_exe, cmdline, metadata)
SELECT gen_random_uuid(), md5(CASE WHEN n % 3 = 0 THEN 'o''neill' ELSE 'build-1' END)::uuid, now() - n * interval '30 s', now(),
       md5('ai1')::uuid, CASE WHEN n % 2 = 0 THEN 'cursor' ELSE 'claude-code' END, n,
       (CASE WHEN n % 2 = 0 THEN 'exec' ELSE 'file_read' END)::event_kind,
       (CASE WHEN n % 5 = 0 THEN 'alert' ELSE 'allow' END)::event_verdict,
       (CASE WHEN n % 5 = 0 THEN 'deny' ELSE 'allow' END)::event_verdict,
       (CASE n % 4 WHEN 0 THEN 'critical' WHEN 1 THEN 'high' ELSE 'low' END)::event_severity, n % 5 = 0,
       (CASE WHEN n % 5 = 0 THEN CASE WHEN n % 2 = 0 THEN 'stale_policy' ELSE 'not_enforced_here' END END)::drift_reason,
       CASE WHEN n % 10 = 0 THEN 1 END, CASE WHEN n % 10 = 0 THEN 'no-egress' END, E'/tmp/\\u202ex \"' || n, '/usr/bin/node',
       'node cli.js', '{\"ppid\": \"1\"}'
  FROM generate_series(1, 150) n;
INSERT INTO events_minute (minute, shard, verdict, kind, events, drifts)
SELECT date_trunc('minute', ts), 0, verdict, kind, count(*), count(*) FILTER (WHERE drift_detected) FROM events GROUP BY 1, 3, 4;
INSERT INTO events_hour (hour, agent_id, verdict, events, drifts)
SELECT date_trunc('hour', ts, 'UTC'), agent_id, verdict, count(*), count(*) FILTER (WHERE drift_detected) FROM events GROUP BY 1, 2, 3;
INSERT INTO alert_minutes (agent_id, minute, drifts_stale)
SELECT md5('build-1')::uuid, now() - n * interval '6 min' - interval '30 s', 1 FROM generate_series(0, 3) n;
INSERT INTO alerts (alert_id, rule, agent_id, state, since, changed_at, fired_at, resolved_at, evaluations, value, threshold,
                    details, acknowledged_at, acknowledged_by, note)
SELECT md5('alert' || rule || state)::uuid, rule::alert_rule, md5('build-1')::uuid, state::alert_state, now() - interval '2 h', now() - n * interval '1 h',
       CASE WHEN state <> 'pending' THEN now() - interval '1 h' END, CASE WHEN state = 'resolved' THEN now() END, 2, 301.5, 300,
       '{\"rule\": \"no-egress\"}', CASE WHEN n = 1 THEN now() END, CASE WHEN n = 1 THEN 'alice' END, CASE WHEN n = 1 THEN 'known' END
  FROM (VALUES ('loss', 'firing', 1), ('loss', 'resolved', 2), ('deny_spike', 'resolved', 3), ('silent', 'pending', 4)) AS a (rule, state, n);
INSERT INTO users (user_id, username, password_hash, role, last_login_at)
VALUES (md5('bob')::uuid, 'bob', '-', 'viewer', now()), (md5('carol')::uuid, 'carol', '-', 'admin', NULL);
INSERT INTO enrollment_tokens (token_id, label, secret_hash, max_uses, uses, expires_at, revoked_at, created_by)
VALUES ('7f3k9q2m', 'laptops', '-', 5, 2, now() + interval '1 day', NULL, 'alice'), ('8f3k9q2m', 'ci', '-', 1, 1, now(), now(), 'o''neill');
INSERT INTO rejected_events (agent_id, reason, record) SELECT md5('build-1')::uuid, 'odd', '' FROM generate_series(1, 3);
INSERT INTO events_quarantine (agent_id, ts, event_id, reason, record)
VALUES (md5('build-2')::uuid, now() + interval '3 days', gen_random_uuid(), 'ahead', '');";

/// What a command knows beyond the tables: the fleet in the server's memory, the clock, and a sentence that is made of the rest.
const BEYOND: [&str; 4] = ["staleness_ms", "liveness", "connected", "summary"];

/// The rows of a command.
fn answered(stack: &Stack, arguments: &[&str]) -> Vec<Value> {
    let answer = stack.tyrctl_json(arguments).expect("an answer");
    match answer {
        Value::Array(rows) => rows,
        // `why` is about one event.
        Value::Object(mut one) => vec![one.remove("event").expect("an event")],
        other => panic!("no rows: {other}"),
    }
}

/// What a command prints with `--sql`.
fn printed(stack: &Stack, arguments: &[&str]) -> String {
    let output = stack.tyrctl(arguments.iter().copied().chain(["--sql"]));
    let statement = text(&output).expect("a statement");
    assert!(statement.starts_with(&format!("-- tyrctl {}", arguments[0])), "{statement}");
    statement
}

/// The rows of a statement, as psql gives them.
fn selected(stack: &Stack, statement: &str) -> Vec<Value> {
    let inner = statement.trim_end().strip_suffix(';').expect("one statement");
    let rows = stack.psql(&format!("SELECT coalesce(json_agg(x), '[]') FROM ({inner}\n) x")).expect("rows");
    serde_json::from_str(&rows).expect("JSON")
}

/// The statement pasted into psql as it is; gives what it prints.
fn pasted(stack: &Stack, statement: &str) -> String {
    let url = text(&stack.server_command(["db", "url"]).output().expect("the address")).expect("a URL");
    let mut psql = Command::new("psql");
    psql.args([url.trim(), "-X", "-v", "ON_ERROR_STOP=1", "--csv"]);
    let mut psql = psql.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("psql");
    psql.stdin.take().expect("a pipe").write_all(statement.as_bytes()).expect("read");
    text(&psql.wait_with_output().expect("it ends")).unwrap_or_else(|error| panic!("{error}\n{statement}"))
}

#[expect(clippy::cast_possible_truncation, reason = "small numbers without a fraction")]
fn whole(number: f64) -> Value {
    (number as i64).into()
}

/// An instant has one spelling, and what is not there is not there.
fn normal(row: &Value) -> Map<String, Value> {
    let fields = row.as_object().expect("an object").iter().filter(|(_, value)| !value.is_null());
    let fields = fields.map(|(name, value)| match value.as_str() {
        Some(instant) if instant.ends_with("+00:00") => (name.clone(), instant.replace("+00:00", "Z").into()),
        // PostgreSQL writes 300, and we 300.0.
        None if value.is_f64() => {
            (name.clone(), value.as_f64().filter(|n| n.fract() == 0.0).map_or(value.clone(), whole))
        }
        _ => (name.clone(), value.clone()),
    });
    fields.collect()
}

/// Rows without some fields; without an order of their own, by their text.
fn rows(rows: &[Value], without: &[&str], in_order: bool) -> Vec<Map<String, Value>> {
    let mut rows: Vec<_> = rows.iter().map(normal).collect();
    for row in &mut rows {
        row.retain(|name, _| !without.contains(&name.as_str()));
    }
    if !in_order {
        rows.sort_by_key(|row| serde_json::to_string(row).expect("JSON"));
    }
    rows
}

#[test]
fn commands_and_their_statements_give_the_same_rows() {
    let stack = Stack::start(&[]).expect("the server starts");
    stack.apply_policy(POLICY).expect("the policy is accepted");
    stack.psql(FLEET).expect("a fleet");
    // As an agent makes it: time and id from one reading.
    let id = Uuid::now_v7();
    let (seconds, nanos) = id.get_timestamp().expect("version 7").to_unix();
    stack
        .psql(&format!(
            "INSERT INTO events (event_id, agent_id, ts, received_at, discovered_agent_id, agent_type, pid, kind, verdict,
                                 server_verdict, severity, policy_version, rule, resource, process_exe, cmdline, metadata)
             VALUES ('{id}', md5('build-1')::uuid, to_timestamp({seconds}.{:03}), now(), md5('ai1')::uuid, 'claude-code', 7,
                     'net_connect', 'deny', 'deny', 'high', 1, 'no-egress', '203.0.113.7:443', '/usr/bin/curl', 'curl',
                     '{{\"ppid\": \"6\", \"uid\": \"1000\"}}')",
            nanos / 1_000_000
        ))
        .expect("an event");
    let id = id.to_string();
    let in_order: &[&[&str]] = &[
        &["agents"],
        &["agents", "--archived"],
        &["agents", "--online"],
        &["agents", "--offline"],
        &["agents", "--silent"],
        &["agents", "--silent=1h"],
        &["ai"],
        &["ai", "--all"],
        &["ai", "--all", "--agent", "build-1", "--type", "cursor"],
        &["events", "list"],
        &["events", "list", "--limit", "0", "--since", "30m"],
        &["events", "list", "--agent", "o'neill", "--kind", "exec,net_connect", "--verdict", "allow,deny"],
        &["events", "list", "--severity", "high", "--drift", "--limit", "7"],
        &["events", "list", "--since", "2h", "--until", "20m", "--type", "cursor"],
        &["events", "rate", "--since", "2h"],
        &["events", "rate", "--since", "2h", "--by", "kind"],
        &["events", "rate", "--since", "2h", "--by", "minute"],
        &["events", "rate", "--since", "2h", "--by", "agent"],
        &["events", "agents"],
        &["drift", "--since", "1d"],
        &["drift", "--since", "1d", "--agent", "o'neill"],
        &["drift", "--since", "1d", "--by", "kind"],
        &["drift", "--since", "1d", "--by", "policy"],
        &["drift", "--since", "1d", "--by", "rule"],
        &["drift", "--since", "1d", "--by", "reason"],
        &["drift", "--since", "1d", "--by", "verdicts", "--agent", "build-1"],
        &["drift", "--since", "1d", "--events", "--limit", "0"],
        &["why", &id],
        &["policy", "list"],
        &["token", "list"],
        &["user", "list"],
        &["audit"],
        &["audit", "--action", "policy", "--since", "1d"],
        &["audit", "--action", "auth.setup", "--limit", "1"],
        &["db", "apart"],
    ];
    let in_any_order: &[&[&str]] = &[
        &["agents", "--stale"],
        &["agents", "--stale=2m"],
        &["agents", "--stale=2m", "--archived"],
        &["agents", "build-2", "o'neill"],
    ];
    // Sizes and counts of use change by themselves: the two are asked until nothing happened in between.
    // So do alerts: the server evaluates its rules all the time.
    let moving: &[(&[&str], &[&str])] = &[
        (&["db", "tables"], &[]),
        (&["db", "partitions"], &[]),
        (&["db", "indexes"], &["scans"]),
        (&["alerts"], &BEYOND),
        (&["alerts", "--state", "all"], &BEYOND),
        (&["alerts", "--state", "resolved", "--rule", "loss", "--agent", "build-1"], &BEYOND),
        (&["alerts", "--state", "firing", "--limit", "1"], &BEYOND),
    ];
    for (arguments, ordered) in
        in_order.iter().map(|case| (*case, true)).chain(in_any_order.iter().map(|case| (*case, false)))
    {
        let statement = printed(&stack, arguments);
        let (command, sql) = (answered(&stack, arguments), selected(&stack, &statement));
        assert!(!command.is_empty(), "{arguments:?} finds nothing, which proves nothing");
        assert_eq!(
            rows(&command, &BEYOND, ordered),
            rows(&sql, &BEYOND, ordered),
            "tyrctl {} and\n{statement}",
            arguments.join(" ")
        );
        assert_eq!(pasted(&stack, &statement).lines().count(), 1 + sql.len(), "{statement}");
    }
    for (arguments, without) in moving {
        let statement = printed(&stack, arguments);
        wait_for(&format!("the same rows of {arguments:?}"), LIMIT, || {
            let (command, sql) = (answered(&stack, arguments), selected(&stack, &statement));
            (!command.is_empty() && rows(&command, without, true) == rows(&sql, without, true)).then_some(())
        });
    }
    // Who is connected changes with each question: the server's own connections, whatever they do at the moment.
    let servers = |rows: &[Value]| -> u64 {
        let ours =
            rows.iter().filter(|row| row["application"].as_str().is_some_and(|name| name.starts_with("tyr-server")));
        ours.filter_map(|row| row["connections"].as_u64()).sum()
    };
    let statement = printed(&stack, &["db", "connections"]);
    wait_for("the same connections", LIMIT, || {
        let (command, sql) = (answered(&stack, &["db", "connections"]), selected(&stack, &statement));
        (servers(&command) > 0 && servers(&command) == servers(&sql)).then_some(())
    });
    let whole = printed(&stack, &["db"]);
    assert!(pasted(&stack, &whole).contains("events"), "all parts, one below the other");
}

#[test]
fn every_statement_of_the_catalog_runs_in_psql_without_a_server_to_ask() {
    let stack = Stack::start(&[]).expect("the server starts");
    stack.psql(FLEET).expect("a fleet");
    let listed = stack.tyrctl_json(&["sql", "list"]).expect("a list");
    let names: Vec<&str> = listed.as_array().expect("rows").iter().filter_map(|row| row["name"].as_str()).collect();
    assert!(names.len() > 15, "{names:?}");
    let numbers = ["M2", "M3", "M4", "M5", "M6", "M7", "M8", "M9", "M10", "M11", "M12"];
    for name in names.into_iter().chain(numbers) {
        let output = stack.tyrctl(["sql", "show", name, "--server", "https://192.0.2.1:1"]);
        pasted(&stack, &text(&output).expect("a statement"));
    }
}

#[test]
fn why_shows_the_rule_where_it_stands() {
    let stack = Stack::start(&[]).expect("the server starts");
    stack.apply_policy(POLICY).expect("the policy is accepted");
    stack.psql(FLEET).expect("a fleet");
    let id = Uuid::now_v7();
    let (seconds, nanos) = id.get_timestamp().expect("version 7").to_unix();
    stack
        .psql(&format!(
            "INSERT INTO events (event_id, agent_id, ts, received_at, discovered_agent_id, agent_type, pid, kind, verdict,
                                 server_verdict, severity, drift_detected, drift_reason, policy_version, rule, resource,
                                 process_exe, cmdline, metadata)
             VALUES ('{id}', md5('build-1')::uuid, to_timestamp({seconds}.{:03}), now(), md5('ai1')::uuid, 'claude-code', 7,
                     'net_connect', 'alert', 'deny', 'high', true, 'not_enforced_here', 1, 'no-egress', '203.0.113.7:443',
                     '/usr/bin/curl', 'curl', '{{\"ppid\": \"6\", \"uid\": \"1000\"}}')",
            nanos / 1_000_000
        ))
        .expect("an event");
    let shown = text(&stack.tyrctl(["why", &id.to_string()])).expect("an answer");
    for line in [
        "because         alert in place of deny, as this host's kernel can't refuse such actions: rule `no-egress` of policy version 1",
        "line            9\n",
        "ppid            6\n",
        "ai_found_by     scan\n",
        "    9 |     - name: no-egress\n   10 |       action: net_connect\n",
    ] {
        assert!(shown.contains(line), "no `{line}` in\n{shown}");
    }
    let nobody = stack.tyrctl(["why", &Uuid::now_v7().to_string()]);
    assert_eq!(nobody.status.code(), Some(1));
}
