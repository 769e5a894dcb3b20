//! Every row of the table in docs/operations.md, its commands run as they are written there, against real binaries; and the
//! documented SQL, which has to say what the commands say.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tyr_e2e::stack::{Agent, Stack, text};
use tyr_e2e::{binary, wait_for};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/operations.md");
const LIMIT: Duration = Duration::from_secs(30);

/// The documented queries, letter by letter.
const M3: &str = "SELECT agent_id, name, now() - last_seen AS staleness
FROM agents
WHERE last_seen < now() - interval '2 minutes'
ORDER BY staleness DESC;";
const M6: &str = "SELECT date_trunc('minute', ts) AS minute, count(*) AS events, verdict
FROM events
WHERE ts > now() - interval '1 hour'
GROUP BY 1, 3 ORDER BY 1 DESC;";
const M8: &str = "SELECT agent_id, count(*) AS drifts
FROM events
WHERE drift_detected = true AND ts > now() - interval '1 day'
GROUP BY 1 ORDER BY 2 DESC;";

/// By row, how a command of it is known, and what it says.
const SHOWS: &[(&str, &str, &[&str])] = &[
    ("M1", "tyrctl health", &["ok"]),
    ("M1", "/health", &["status", "db", "version"]),
    ("M2", "tyrctl agents", &["watched", "online", "STATUS"]),
    ("M3", "tyrctl agents --stale", &["gone", "away"]),
    ("M4", "tyrctl alerts", &["gone", "firing"]),
    ("M4", "tyrctl agents --stale", &["gone"]),
    ("M5", "tyrctl agents --silent", &["silent"]),
    ("M5", "tyrctl alerts", &["silent", "firing"]),
    ("M6", "tyrctl events rate", &["allow", "deny"]),
    ("M7", "tyrctl alerts", &["watched", "firing", "net"]),
    ("M7", "tyrctl events list", &["203.0.113.7:443"]),
    ("M8", "tyrctl drift", &["watched"]),
    ("M9", "tyrctl drift", &["not_enforced_here"]),
    ("M9", "tyrctl alerts", &["watched", "firing"]),
    ("M9", "tyrctl events list", &["not_enforced_here"]),
    ("M10", "tyrctl db", &["events", "index"]),
    ("M11", "tyr-server db retention", &["events_2"]),
    ("M11", "psql", &["DELETE 1"]),
    ("M12", "tyrctl db partitions", &["events_2"]),
    // What these say is looked for where they are told to say it.
    ("M13", "RUST_LOG=", &[]),
    ("M13", "journalctl", &[]),
    ("M14", "journalctl", &[]),
    ("M15", "tyrctl metrics", &METRICS),
    ("M15", "/metrics", &METRICS),
    ("M16", "tyrctl events tail", &["claude-code", "allow"]),
    ("M16", "/api/v1/events/stream", &["data: {", "/etc/hostname"]),
    ("M17", "tyr-server backup", &["saved: "]),
];
const METRICS: [&str; 5] = [
    "tyr_events_total{",
    "tyr_agents_online",
    "tyr_drift_detected_total",
    "tyr_policy_reload_duration_seconds",
    "tyr_grpc_requests_total{",
];

/// The commands of the table, by the number of their row.
fn documented() -> BTreeMap<String, Vec<String>> {
    let page = fs::read_to_string(PAGE).expect("the page");
    let mut commands = BTreeMap::new();
    for line in page.lines().filter(|line| line.starts_with("| M")) {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        assert_eq!(cells.len(), 4, "{line}");
        let command = |cell: &str| cell.strip_prefix('`').and_then(|cell| cell.strip_suffix('`')).map(str::to_owned);
        let of_row = cells[2].split("<br>").map(|cell| command(cell).unwrap_or_else(|| panic!("no command: {cell}")));
        assert!(commands.insert(cells[0].to_owned(), of_row.collect()).is_none(), "{} twice", cells[0]);
    }
    commands
}

#[test]
fn the_table_has_every_row_of_the_documented_page() {
    let rows: Vec<String> = documented().into_keys().collect();
    let mut expected: Vec<String> = (1..=17).map(|number| format!("M{number}")).collect();
    expected.sort();
    assert_eq!(rows, expected);
}

/// A child that is killed when the test ends, however it ends.
struct Work(Child);

