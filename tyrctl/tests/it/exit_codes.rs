//! The exit code is what scripts see.

use std::io::Read;

use serde_json::json;

use crate::double::{Answers, Double, error};

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

/// One command of each family that asks the server.
const FAMILIES: &[&[&str]] = &[
    &["agents"],
    &["agent", "show", "build-017"],
    &["ai"],
    &["alerts"],
    &["alerts", "webhook", "list"],
    &["api", "GET", "agents"],
    &["audit"],
    &["auth", "status"],
    &["db"],
    &["db", "tables"],
    &["drift"],
    &["events", "agents"],
    &["events", "list"],
    &["events", "rate"],
    &["events", "tail", "--count", "1"],
    &["metrics"],
    &["policy", "list"],
    &["policy", "show", "1"],
    &["token", "list"],
    &["top", "--once"],
    &["user", "list"],
];

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
fn every_family_tells_failures_apart_by_code() {
    let closed_port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        format!("http://{}", listener.local_addr().expect("bound"))
    };
    let ends = |double: &Double, arguments: &[&str], code: u8, why: &str| {
        let said = double.run(arguments);
        assert!(said.starts_with(&format!("exit {code}\n")), "tyrctl {arguments:?}, {why}: {said}");
        assert!(code == 3 || said.contains("error: "), "tyrctl {arguments:?}, {why}: {said}");
    };
    for (status, code) in
        [(400, 1), (401, 4), (403, 4), (404, 1), (409, 1), (429, 1), (500, 1), (502, 5), (503, 5), (504, 5)]
    {
        let double = refusing(status);
        for family in FAMILIES {
            // A stream that can't begin for now is tried again by itself only once it lived.
            let code = if family[..2.min(family.len())] == ["events", "tail"] && status == 429 { 1 } else { code };
            ends(&double, family, code, &status.to_string());
        }
    }
    let double = Double::start(Answers::everything());
    for family in FAMILIES.iter().copied().chain([&["health"][..], &["version"]]) {
        let with = |more: &[&'static str]| family.iter().copied().chain(more.iter().copied()).collect::<Vec<&str>>();
        let mut unreachable = with(&[]);
        unreachable.extend(["--server", &closed_port]);
        ends(&double, &unreachable, 5, "nobody there");
        ends(&double, &with(&["--no-such-flag"]), 2, "wrong flag");
        ends(&double, &with(&["--output", "yml"]), 2, "wrong format");
        ends(&double, &with(&["--jq", "("]), 2, "wrong expression");
        if family[0] != "version" {
            ends(&double, &with(&["--server", "ftp://x"]), 2, "no server's address");
        }
    }
    for family in FAMILIES.iter().filter(|family| !matches!(family[0], "auth" | "api")) {
        let mut without_token = family.to_vec();
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
