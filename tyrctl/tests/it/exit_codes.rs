//! The exit code is what scripts see.

use std::io::Read;

use serde_json::json;

use crate::double::{Answers, Double, error};
use clap::CommandFactory;

#[test]
fn every_end_has_its_code() {
    let double = Double::start(
        Answers::fleet()
            .with("GET /api/v1/policies", 401, &error("token_expired", "the token expired", None))
            .with("GET /api/v1/enrollment-tokens", 403, &error("forbidden", "admins only", None))
            .with("GET /api/v1/stats/rate", 503, &error("database_away", "the database is away", None)),
    );
    let closed_port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        format!("http://{}", listener.local_addr().expect("bound"))
    };
    for (arguments, code) in [
        (vec!["agents"], 0),
        (vec!["--help"], 0),
        (vec!["agents", "--help"], 0),
        (vec!["--version"], 0),
        (vec!["completions", "bash"], 0),
        (vec!["agents", "nobody"], 1),
        (vec!["context", "use", "nowhere"], 1),
        (vec!["policy", "apply", "-f", "/nonexistent"], 1),
        (vec!["agents", "--ca-file", "/nonexistent"], 1),
        (vec![], 2),
        (vec!["policy"], 2),
        (vec!["agents", "--stael"], 2),
        (vec!["agents", "-o", "yml"], 2),
        (vec!["events", "list", "--since", "1mo"], 2),
        (vec!["events", "list", "--since", "1h", "--until", "2h"], 2),
        (vec!["agents", "--sort", "nam"], 2),
        (vec!["agents", "--tz", "Mars/Base"], 2),
        (vec!["agents", "--server", "http://tyr.example.com"], 2),
        (vec!["events", "tail", "-o", "json"], 2),
        (vec!["login"], 2),
        (vec!["token", "revoke", "x"], 2),
        (vec!["agents", "--stale", "--fail-on-any"], 3),
        (vec!["agents", "--stale", "--fail-on-none"], 0),
        (vec!["ai", "--type", "none", "--fail-on-none"], 3),
        (vec!["drift", "--fail-on-any", "-q"], 3),
        (vec!["policy", "list"], 4),
        (vec!["token", "list"], 4),
        (vec!["agents", "--token-file", "/nonexistent"], 4),
        (vec!["events", "rate"], 5),
        (vec!["events", "tail", "--server", &closed_port], 5),
        (vec!["health", "--server", &closed_port], 5),
        (vec!["agents", "--server", &closed_port], 5),
    ] {
        let said = double.run(&arguments);
        assert!(said.starts_with(&format!("exit {code}\n")), "tyrctl {arguments:?}: {said}");
        if code != 0 && code != 3 && arguments.len() > 1 {
            assert!(said.contains("error: "), "tyrctl {arguments:?} says what is wrong: {said}");
        }
    }
}

/// Every command that asks the server for something and changes nothing.
pub(crate) const READERS: &[&[&str]] = &[
    &["agents"],
    &["agent", "show", "build-017"],
    &["ai"],
    &["ai", "types"],
    &["alerts"],
    &["alerts", "webhook", "list"],
    &["api", "GET", "agents"],
    &["audit"],
    &["auth", "status"],
    &["db"],
    &["db", "apart"],
    &["db", "connections"],
    &["db", "indexes"],
    &["db", "partitions"],
    &["db", "tables"],
    &["drift"],
    &["events", "agents"],
    &["events", "list"],
    &["events", "rate"],
    &["events", "tail", "--count", "1"],
    &["metrics"],
    &["policy", "assignments"],
    &["policy", "status"],
    &["policy", "effective", "build-017"],
    &["policy", "list"],
    &["policy", "show", "1"],
    &["policy", "simulate", "../examples/policies/default-policy.yaml"],
    &["token", "list"],
    &["top", "--once"],
    &["user", "list"],
    &["user", "show", "alice"],
    &["why", "00000000-0000-7000-8000-000000000021"],
];

/// Every command that changes something there; `--yes` for those that would ask.
pub(crate) const CHANGERS: &[&[&str]] = &[
    &["agent", "archive", "build-017", "--yes"],
    &["agent", "revoke", "build-017", "--yes"],
    &["agent", "unarchive", "build-017"],
    &["ai", "rename", "00000000-0000-7000-8000-000000000011", "x"],
    &["ai", "approve", "aider", "--yes"],
    &["ai", "quarantine", "aider", "--yes"],
    &["alerts", "ack", "00000051"],
    &["alerts", "webhook", "add", "https://pager.example.com/tyr"],
    &["alerts", "webhook", "remove", "00000061", "--yes"],
    &["alerts", "webhook", "test", "00000061"],
    &["auth", "rotate-key", "--yes"],
    &["policy", "apply", "-f", POLICY],
    &["policy", "assign", "--version", "2", "--all", "--yes"],
    &["policy", "rollback", "2", "--yes"],
    &["policy", "unassign", "--all", "--yes"],
    &["token", "create", "--label", "x"],
    &["token", "revoke", "7f3k", "--yes"],
    &["user", "create", "carol", "--role", "viewer", "--password-stdin"],
    &["user", "delete", "bob", "--yes"],
    &["user", "reset-password", "bob", "--password-stdin", "--yes"],
    &["user", "set-role", "bob", "admin", "--yes"],
];

