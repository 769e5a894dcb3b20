//! Backup and restore, both ways: private database to PostgreSQL and back. Rows and digests of every table are those of the
//! database that was saved, and an agent that was enrolled before streams to the restored server.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use tyr_e2e::postgres::Postgres;
use tyr_e2e::stack::{Agent, Stack, text};
use tyr_e2e::wait_for;

const LIMIT: Duration = Duration::from_secs(30);
/// Counts and the digest of all rows, whatever their order on disk and the cluster's language.
const DIGEST: &str =
    "SELECT count(*) || ' ' || coalesce(md5(string_agg(t::text, E'\\n' ORDER BY t::text COLLATE \"C\")), '-') FROM";
const TABLES: &str =
    "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY 1";
/// Where numbers go on.
const SEQUENCES: &str =
    "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'public' ORDER BY sequencename";
/// A row for each table that a short life of a server leaves empty. A table without a row could be forgotten unseen.
const ROWS: &str = r#"
    INSERT INTO approved_agent_types (agent_type, approved_by) VALUES ('codex', 'admin');
    INSERT INTO ended_sessions (session_id, user_id, expires_at) SELECT gen_random_uuid(), user_id, now() FROM users;
    INSERT INTO event_losses (agent_id, spool_epoch, kind, verdict, reason, events)
        SELECT agent_id, '\x00ff', 'exec', 'allow', 'spool full', 7 FROM agents;
    INSERT INTO rejected_events (agent_id, reason, record) SELECT agent_id, E'tab\t, line\n, \\, ü', '\x00ff5c' FROM agents;
    INSERT INTO events_quarantine (agent_id, ts, event_id, reason, record)
        SELECT agent_id, now() + interval '3 days', gen_random_uuid(), 'ahead', '\x0a' FROM agents;
    INSERT INTO events_expired (agent_id, events, oldest_ts, newest_ts) SELECT agent_id, 3, now(), now() FROM agents;
    INSERT INTO events_floor (day) VALUES (current_date - 40);
    INSERT INTO alert_agents (agent_id, online_since) SELECT agent_id, now() FROM agents ON CONFLICT DO NOTHING;
    INSERT INTO alert_minutes (agent_id, minute, denials) SELECT agent_id, now(), 5 FROM agents;
    INSERT INTO alerts (alert_id, rule, agent_id, state, since, changed_at, evaluations, value, threshold, details)
        SELECT gen_random_uuid(), 'loss', agent_id, 'firing', now(), now(), 1, 1 / 3.0, 1e-300, '{"a": "b"}' FROM agents;
    INSERT INTO webhooks (webhook_id, url, format, secret, rules, enabled, created_by)
        VALUES (gen_random_uuid(), 'https://pager.example.com/', 'json', 'a secret of sixteen', '{stale,loss}', true, 'admin');
    INSERT INTO webhook_deliveries (delivery_id, webhook_id, body) SELECT gen_random_uuid(), webhook_id, '{}' FROM webhooks;
"#;

/// Row counts and digests of every table of the database `tyr` or another one, and where its sequences are.
fn digests(postgres: &Postgres, database: &str) -> BTreeMap<String, String> {
    let psql = |sql: &str| postgres.psql(database, sql).expect("psql").trim().to_owned();
    let tables = psql(TABLES);
    tables
        .lines()
        .map(|table| (table.to_owned(), psql(&format!("{DIGEST} \"{table}\" AS t"))))
        .chain([("(sequences)".to_owned(), psql(SEQUENCES))])
        .collect()
}

/// The private cluster of a data directory whose server is at rest.
fn private(data_dir: &Path) -> Postgres {
    Postgres::open(&data_dir.join("pg/data")).expect("the private cluster starts")
}

fn event(stack: &Stack, agent: &Agent, name: &str) {
    let file = agent.folder().join(name);
    fs::write(&file, name).expect("a file");
    let status = agent.governed("claude-code", "/bin/cat").arg(&file).stdout(Stdio::null()).status();
    assert!(status.expect("cat starts").success());
    let sql = format!("SELECT count(*) FROM events WHERE resource = '{}'", file.display());
    wait_for("the event", LIMIT, || (stack.psql(&sql).ok()?.trim() == "1").then_some(()));
}

