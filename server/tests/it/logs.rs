//! The log of the real program: its documented targets, its one line per request, and what it never says.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;

use base64::Engine;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use sqlx::{ConnectOptions, Connection};
use tyr_proto::v1;
use tyr_proto::v1::agent_message::Payload as FromAgent;
use uuid::Uuid;

use crate::program::{Program, command, wait_until};
use crate::stack::{batch, event};
use crate::testdb::TestDb;

const ENROLLMENT: &str = "tyr_et_boot_c4n4ryEnrollmentSecret";

#[tokio::test]
async fn no_secret_is_logged_even_at_trace() {
    let db = TestDb::new().await;
    let canary = |what: &str| format!("c4n4ry-{what}-{}", Uuid::now_v7().simple());
    let (database, password, wrong, typed) = (canary("db"), canary("pw"), canary("wrong"), canary("typed"));
    let environment = [("RUST_LOG", "trace"), ("TYR_BOOTSTRAP_ENROLLMENT_TOKEN", ENROLLMENT)];
    let server = Program::start(&db, &database, &environment).await;
    let session = server.set_up(&password).await;
    let post = |path: &str| server.client.post(server.url(path));
    let get = |path: &str| server.client.get(server.url(path));

    let login = |password: Value| post("/api/v1/auth/login").json(&json!({"username": "admin", "password": password}));
    let (status, body) = server.send(login(json!(password))).await;
    assert_eq!(status, 200, "{body}");
    let second = body["token"].as_str().expect("a token").to_owned();
    assert_eq!(server.send(login(json!(wrong))).await.0, 401);
    // What serde says of these must not show what they hold.
    for strange in [json!([typed]), json!({"is": typed})] {
        assert_eq!(server.send(login(strange)).await.0, 400);
    }
    let swapped = json!({"username": {"oops": typed}, typed.clone(): "x", "password": 1});
    assert_eq!(server.send(post("/api/v1/auth/login").json(&swapped)).await.0, 400);
    let broken = format!("{{\"username\": \"admin\", \"password\": \"{typed}");
    let broken = post("/api/v1/auth/login").header("content-type", "application/json").body(broken);
    assert_eq!(server.send(broken).await.0, 400);

    let new = json!({"label": "x", "max_uses": 1, "expires_hours": 1});
    let (status, body) = server.send(post("/api/v1/enrollment-tokens").bearer_auth(&session).json(&new)).await;
    assert_eq!(status, 201, "{body}");
    let enrollment = body["token"].as_str().expect("a token").to_owned();

    // Tokens where they do not belong.
    assert_eq!(server.send(get(&format!("/api/v1/agents?access_token={second}")).bearer_auth(&session)).await.0, 400);
    assert_eq!(server.send(get(&format!("/{second}"))).await.0, 404);
    assert_eq!(server.send(get("/api/v1/agents").header("authorization", &typed)).await.0, 401);
    assert_eq!(server.send(get("/api/v1/agents").bearer_auth(format!("{session}x"))).await.0, 401);
    let metrics = fs::read_to_string(server.dir.path().join("metrics.token")).expect("a token");
    assert_eq!(server.send(get("/metrics").bearer_auth(metrics.trim())).await.0, 200);
    let stream = get("/api/v1/events/stream").bearer_auth(&session).send().await.expect("an answer");
    assert_eq!(stream.status().as_u16(), 200);

    let mut host = server.host("host-1", ENROLLMENT).await.expect("enrolled");
    host.take_policy().await;
    let mut secretive = event();
    secretive.cmdline = format!("curl -H 'X-Api-Key: {typed}'");
    host.store(batch(vec![secretive])).await;
    let refused = server.host("host-2", &format!("tyr_et_boot_{wrong}")).await;
    assert!(refused.is_err(), "a wrong enrollment token");
    let mut second_host = server.host("host-3", &enrollment).await.expect("enrolled");
    second_host.take_policy().await;

    let keys: Vec<String> = ["ca.key", "jwt.key"]
        .iter()
        .filter_map(|file| fs::read(server.dir.path().join(file)).ok())
        .flat_map(|key| {
            let text = String::from_utf8_lossy(&key).into_owned();
            let lines: Vec<String> = text.lines().filter(|line| line.len() > 20).map(str::to_owned).collect();
            [lines, vec![hex::encode(&key), base64::engine::general_purpose::STANDARD.encode(&key)]].concat()
        })
        .collect();
    assert!(!keys.is_empty(), "the keys were looked at");
    let host_key = host.key_pem.lines().nth(1).expect("a line of the key").to_owned();
    drop((stream, host, second_host));
    let lines = server.lines();
    assert!(lines.iter().any(|line| line["level"] == "TRACE"), "the log is at trace");
    assert!(lines.iter().any(|line| line["message"] == "a login failed"), "it was looked at where it matters");
    let log = server.stop().await;
    let secrets = [database, password, wrong, typed, session, second, enrollment, metrics.trim().to_owned(), host_key];
    let secrets = secrets.into_iter().chain([ENROLLMENT.to_owned(), "c4n4ryEnrollmentSecret".to_owned()]).chain(keys);
    for secret in secrets {
        let line = log.lines().find(|line| line.contains(&secret));
        assert_eq!(line, None, "{secret} is in the log");
    }
    db.drop().await;
}