/// Those whose exit codes mean something of their own, with a test of their own: `check`, `doctor`, what makes or ends a session, and
/// what asks no server.
const OTHERS: &[&str] = &[
    "policy check",
    "policy diff",
    "policy test",
    "check",
    "completions",
    "config check",
    "config path",
    "config schema",
    "config show",
    "context add",
    "context list",
    "context remove",
    "context show",
    "context use",
    "doctor",
    "health",
    "keys",
    "login",
    "logout",
    "man",
    "passwd",
    "setup",
    "sql list",
    "sql show",
    "version",
];

const POLICY: &str = "../examples/policies/default-policy.yaml";

#[test]
fn no_command_is_missing_from_the_tables() {
    fn walk(command: &clap::Command, path: &[&str], found: &mut Vec<String>) {
        if !path.is_empty() && !command.is_subcommand_required_set() {
            found.push(path.join(" "));
        }
        for sub in command.get_subcommands() {
            walk(sub, &[path, &[sub.get_name()]].concat(), found);
        }
    }
    let (root, mut commands) = (tyrctl::args::Cli::command(), Vec::new());
    walk(&root, &[], &mut commands);
    let is_row =
        |command: &str, row: &[&str]| row.join(" ") == command || row.join(" ").starts_with(&format!("{command} "));
    let mut missing = commands.clone();
    // `db` is a command beside `db tables`, so a row is for the longest that it begins with.
    missing.retain(|command| {
        let rows = READERS.iter().chain(CHANGERS);
        let mut ours = rows.filter(|row| is_row(command, row));
        let longer = |row: &[&str]| commands.iter().any(|other| other.len() > command.len() && is_row(other, row));
        !ours.any(|row| !longer(row)) && !OTHERS.contains(&command.as_str())
    });
    assert_eq!(missing, Vec::<String>::new(), "commands without a row in a table of exit codes");
    for other in OTHERS {
        assert!(commands.iter().any(|command| command == other), "there is no `{other}` any more");
    }
}

/// A server that answers everything with this status.
fn refusing(status: u16) -> Double {
    Double::serve(move |_| {
        axum::Router::new().fallback(move || async move {
            let status = axum::http::StatusCode::from_u16(status).expect("a status");
            (status, axum::Json(error("code", "the server's own words", None)))
        })
    })
}

#[test]
fn every_command_tells_failures_apart_by_code() {
    let closed_port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        format!("http://{}", listener.local_addr().expect("bound"))
    };
    let ends = |double: &Double, arguments: &[&str], code: u8, why: &str| {
        let said = double.run_with_input(arguments, "a good password\n");
        assert!(said.starts_with(&format!("exit {code}\n")), "tyrctl {arguments:?}, {why}: {said}");
        assert!(code == 3 || said.contains("error: "), "tyrctl {arguments:?}, {why}: {said}");
    };
    let all = || READERS.iter().chain(CHANGERS).copied();
    for (status, code) in
        [(400, 1), (401, 4), (403, 4), (404, 1), (409, 1), (429, 1), (500, 1), (502, 5), (503, 5), (504, 5)]
    {
        let double = refusing(status);
        // What a status means is decided in one place; for the changers a few of them show that they go through it.
        let changers = CHANGERS.iter().copied().filter(|_| matches!(status, 401 | 409 | 503));
        for command in READERS.iter().copied().chain(changers) {
            ends(&double, command, code, &status.to_string());
        }
    }
    let double = Double::start(Answers::everything());
    for command in all().chain([&["health"][..], &["version"]]) {
        let with = |more: &[&'static str]| command.iter().copied().chain(more.iter().copied()).collect::<Vec<&str>>();
        let mut unreachable = with(&[]);
        unreachable.extend(["--server", &closed_port]);
        ends(&double, &unreachable, 5, "nobody there");
        if CHANGERS.contains(&command) {
            continue;
        }
        ends(&double, &with(&["--no-such-flag"]), 2, "wrong flag");
        ends(&double, &with(&["--output", "yml"]), 2, "wrong format");
        ends(&double, &with(&["--jq", "("]), 2, "wrong expression");
        if command[0] != "version" {
            ends(&double, &with(&["--server", "ftp://x"]), 2, "no server's address");
        }
    }
    for command in all().filter(|command| !matches!(command[0], "auth" | "api")) {
        let mut without_token = command.to_vec();
        without_token.extend(["--token-file", "/nonexistent"]);
        ends(&double, &without_token, 4, "no token");
    }
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let many: Vec<_> = (0..5_000).map(|n| json!({"version": n, "name": "x".repeat(100), "rules": 1, "created_at": "2026-11-22T19:00:00Z", "created_by": "a"})).collect();
    let double = Double::start(Answers::fleet().list("/api/v1/policies", &many));
    for format in ["table", "json", "jsonl", "yaml", "csv", "name"] {
        let mut child = double.command(&["policy", "list", "-o", format]).spawn().expect("it starts");
        drop(child.stdout.take());
        let mut err = String::new();
        child.stderr.take().expect("a pipe").read_to_string(&mut err).expect("UTF-8");
        assert_eq!((child.wait().expect("it ends").code(), err.as_str()), (Some(0), ""), "{format}");
    }
}

#[test]
fn something_that_is_no_tyr_server_is_named_as_such() {
    let double = Double::serve(|_| {
        axum::Router::new().fallback(|| async { ([("content-type", "text/html")], "<html>please log in</html>") })
    });
    let said = double.run(&["agents"]);
    assert!(
        said.starts_with("exit 1\n")
            && said.contains("<html>please log in")
            && said.contains("is `[server]` a tyr-server"),
        "{said}"
    );
}