fn restore(stack: &Stack, archive: &Path, data_dir: &Path, database_url: Option<&str>, options: &[&str]) -> Output {
    let mut command = stack.server_command(["restore"]);
    command.arg(archive).args(options).env("TYR_DATA_DIR", data_dir).env_remove("DATABASE_URL");
    if let Some(url) = database_url {
        command.env("DATABASE_URL", url);
    }
    command.output().expect("tyr-server runs")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_backup_restores_everything_in_both_directions() {
    let mut stack = Stack::start(&[]).expect("the server starts");
    stack.apply_policy(include_str!("../../../examples/policies/default-policy.yaml")).expect("the policy is accepted");
    let agent = stack.start_agent("kept", "allow_events: all\n").expect("the agent starts");
    event(&stack, &agent, "before");

    // While the server runs.
    let archive = stack.folder().join("tyr.tar");
    let output = stack.server_command(["backup"]).arg(&archive).output().expect("tyr-server runs");
    let summary = text(&output).expect("saved");
    assert!(summary.starts_with("saved: ") && summary.contains("ca.key, ca.pem, jwt.key"), "{summary}");
    assert!(said(&output).contains("table 1 of "), "progress: {}", said(&output));
    assert_eq!(fs::metadata(&archive).expect("there").permissions().mode() & 0o777, 0o600);
    let output = stack.server_command(["backup"]).arg(&archive).output().expect("tyr-server runs");
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("hint: choose another name, or add --force"), "{}", said(&output));

    // With the agent and the server at rest, a second one, and what it has to hold.
    let (status, _) = stack.stop_server().expect("it ends");
    assert_eq!(status.code(), Some(0));
    let source = digests(&private(&stack.data_dir()), "tyr");
    assert!(source["events_minute"].starts_with(|c: char| c.is_ascii_digit() && c != '0'), "{source:#?}");
    text(&stack.server_command(["backup", "--force"]).arg(&archive).output().expect("runs")).expect("saved at rest");
    let postgres = Postgres::start().expect("PostgreSQL starts");

    // Private database → PostgreSQL.
    let second = stack.folder().join("second");
    let url = postgres.url("tyr");
    let output = restore(&stack, &archive, &second, Some(&url), &[]);
    assert!(text(&output).expect("restored").starts_with("restored: "), "{}", said(&output));
    assert_eq!(digests(&postgres, "tyr"), source);

    // What is there is not overwritten by accident, neither keys nor tables.
    let output = restore(&stack, &archive, &second, Some(&url), &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("ca.key and jwt.key in"), "{}", said(&output));
    let output = restore(&stack, &archive, &stack.folder().join("third"), Some(&url), &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("the database has"), "{}", said(&output));
    assert!(!stack.folder().join("third/ca.key").exists());

    // PostgreSQL → private database, from a backup of the restored one.
    let back = stack.folder().join("back.tar");
    let mut command = stack.server_command(["backup"]);
    command.arg(&back).env("TYR_DATA_DIR", &second).env("DATABASE_URL", &url);
    text(&command.output().expect("runs")).expect("saved");
    let third = stack.folder().join("third");
    text(&restore(&stack, &back, &third, None, &[])).expect("restored");
    for name in ["ca.key", "ca.pem", "jwt.key"] {
        let original = fs::read(stack.data_dir().join(name)).expect(name);
        for folder in [&second, &third] {
            let path: PathBuf = folder.join(name);
            assert_eq!(fs::read(&path).expect(name), original, "{name}");
            assert_eq!(fs::metadata(&path).expect(name).permissions().mode() & 0o077, 0, "{name}");
        }
    }

    // A server on the result: same CA, same sessions, same rows; the agent streams without enrolling again.
    let third = third.display().to_string();
    stack.start_server(&[("TYR_DATA_DIR", &third)]).expect("it starts on what was restored");
    assert_eq!(stack.data_dir().display().to_string(), third);
    let rows = stack.tyrctl_json(&["agents"]).expect("the session is still good");
    assert_eq!(rows[0]["name"], "kept");
    event(&stack, &agent, "after");
    assert_eq!(agent.log().matches("enrollment succeeded").count(), 1, "{}", agent.log());
    let output = restore(&stack, &archive, Path::new(&third), None, &["--force"]);
    assert_eq!(output.status.code(), Some(1), "a running server is not replaced");
    assert!(said(&output).contains("another tyr-server uses"), "{}", said(&output));

    // Every table is what it was: the archive at rest, into an empty cluster and over one with other rows.
    stack.stop_server().expect("it ends");
    text(&restore(&stack, &archive, Path::new(&third), None, &["--force"])).expect("restored over it");
    text(&restore(&stack, &archive, &second, Some(&url), &["--force"])).expect("restored over it");
    assert_eq!(digests(&private(Path::new(&third)), "tyr"), source, "the rows of the server that ran on it are gone");
    assert_eq!(digests(&postgres, "tyr"), source, "a second restore gives the same");
}