#[tokio::test]
async fn the_documented_filter_shows_its_three_targets() {
    let db = TestDb::new().await;
    let server = Program::start(&db, "x", &[("RUST_LOG", "tyr_server=info,sqlx=warn,tower_http=info")]).await;
    let token = server.set_up("correct horse battery").await;

    // A query that waits for a lock is slow.
    let mut locker = sqlx::PgConnection::connect_with(&db.pool.connect_options()).await.expect("connected");
    sqlx::raw_sql("BEGIN; LOCK TABLE agents IN ACCESS EXCLUSIVE MODE").execute(&mut locker).await.expect("locked");
    let agents = server.client.get(server.url("/api/v1/agents")).bearer_auth(&token).send();
    let agents = tokio::spawn(agents);
    let mut conn = db.pool.acquire().await.expect("a connection");
    let mut pace = tokio::time::interval(std::time::Duration::from_millis(50));
    let waited = async {
        loop {
            pace.tick().await;
            let slow: bool = sqlx::query_scalar(
                "SELECT coalesce(max(clock_timestamp() - query_start) > interval '1.1 s', false) FROM pg_stat_activity
                  WHERE wait_event_type = 'Lock' AND query LIKE '%FROM agents a%' AND datname = current_database()",
            )
            .fetch_one(&mut *conn)
            .await
            .expect("asked");
            if slow {
                return;
            }
        }
    };
    tokio::time::timeout(crate::stack::LIMIT, waited).await.expect("the query waits");
    sqlx::raw_sql("ROLLBACK").execute(&mut locker).await.expect("unlocked");
    let answer = agents.await.expect("no panic").expect("an answer");
    assert_eq!(answer.status().as_u16(), 200);
    let id = answer.headers()["x-request-id"].to_str().expect("text").to_owned();
    drop(conn);
    locker.close().await.expect("closed");

    let request = wait_until("the line of the request", || {
        server
            .lines()
            .into_iter()
            .find(|line| line["request.id"] == id.as_str() && line["target"] == "tower_http::response")
    })
    .await;
    for (field, value) in [
        ("level", json!("INFO")),
        ("message", json!("request answered")),
        ("request.method", json!("GET")),
        ("request.route", json!("/api/v1/agents")),
        ("status", json!(200)),
        ("user.name", json!("admin")),
        ("peer.address", json!("127.0.0.1")),
    ] {
        assert_eq!(request[field], value, "{field} of {request}");
    }
    assert!(request["latency_ms"].as_f64().expect("a number") > 1000.0, "{request}");
    let lines = server.lines();
    assert_eq!(lines.iter().filter(|line| line["request.id"] == id.as_str()).count(), 1, "one line per request");
    let slow = lines.iter().find(|line| line["target"] == "sqlx::query").expect("the slow statement");
    assert_eq!(slow["level"], "WARN");
    assert!(slow["db.statement"].as_str().expect("text").contains("FROM agents a"), "{slow}");
    assert!(lines.iter().any(|line| line["target"].as_str().is_some_and(|target| target.starts_with("tyr_server"))));
    server.stop().await;
    db.drop().await;
}

