//! Backup and restore, both ways: private database to PostgreSQL and back. Rows and digests of every table are the same, and an
//! agent that was enrolled before streams to the restored server.

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
/// Counts and the digest of all rows, whatever their order on disk.
const DIGEST: &str = "SELECT count(*) || ' ' || coalesce(md5(string_agg(t::text, E'\\n' ORDER BY t::text)), '-') FROM";
/// Tables that a running server writes by itself. Compared too, while it is stopped.
const TABLES: &str =
    "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY 1";

/// Row counts and digests of every table, asked with `psql`.
fn digests(psql: impl Fn(&str) -> String) -> BTreeMap<String, String> {
    let tables = psql(TABLES);
    tables
        .lines()
        .map(|table| (table.to_owned(), psql(&format!("{DIGEST} \"{table}\" AS t")).trim().to_owned()))
        .collect()
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

    // With the agent and the server at rest, a second one, to compare with.
    let (status, _) = stack.stop_server().expect("it ends");
    assert_eq!(status.code(), Some(0));
    text(&stack.server_command(["backup", "--force"]).arg(&archive).output().expect("runs")).expect("saved at rest");
    let postgres = Postgres::start().expect("PostgreSQL starts");

    // Private database → PostgreSQL.
    let second = stack.folder().join("second");
    let url = postgres.url("tyr");
    let output = restore(&stack, &archive, &second, Some(&url), &[]);
    assert!(text(&output).expect("restored").starts_with("restored: "), "{}", said(&output));
    let there = digests(|sql| postgres.psql("tyr", sql).expect("psql"));
    assert!(there["events_minute"].starts_with(|c: char| c.is_ascii_digit() && c != '0'), "{there:#?}");

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
    assert_eq!(digests(|sql| postgres.psql("tyr", sql).expect("psql")), there, "a second restore gives the same");
    let once_more = stack.folder().join("once-more.tar");
    let mut command = stack.server_command(["backup"]);
    text(&command.arg(&once_more).output().expect("runs")).expect("saved");
    text(&restore(&stack, &once_more, &second, Some(&url), &["--force"])).expect("restored");
    assert_eq!(digests(|sql| postgres.psql("tyr", sql).expect("psql")), there, "through both kinds of database");
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
