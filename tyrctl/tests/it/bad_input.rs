//! Servers, homes and terminals that are not as they should be: a clear error, or it works all the same.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

use axum::Router;
use axum::http::HeaderMap;
use insta::assert_snapshot;
use serde_json::json;

use crate::double::{Answers, Double, answer};

/// A server that sends these bytes to whoever asks, and hangs up.
fn raw(bytes: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.expect("a connection");
            // The question is of no interest, but unread it would turn the hanging up into a reset.
            let _ = connection.read(&mut [0; 4096]);
            let _ = connection.write_all(bytes);
        }
    });
    url
}

fn against(url: &str, arguments: &[&str]) -> String {
    let double = Double::start(Answers::default());
    double.run(&[arguments, &["--server", url]].concat()).replace(url, "[server]")
}

#[test]
fn cut_and_nonsensical_answers_are_told_apart() {
    let cut = raw(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{\"items\": [");
    assert_snapshot!(against(&cut, &["agents"]), @"
    exit 5
    --- stderr
    error: the answer to `/api/v1/agents` was cut off
    cause: end of file before message length reached
    hint: try again; does a proxy in between end long answers?
    ");
    let html =
        raw(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close\r\n\r\n<html>please log in</html>");
    assert_snapshot!(against(&html, &["agents"]), @"
    exit 1
    --- stderr
    error: the answer to `/api/v1/agents` could not be read
    cause: expected value at line 1 column 1; it begins with: <html>please log in</html>
    hint: is `[server]` a tyr-server? try `tyrctl doctor`
    ");
    let other = raw(b"SSH-2.0-OpenSSH_9.2p1 Debian\r\n");
    let said = against(&other, &["agents"]);
    assert!(said.starts_with("exit 5\n--- stderr\nerror: "), "{said}");
    let nothing = raw(b"");
    let said = against(&nothing, &["agents"]);
    assert!(said.starts_with("exit 5\n--- stderr\nerror: "), "{said}");
}

#[test]
fn a_server_of_another_version_is_named() {
    let double = Double::start(
        Answers::default()
            .with("GET /health", 200, &json!({"status": "ok", "db": "ok", "version": "9.9.9"}))
            .list("/api/v1/agents", &json!([{"agent_id": "of another form"}])),
    );
    assert_snapshot!(double.run(&["agents"]), @r#"
    exit 1
    --- stderr
    error: the answer to `/api/v1/agents` could not be read
    cause: UUID parsing failed: invalid character: found `o` at 0 at line 1 column 39; it begins with: {"items":[{"agent_id":"of another form"}]}
    hint: the server has version 9.9.9, this tyrctl 0.1.0: use the server's
    "#);
}

#[test]
fn clocks_that_differ_are_noted() {
    let serve = |date: &'static str| {
        Double::serve(move |_| {
            Router::new().fallback(move |request: axum::extract::Request| async move {
                let mut headers = HeaderMap::new();
                headers.insert("date", date.parse().expect("a header"));
                (headers, answer(&Answers::fleet(), &format!("{} {}", request.method(), request.uri().path())))
            })
        })
    };
    let past = serve("Sun, 22 Nov 2015 19:30:00 GMT");
    let said = past.run(&["agents", "-o", "name"]);
    assert!(said.contains("note: this machine's clock is ") && said.contains(" ahead of the server's;"), "{said}");
    assert!(!past.run(&["agents", "-q"]).contains("clock"));
    let nonsense = serve("yesterday");
    assert!(!nonsense.run(&["agents"]).contains("clock"));
}

#[test]
fn homes_that_are_missing_or_closed_keep_nobody_from_reading() {
    let session = json!({"token": "a.b.c", "expires_at": "2026-11-23T19:00:00Z", "username": "alice", "role": "admin"});
    let double = Double::start(Answers::fleet().with("POST /api/v1/auth/login", 200, &session));
    let home = tempfile::tempdir().expect("a temporary folder");
    let file = home.path().join("file");
    std::fs::write(&file, "").expect("written");
    for config in ["/nonexistent/home", "/proc/nothing", file.to_str().expect("UTF-8")] {
        let run = |arguments: &[&str], input: &str| {
            let mut command = double.command(arguments);
            command.env("XDG_CONFIG_HOME", config).env("HOME", config).stdin(std::process::Stdio::piped());
            let mut child = command.spawn().expect("it starts");
            let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
            child.wait_with_output().expect("it ends")
        };
        let mut read = double.command(&["agents", "-o", "name"]);
        let output = read.env("XDG_CONFIG_HOME", config).env("HOME", config).env("TYR_TOKEN", "t").output();
        let output = output.expect("it runs");
        assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]), "{config}");
        if config.starts_with("/nonexistent") && rustix::process::geteuid().is_root() {
            // Root could make it, and would.
            continue;
        }
        let output = run(&["login", "--username", "alice", "--password-stdin"], "secret\n");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{config}: {said}");
        assert!(said.contains("could not be written") && said.contains("hint: the login itself went well"), "{said}");
    }
}

#[test]
fn files_that_others_may_read_or_write_are_refused_with_the_remedy() {
    let double = Double::start(Answers::fleet());
    let token = double.config().join("token");
    std::fs::set_permissions(&token, std::fs::Permissions::from_mode(0o644)).expect("changed");
    assert_snapshot!(double.run(&["agents"]), @"
    exit 1
    --- stderr
    error: `[config]/tyr/token` is open to other users
    cause: its mode is 0644
    hint: chmod 600 '[config]/tyr/token'
    ");
}

#[test]
fn a_cut_stream_is_an_error_before_it_lived_and_a_note_after() {
    let cut = raw(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n<html>");
    let said = against(&cut, &["events", "tail"]);
    assert!(said.starts_with("exit 1\n") && said.contains("answers something else than an event stream"), "{said}");
    let nothing = raw(b"");
    assert!(against(&nothing, &["events", "tail"]).starts_with("exit 5\n"));
}