#[tokio::test]
async fn hostile_text_makes_no_lines() {
    let db = TestDb::new().await;
    let server = Program::start(&db, "x", &[("TYR_BOOTSTRAP_ENROLLMENT_TOKEN", ENROLLMENT)]).await;
    let mut host = server.host("host-1", ENROLLMENT).await.expect("enrolled");
    host.take_policy().await;
    let hostile = "x\n{\"level\":\"ERROR\"}\r\u{1b}[2J\u{85}\u{2028}\u{202e}";
    let failed = v1::PolicyStatus { in_force: false, error: hostile.to_owned(), ..v1::PolicyStatus::default() };
    host.send(FromAgent::PolicyStatus(failed)).await;
    // `lines` panics at one that is no JSON.
    let said = wait_until("what the host said", || {
        server.lines().into_iter().find(|line| line["message"] == "the agent could not load its policy")
    });
    assert_eq!(said.await["error"], hostile, "the value is what it was");
    drop(host);
    let log = server.stop().await;
    assert!(!log.contains(['\u{1b}', '\u{85}', '\u{2028}', '\r']), "{log}");
    db.drop().await;
}

#[test]
fn a_wrong_filter_is_told() {
    let dir = tempfile::tempdir().expect("a folder");
    for (filter, format) in [("tyr_server=loud", "text"), ("tyr_server=loud", "json"), ("[", "text")] {
        let output = command(dir.path())
            .env("RUST_LOG", filter)
            .env("TYR_LOG_FORMAT", format)
            .env("DATABASE_URL", "postgres://nobody@127.0.0.1:1/none")
            .output()
            .expect("started");
        let said = String::from_utf8(output.stderr).expect("text");
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(&format!("RUST_LOG=`{filter}` is no filter")), "{said}");
        if format == "json" {
            let line: Value = serde_json::from_str(&said).expect("one JSON object");
            assert_eq!(line["hint"], "it looks like tyr_server=info,sqlx=warn,tower_http=info");
        } else {
            assert!(said.ends_with("hint: it looks like tyr_server=info,sqlx=warn,tower_http=info\n"), "{said}");
        }
    }
}

#[test]
fn the_last_word_is_json_too() {
    let dir = tempfile::tempdir().expect("a folder");
    let output = command(dir.path())
        .env("TYR_LOG_FORMAT", "json")
        .env("DATABASE_URL", "postgres://nobody:c4n4ry@127.0.0.1:1/none")
        .output()
        .expect("started");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).expect("text");
    assert!(!said.contains("c4n4ry"), "{said}");
    let last = said.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON")).next_back().expect("a line");
    assert_eq!((last["level"].as_str(), last["message"].as_str()), (Some("ERROR"), Some("the database can't be used")));
}

#[tokio::test]
async fn journald_gets_priorities_and_no_second_time() {
    let db = TestDb::new().await;
    let dir = tempfile::tempdir().expect("a folder");
    for (name, is_journal) in [("journal", true), ("file", false)] {
        let path = dir.path().join(name);
        let log = File::create(&path).expect("a log");
        let stream = if is_journal { log.metadata() } else { fs::metadata("/dev/null") }.expect("there");
        let mut child = command(dir.path())
            .env("JOURNAL_STREAM", format!("{}:{}", stream.dev(), stream.ino()))
            .env("DATABASE_URL", db.pool.connect_options().to_url_lossy().as_str())
            .stderr(log)
            .spawn()
            .expect("started");
        let read = || fs::read_to_string(&path).expect("a log");
        wait_until("a server that serves", || read().contains("serving").then_some(())).await;
        kill_process(Pid::from_child(&child), Signal::TERM).expect("asked to stop");
        let status = wait_until("its end", || child.try_wait().expect("asked")).await;
        let said = read();
        assert!(status.success(), "{said}");
        for line in said.lines() {
            if is_journal {
                assert!(line.starts_with("<6>") || line.starts_with("<4>"), "{line}");
                assert!(line[3..].trim_start().starts_with(['I', 'W']), "the level comes first, no time: {line}");
            } else {
                assert!(line.starts_with("20") && line.contains('T'), "with its time: {line}");
            }
            assert!(!line.contains('\u{1b}'), "no colours: {line}");
        }
    }
    db.drop().await;
}