/// From PostgreSQL into a private database and on into another PostgreSQL, with a row in every table.
#[test]
fn nothing_is_lost_between_both_kinds_of_database() {
    let postgres = Postgres::start().expect("PostgreSQL starts");
    let url = postgres.url("tyr");
    let mut stack = Stack::start(&[("DATABASE_URL", &url)]).expect("the server starts");
    stack.apply_policy(include_str!("../../../examples/policies/default-policy.yaml")).expect("the policy is accepted");
    let mut agent = stack.start_agent("kept", "allow_events: all\n").expect("the agent starts");
    event(&stack, &agent, "before");
    agent.stop();
    stack.stop_server().expect("it ends");
    postgres.psql("tyr", ROWS).expect("rows");
    let (source, schema) = (digests(&postgres, "tyr"), postgres.schema("tyr").expect("a schema"));
    let empty: Vec<_> = source.iter().filter(|(_, digest)| digest.starts_with("0 ")).map(|(name, _)| name).collect();
    // Days that no event fell into.
    assert!(empty.iter().all(|name| name.starts_with("events_2")), "give these a row: {empty:?}");

    let archive = stack.folder().join("tyr.tar");
    text(&stack.server_command(["backup"]).arg(&archive).output().expect("runs")).expect("saved");
    let second = stack.folder().join("second");
    text(&restore(&stack, &archive, &second, None, &[])).expect("restored");
    let restored = private(&second);
    assert_eq!(digests(&restored, "tyr"), source);
    assert_eq!(restored.schema("tyr").expect("a schema"), schema);
    drop(restored);

    let back = stack.folder().join("back.tar");
    let mut command = stack.server_command(["backup"]);
    command.arg(&back).env("TYR_DATA_DIR", &second).env_remove("DATABASE_URL");
    text(&command.output().expect("runs")).expect("saved");
    postgres.psql("postgres", "CREATE DATABASE other").expect("a database");
    let third = stack.folder().join("third");
    text(&restore(&stack, &back, &third, Some(&postgres.url("other")), &[])).expect("restored");
    assert_eq!(digests(&postgres, "other"), source);
    assert_eq!(postgres.schema("other").expect("a schema"), schema);
}

#[test]
fn a_backup_of_a_newer_server_or_none_at_all_changes_nothing() {
    let stack = Stack::start(&[]).expect("the server starts");
    let archive = stack.folder().join("tyr.tar");
    text(&stack.server_command(["backup"]).arg(&archive).output().expect("runs")).expect("saved");
    let work = stack.folder().join("work");
    fs::create_dir(&work).expect("a folder");
    let tar = |arguments: &[&str]| {
        let status = Command::new("tar").current_dir(&work).args(arguments).status().expect("tar starts");
        assert!(status.success());
    };
    let archive_text = archive.display().to_string();
    tar(&["-xf", &archive_text]);
    let manifest = fs::read_to_string(work.join("manifest.json")).expect("the manifest");
    let target = stack.folder().join("target");
    let try_with = |manifest: &str, entries: &[&str]| {
        fs::write(work.join("manifest.json"), manifest).expect("written");
        let changed = stack.folder().join("changed.tar").display().to_string();
        tar(&[&["-cf", &changed], entries].concat());
        let output = restore(&stack, Path::new(&changed), &target, None, &[]);
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
        assert!(!target.join("ca.key").exists(), "{}", said(&output));
        said(&output)
    };
    let all = ["manifest.json", "ca.key", "ca.pem", "jwt.key", "database.dump"];
    let newer = manifest.replace("\"schema_floor\": 2", "\"schema_floor\": 9");
    let text = try_with(&newer, &all);
    assert!(text.contains("which this one can't read") && text.contains("hint: restore it with tyr-server"), "{text}");
    let text = try_with(&manifest.replace("\"format\": 1", "\"format\": 2"), &all);
    assert!(text.contains("can't read"), "{text}");
    let text = try_with(&manifest.replace("\"postgres_major\": 1", "\"postgres_major\": 9"), &all);
    assert!(text.contains("hint: restore it into PostgreSQL 9"), "{text}");
    let text = try_with(&manifest, &["ca.key", "manifest.json"]);
    assert!(text.contains("does not begin with manifest.json"), "{text}");
    let text = try_with(&manifest, &["manifest.json", "ca.key"]);
    assert!(text.contains("no entry database.dump"), "{text}");
    let dump = fs::read(work.join("database.dump")).expect("the dump");
    fs::write(work.join("database.dump"), &dump[..dump.len() / 2]).expect("written");
    let text = try_with(&manifest, &all);
    assert!(text.contains("pg_restore failed"), "{text}");
    fs::write(&archive, "no tar").expect("written");
    let output = restore(&stack, &archive, &target, None, &[]);
    assert!(said(&output).contains("is not a whole backup"), "{}", said(&output));
}
