//! The database goes away and comes back; the server stays, agents keep their events, and nothing is lost.

use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tyr_e2e::postgres::Postgres;
use tyr_e2e::stack::{Agent, Stack};
use tyr_e2e::wait_for;

const LIMIT: Duration = Duration::from_mins(1);

fn health(stack: &Stack) -> Option<(String, Value)> {
    let output = stack.curl(&["-sS", "-w", "\n%{http_code}"], "/health").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let (body, code) = text.rsplit_once('\n')?;
    Some((code.to_owned(), serde_json::from_str(body).ok()?))
}

fn work(agent: &Agent) {
    let status = agent.governed("claude-code", "/bin/cat").arg("/etc/hostname").stdout(Stdio::null()).status();
    assert!(status.expect("cat starts").success());
}

/// Emitted = stored + declared lost, and nothing waits.
fn all_arrive(stack: &Stack, agent: &Agent) -> u64 {
    wait_for("every event", LIMIT, || {
        let status: Value = serde_json::from_str(&agent.status().ok()?).ok()?;
        let spool = &status["spool"];
        let stored: u64 = stack.psql("SELECT count(*) FROM events").ok()?.trim().parse().ok()?;
        let whole = spool["emitted"].as_u64()? == stored + spool["lost"].as_u64()? && spool["records"] == 0;
        whole.then_some(stored)
    })
}

#[test]
fn a_database_that_goes_away_and_comes_back() {
    let mut postgres = Postgres::start().expect("PostgreSQL starts");
    let stack = Stack::start(&[("DATABASE_URL", &postgres.url("tyr"))]).expect("the server starts");
    let server = stack.server_pid();
    let (code, body) = health(&stack).expect("an answer");
    assert_eq!(code, "200");
    let keys: Vec<_> = body.as_object().expect("an object").keys().collect();
    assert_eq!(keys, ["status", "db", "version"], "exactly the documented keys");
    assert_eq!((&body["status"], &body["db"]), (&"ok".into(), &"ok".into()));

    let agent = stack.start_agent("patient", "allow_events: all\n").expect("the agent starts");
    work(&agent);
    let before = all_arrive(&stack, &agent);

    postgres.kill();
    let body = wait_for("503", LIMIT, || health(&stack).filter(|(code, _)| code == "503")).1;
    assert_eq!((&body["status"], &body["db"]), (&"error".into(), &"error".into()), "{body}");
    assert_eq!(body.as_object().map(serde_json::Map::len), Some(3));
    for _ in 0..5 {
        work(&agent);
    }
    wait_for("events that wait at the agent", LIMIT, || {
        let status: Value = serde_json::from_str(&agent.status().ok()?).ok()?;
        status["spool"]["records"].as_u64().filter(|&waiting| waiting > 5)
    });

    postgres.up().expect("PostgreSQL is back");
    wait_for("200", LIMIT, || health(&stack).filter(|(code, _)| code == "200"));
    let after = all_arrive(&stack, &agent);
    assert!(after >= before + 10, "an exec and a read for each: {before}, then {after}");
    assert_eq!(stack.server_pid(), server, "the same process");
    assert!(stack.tyrctl(["agents"]).status.success());
}

#[test]
fn the_private_database_is_killed_and_comes_back_by_itself() {
    let stack = Stack::start(&[]).expect("the server starts");
    let agent = stack.start_agent("patient", "allow_events: all\n").expect("the agent starts");
    work(&agent);
    all_arrive(&stack, &agent);
    let postmaster = || {
        let text = std::fs::read_to_string(stack.data_dir().join("pg/data/postmaster.pid")).ok()?;
        text.lines().next()?.parse::<i32>().ok()
    };
    for _ in 0..2 {
        let killed = postmaster().expect("it runs");
        let pid = rustix::process::Pid::from_raw(killed).expect("a process id");
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("killed");
        work(&agent);
        wait_for("another postmaster", LIMIT, || postmaster().filter(|&pid| pid != killed));
        wait_for("200", LIMIT, || health(&stack).filter(|(code, _)| code == "200"));
        all_arrive(&stack, &agent);
    }
}
