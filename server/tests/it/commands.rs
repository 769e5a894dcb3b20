//! `tyr-server db …` as an operator runs it: the real program, beside a database that holds something.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use sqlx::{ConnectOptions, Connection, PgConnection};
use tyr_server::db::{Owner, migrate, partitions};
use tyr_server::embedded::{Cluster, Settings};

use crate::program::{Program, command};
use crate::stack::{Stack, event, event_at};

const DAY: Duration = Duration::from_hours(24);

/// What a command ended with and said.
#[derive(Debug)]
struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

/// Runs `tyr-server db` with those arguments, on the database of that URL or on the private one of the folder.
fn db(data_dir: &Path, url: Option<&str>, arguments: &[&str]) -> Said {
    let mut command = command(data_dir);
    command.arg("db").args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    if let Some(url) = url {
        command.env("DATABASE_URL", url);
    }
    let output = command.output().expect("it runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Said { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
}

/// A database with an event of twenty days ago, one of three days ago and one of now; the days' partitions, oldest first.
async fn three_days() -> (Stack, String, [String; 3]) {
    let stack = Stack::start().await;
    let agent_id = stack.agent("one").await;
    let mut session = stack.session(agent_id).await;
    let now = Timestamp::now();
    let times = [now - DAY * 20, now - DAY * 3, now];
    stack.store(&mut session, vec![event_at(times[0]), event_at(times[1]), event()]).await;
    let url = stack.db.options().to_url_lossy().to_string();
    (stack, url, times.map(|at| partitions::name(partitions::day(at))))
}

#[tokio::test]
async fn old_days_are_shown_and_go_when_somebody_says_yes() {
    let (stack, url, [old, closed, today]) = three_days().await;
    let dir = tempfile::tempdir().expect("a folder");
    let run = |arguments: &[&str]| db(dir.path(), Some(&url), arguments);

    let status = run(&["status", "--retention-days", "7", "--json"]);
    assert_eq!(status.code, Some(0), "{status:?}");
    let report: Value = serde_json::from_str(&status.out).expect("JSON");
    assert_eq!(report["retention_days"], 7);
    let listed: Vec<&str> =
        report["partitions"].as_array().expect("days").iter().filter_map(|day| day["partition"].as_str()).collect();
    assert!([&old, &closed, &today].iter().all(|day| listed.contains(&day.as_str())), "{listed:?}");
    let text = run(&["status"]);
    assert!(text.code == Some(0) && text.out.contains("PostgreSQL") && text.out.contains(&today), "{text:?}");

    let unsaid = run(&["retention", "--days", "7"]);
    assert_eq!(unsaid.code, Some(2), "{unsaid:?}");
    assert!(unsaid.out.contains(&old) && !unsaid.out.contains(&closed), "{unsaid:?}");
    assert!(unsaid.err.starts_with("error: nothing was dropped: ") && unsaid.err.contains("--yes"), "{unsaid:?}");
    let dry = run(&["retention", "--days", "7", "--dry-run"]);
    assert!(dry.code == Some(0) && dry.out == unsaid.out && dry.err.is_empty(), "{dry:?}");
    assert_eq!(stack.count("SELECT count(*) FROM events").await, 3);
    assert_eq!(stack.count("SELECT count(*) FROM audit_log").await, 0);

    let done = run(&["retention", "--days", "7", "--yes"]);
    assert!(done.code == Some(0) && done.out.contains("dropped "), "{done:?}");
    assert_eq!(stack.count("SELECT count(*) FROM events").await, 2);
    let (actor, details): (String, sqlx::types::Json<Value>) =
        sqlx::query_as("SELECT actor, details FROM audit_log WHERE action = 'db.retention'")
            .fetch_one(&stack.app.pool)
            .await
            .expect("one entry");
    assert_eq!((actor.as_str(), details["days"].as_str()), ("<command line>", Some("7")));
    assert!(details["partitions"].as_str().is_some_and(|names| names.contains(&old)), "{details:?}");
    let again = run(&["retention", "--days", "7"]);
    assert_eq!((again.code, again.out.as_str()), (Some(0), "no day is older than 7 days\n"));

    let rebuilt = run(&["reindex", "--all"]);
    assert!(rebuilt.code == Some(0) && rebuilt.out.contains("rebuilt "), "{rebuilt:?}");
    assert!(rebuilt.out.contains(&closed) && !rebuilt.out.contains(&today), "today's is written to: {rebuilt:?}");
    stack.stop().await;
}

#[tokio::test]
async fn a_server_drops_what_its_setting_says() {
    let (stack, _, [old, closed, _]) = three_days().await;
    let server = Program::start(&stack.db, "unused", &[("TYR_RETENTION_DAYS", "7")]).await;
    let there = "SELECT count(*) FROM pg_class WHERE relname = $1";
    for (day, wanted) in [(old, 0_i64), (closed, 1)] {
        let count: i64 =
            sqlx::query_scalar(there).bind(&day).fetch_one(&stack.app.pool).await.expect("the catalogue answers");
        assert_eq!(count, wanted, "{day}");
    }
    assert_eq!(stack.count("SELECT count(*) FROM events").await, 2);
    server.stop().await;
    stack.stop().await;
}

#[tokio::test]
async fn the_state_of_the_private_database_is_told_while_no_server_runs() {
    let dir = tempfile::tempdir().expect("a folder");
    let settings =
        Settings { data_dir: dir.path().to_owned(), bin_dir: None, user: None, postgres_settings: Vec::new() };
    let cluster = Cluster::start(&settings).await.expect("made");
    migrate::run(&Owner::new(cluster.connect_options())).await.expect("migrated");
    cluster.stop().await;
    let status = db(dir.path(), None, &["status", "--json"]);
    assert_eq!(status.code, Some(0), "{status:?}");
    let report: Value = serde_json::from_str(&status.out).expect("JSON");
    assert!(report["migrations"].as_array().is_some_and(|all| !all.is_empty()), "{report:#}");
    assert!(!dir.path().join("pg/data/postmaster.pid").exists(), "it is stopped again");
    let error = PgConnection::connect(&tyr_server::embedded::url(dir.path())).await;
    assert!(error.is_err(), "nothing is left running");
}