impl Drop for Work {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// A server that has something to show in every row, and an agent.
fn stack(rust_log: &str) -> (Stack, Agent) {
    let stack = Stack::start(&[("RUST_LOG", rust_log), ("TYR_ALERT_INTERVAL_S", "1"), ("TYR_ALERT_DENY_FLOOR", "1")])
        .expect("the server starts");
    let secret = stack.folder().join("secret.txt");
    fs::write(&secret, "x").expect("a file");
    stack
        .apply_policy(&format!(
            "apiVersion: tyr.dev/v1\nkind: Policy\nmetadata: {{name: operations}}\nspec:\n  rules:\n    - name: secret\n      \
             action: file_read\n      resource_pattern: {}\n      verdict: deny\n    - name: net\n      action: net_connect\n      \
             cidr_deny: [203.0.113.0/24]\n      verdict: deny\n",
            secret.display()
        ))
        .expect("the policy is accepted");
    let agent = stack.start_agent("watched", "allow_events: all\n").expect("the agent starts");
    let mut work = agent.governed("claude-code", "/bin/bash");
    work.args(["-c", "cat \"$0\"; echo >/dev/tcp/203.0.113.7/443"]).arg(&secret);
    work.stdout(Stdio::null()).stderr(Stdio::null()).status().expect("it runs");
    // The last thing that it does.
    wait_for("the refused connection", LIMIT, || {
        let denials = stack.psql("SELECT count(*) FROM events WHERE verdict = 'deny'").ok()?;
        (denials.trim() == "1").then_some(())
    });
    // Agents that went silent, an old one without events; drift that lasts; a day that is too old.
    stack
        .psql(
            "INSERT INTO agents (agent_id, name, kernel, arch, client_cert, cert_serial, cert_not_after, enrolled_at, last_seen)
             SELECT gen_random_uuid(), name, '6.12', 'x86_64', '-', name, now(), now() - interval '8 days', last_seen
               FROM (VALUES ('gone', now() - interval '6 minutes'), ('away', now() - interval '3 minutes'), ('silent', now()))
                    AS a (name, last_seen);
             INSERT INTO alert_minutes AS m (agent_id, minute, drifts_differing)
             SELECT agent_id, date_trunc('minute', now()) - back * interval '6 minutes', 1
               FROM agents, generate_series(0, 2) AS back WHERE name = 'watched'
             ON CONFLICT (minute, agent_id) DO UPDATE SET drifts_differing = m.drifts_differing + 1;
             DO $$ DECLARE day date := (now() AT TIME ZONE 'UTC')::date - 40;
             BEGIN
               EXECUTE format('CREATE TABLE %I PARTITION OF events FOR VALUES FROM (%L) TO (%L)', 'events_' || to_char(day, 'YYYYMMDD'),
                              day::text || ' 00:00:00+00', (day + 1)::text || ' 00:00:00+00');
               INSERT INTO events (event_id, agent_id, ts, received_at, pid, kind, verdict, severity, resource, process_exe, cmdline)
               SELECT gen_random_uuid(), agent_id, day + time '12:00' AT TIME ZONE 'UTC', now(), 1, 'exec', 'allow', 'low', '/', '/', ''
                 FROM agents WHERE name = 'watched';
             END $$",
        )
        .expect("rows");
    // Nobody knows of silence before the server ran: here it has for an hour.
    wait_for("the alerts", LIMIT, || {
        stack.psql("UPDATE alert_evaluation SET unbroken_since = now() - interval '1 hour'").ok()?;
        let rules =
            "SELECT string_agg(DISTINCT rule::text, ' ' ORDER BY rule::text) FROM alerts WHERE state = 'firing'";
        let rules = stack.psql(rules).ok()?;
        ["stale", "silent", "deny_spike", "sustained_drift"].iter().all(|rule| rules.contains(rule)).then_some(())
    });
    (stack, agent)
}

#[test]
fn every_documented_command_shows_what_it_says() {
    let commands = documented();
    let rust_log =
        commands["M13"].iter().find_map(|command| command.strip_prefix("RUST_LOG=")?.strip_suffix(" tyr-server"));
    let (stack, agent) = stack(rust_log.expect("the line that starts the server"));
    // For those who look at the stream.
    let mut work = agent.governed("claude-code", "/bin/sh");
    work.args(["-c", "while :; do cat /etc/hostname; sleep 0.2; done"]).stdout(Stdio::null()).stderr(Stdio::null());
    let _work = Work(work.spawn().expect("it runs"));

    let environment: BTreeMap<&str, &str> = stack.environment().collect();
    let token = fs::read_to_string(stack.folder().join("config/tyr/token")).expect("a token");
    let backup = stack.folder().join("operations.tar").display().to_string();
    let programs = binary("tyr-server").parent().expect("a folder").display().to_string();
    let path = format!("{programs}:{}", std::env::var("PATH").unwrap_or_default());
    let run = |command: &str| {
        let mut shell = Command::new("bash");
        shell.args(["-c", command]).env_remove("DATABASE_URL").envs(&environment).env("PATH", &path);
        shell.env("JWT", token.trim()).env("TYR_BACKUP_FILE", &backup).stdin(Stdio::null());
        let output = shell.output().expect("bash starts");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.code(), said, String::from_utf8_lossy(&output.stderr).into_owned())
    };
    for (row, command) in commands.iter().flat_map(|(row, commands)| commands.iter().map(move |command| (row, command)))
    {
        let known = SHOWS.iter().find(|(of, part, _)| of == row && command.contains(part));
        let (_, part, words) = known.unwrap_or_else(|| panic!("nothing is known of {row}: {command}"));
        if *part == "RUST_LOG=" {
            // That is how this server was started.
            continue;
        }
        let (code, said, complaint) = run(command);
        let told = format!("{row}: {command}\n{code:?}\n{said}\n{complaint}");
        match *part {
            // Cut after its time.
            "/api/v1/events/stream" => assert_eq!(code, Some(28), "{told}"),
            // A container has no journal; what it would hold is looked for below.
            "journalctl" => assert!(code == Some(0) || complaint.contains("No journal files were found"), "{told}"),
            _ => assert_eq!(code, Some(if command.contains("--fail-on-any") { 3 } else { 0 }), "{told}"),
        }
        for word in *words {
            assert!(said.contains(word), "no `{word}` in {told}");
        }
        let not: &[&str] = match row.as_str() {
            "M3" => &["watched", "silent"],
            "M4" => &["watched", "silent", "away"],
            "M5" => &["watched", "gone"],
            _ => &[],
        };
        for word in not {
            assert!(!said.contains(word), "`{word}` in {told}");
        }
        if row == "M12" {
            assert!(said.matches("events_2").count() >= 8, "today and a week ahead: {told}");
        }
        if *part == "/health" {
            let health: BTreeMap<String, Value> = serde_json::from_str(&said).expect("JSON");
            assert_eq!(health.keys().collect::<Vec<_>>(), ["db", "status", "version"]);
            assert_eq!(health["status"], "ok");
        }
    }

    // The documented targets say something, and those that are to say less do.
    let log = stack.server_log();
    for target in [" INFO tyr_server", " INFO tower_http::response: "] {
        assert!(log.contains(target), "no{target} in\n{log}");
    }
    assert!(log.lines().any(|line| line.contains("tower_http::response") && line.contains("request.id=")), "{log}");
    assert!(!log.contains(" INFO sqlx"), "{log}");
    for words in ["enrollment succeeded", "policy loaded"] {
        assert!(agent.log().contains(words), "no `{words}` in\n{}", agent.log());
    }
    // What the page says of an event that an agent really sent.
    let denied = "tyrctl why \"$(tyrctl events list --verdict deny --limit 1 -o name -q)\"";
    let (code, said, told) = run(denied);
    assert_eq!(code, Some(0), "{told}");
    for part in
        ["deny: rule `net` of policy version 1 decided", "line            10\n", "ai_type         claude-code\n"]
    {
        assert!(said.contains(part), "no `{part}` in\n{said}\n{told}");
    }
    // The units that the log commands name.
    for unit in ["tyr-server", "tyr-agent"] {
        let unit = format!("{}/../packaging/systemd/{unit}.service", env!("CARGO_MANIFEST_DIR"));
        assert!(fs::metadata(&unit).is_ok(), "{unit}");
    }
}

#[test]
fn the_documented_sql_says_what_the_commands_say() {
    let (stack, _agent) = stack("info");
    let url = text(&stack.server_command(["db", "url"]).output().expect("tyr-server runs")).expect("a URL");
    let sql = |sql: &str| {
        let mut psql = Command::new("psql");
        let output = psql.args([url.trim(), "-XAtc", sql]).env("PGTZ", "UTC").output().expect("psql starts");
        let said = text(&output).expect("psql");
        said.lines().map(|line| line.split('|').map(str::to_owned).collect::<Vec<_>>()).collect::<Vec<_>>()
    };
    let rows = |arguments: &[&str], fields: &[&str]| {
        let rows = stack.tyrctl_json(arguments).expect("tyrctl");
        let field =
            |row: &Value, name: &&str| row[*name].as_str().map_or_else(|| row[*name].to_string(), str::to_owned);
        let rows = rows.as_array().expect("a list").iter();
        rows.map(|row| fields.iter().map(|name| field(row, name)).collect::<Vec<_>>()).collect::<Vec<_>>()
    };
    let stale: Vec<_> = sql(M3).into_iter().map(|row| row[..2].to_vec()).collect();
    assert_eq!(stale.iter().map(|row| row[1].as_str()).collect::<Vec<_>>(), ["gone", "away"], "longest first");
    assert_eq!(rows(&["agents", "--stale=2m"], &["agent_id", "name"]), stale);

    let drifts = sql(M8);
    assert_eq!(drifts.len(), 1, "{drifts:?}");
    assert_eq!(rows(&["drift", "--since", "1d"], &["agent_id", "drifts"]), drifts);

    // The last events of the agent may still be on their way, between one question and the other.
    let sorted = |mut rows: Vec<Vec<String>>| {
        rows.sort();
        rows
    };
    let instant = |text: &str| text.replace('T', " ").replace('Z', "+00");
    wait_for("the same rates", LIMIT, || {
        let documented = sorted(sql(M6));
        let rates = rows(&["events", "rate"], &["minute", "events", "verdict"]);
        let rates = sorted(rates.iter().map(|row| row.iter().map(|text| instant(text)).collect()).collect());
        (rates == documented && documented.iter().any(|row| row[2] == "deny")).then_some(())
    });
}
