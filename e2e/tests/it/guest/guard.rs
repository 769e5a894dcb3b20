//! Ways around a guard by its own ways: what runs before it, stops it, kills it, floods it or changes its rules.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Instant;

use tyr_e2e::guest::agent::{GuestAgent, SERVER_NAMES};
use tyr_e2e::guest::session::Session;
use tyr_e2e::guest::{Guest, Machine, Release, kernel};
use tyr_e2e::stack::{Stack, text};
use tyr_e2e::wait_for;

use super::{LIMIT, attack, event};
use crate::bypass::Who;

const SIGSTOP: u8 = 19;
const SIGCONT: u8 = 18;
/// A program that is recognised by its path.
const TOOL: &str = "/root/.local/share/claude/versions/2/claude";
/// Rounds of a flood, of a thousand opens each.
const FLOODS: usize = 5;
/// How often the policy changes under an attacker who doesn't rest.
const RELOADS: usize = 6;

/// Rules beside the one that counts, as many as a large policy has.
const CROWD: usize = 1000;

/// The secret is denied in every version, by a rule of another name in another place.
fn policy(rule: &str, before: usize, after: usize) -> String {
    let mut yaml = "apiVersion: tyr.dev/v1\nkind: Policy\nmetadata:\n  name: guard\nspec:\n  rules:\n".to_owned();
    let mut add = |name: &str, pattern: &str, verdict: &str| {
        writeln!(
            yaml,
            "    - {{name: {name}, action: file_read, resource_pattern: '{pattern}', verdict: {verdict}, severity: high}}"
        )
        .expect("writing to a String");
    };
    for n in 0..before {
        add(&format!("before-{n}"), &format!("/srv/before-{n}/*/data"), "alert");
    }
    add(rule, "/data/*/vault/secret*", "deny");
    for n in 0..after {
        add(&format!("after-{n}"), &format!("/srv/after-{n}/*/data"), "alert");
    }
    yaml
}

fn holds(machine: Machine) {
    if kernel::find(machine.release).is_none() {
        return;
    }
    let stack = Stack::start(&[SERVER_NAMES]).expect("the server starts");
    stack.apply_policy(&policy("no-reading", 0, CROWD)).expect("the policy is accepted");
    let guest = Guest::boot(machine).expect("a guest");
    let prepared = guest.start(&["tyr-attacker", "try"], &[], b"prepare /data/x\n").expect("it starts");
    assert_eq!(prepared.finish().and_then(tyr_e2e::guest::GuestOutput::text).expect("it ends"), "ok\n");
    guest.shell(&format!("mkdir -p $(dirname {TOOL}); cp /usr/bin/tyr-attacker {TOOL}")).expect("a tool");

    // It runs before its guard.
    let mut old = Session::start(&guest, "old", &[], TOOL, "try");
    assert_eq!(old.ask("read_open /data/x"), "ok", "nobody guards yet");
    let mut agent = GuestAgent::start(&guest, &stack, "guard", "").expect("an agent");
    wait_for("the old process to be found", LIMIT, || {
        let status = agent.status().expect("its status");
        status["ai_processes"].as_array().is_some_and(|all| !all.is_empty()).then_some(())
    });
    assert_eq!(old.ask("read_open /data/x"), "EPERM", "an agent that is older than tyrd");

    stopped(&mut agent, &mut old);
    flooded(&stack, &guest, &agent, &mut old);
    reloaded(&stack, &guest, &mut agent);
    killed(&stack, &guest, agent, &mut old);
}

/// The kernel judges, so nothing waits for `tyrd`.
fn stopped(agent: &mut GuestAgent<'_>, old: &mut Session<'_>) {
    agent.signal(SIGSTOP).expect("it stops");
    for _ in 0..20 {
        assert_eq!(old.ask("read_open /data/x"), "EPERM", "while tyrd is stopped");
    }
    agent.signal(SIGCONT).expect("it goes on");
}

/// A denial among opens without number: it is refused, and it arrives.
fn flooded(stack: &Stack, guest: &Guest, agent: &GuestAgent<'_>, old: &mut Session<'_>) {
    let governed = agent.governed("claude-code", &["tyr-attacker"]);
    let (attacker, before) = governed.split_last().expect("a program");
    let mut flood = Session::start(guest, "flood", before, attacker, "try");
    for _ in 0..FLOODS {
        flood.tell("flood /data/x");
    }
    assert_eq!(old.ask("write_mkdir /data/x"), "ok", "what no rule denies");
    assert_eq!(old.ask("read_openat2 /data/x"), "EPERM", "in the flood");
    for _ in 0..FLOODS {
        assert_eq!(flood.hear(), "ok");
    }
    let denied = event(stack, "deny", "/data/x/vault/secret");
    assert_eq!(denied["rule"], "no-reading", "{denied}");
    let mut last = String::new();
    let begun = Instant::now();
    while !all_told(stack, agent, &mut last) {
        assert!(begun.elapsed() < 2 * LIMIT, "emitted = stored + declared lost, and nothing waits: {last}");
    }
}

/// Whether the agent's counters and the table agree; `last` says what they are.
fn all_told(stack: &Stack, agent: &GuestAgent<'_>, last: &mut String) -> bool {
    let stored = stack.psql("SELECT count(*) FROM events").expect("psql");
    let status = agent.status().expect("its status");
    *last = format!("stored {}, {}, {}", stored.trim(), status["spool"], status["losses"]);
    let number = |name: &str| status["spool"][name].as_u64().expect("a number");
    let stored: u64 = stored.trim().parse().expect("a number");
    number("emitted") == stored + number("lost") && number("records") == 0
}

/// Outcomes of `tyr-attacker repeat`, with how often each came.
fn counts(said: &str) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for line in said.lines().filter(|line| line.contains('\t')) {
        let fields: Vec<&str> = line.split('\t').collect();
        *counts.entry(fields[1].to_owned()).or_default() += fields[0].parse::<u64>().expect("a number");
    }
    counts
}

/// No attempt falls between two policies of a thousand rules, and none is judged by a mixture of both.
fn reloaded(stack: &Stack, guest: &Guest, agent: &mut GuestAgent<'_>) {
    let loaded = agent.policies_loaded();
    stack.apply_policy(&policy("kept", CROWD, 0)).expect("the policy is accepted");
    agent.wait_for_policy_after(loaded);
    let governed = agent.governed("claude-code", &["tyr-attacker"]);
    let (attacker, before) = governed.split_last().expect("a program");
    let mut tries = Session::start(guest, "tries", before, attacker, "repeat");
    tries.tell("read_open /data/x");
    tries.tell("");
    assert_eq!(tries.hear(), "trying");
    for n in 0..RELOADS {
        let loaded = agent.policies_loaded();
        let version = if n % 2 == 0 { "1" } else { "2" };
        text(&stack.tyrctl(["policy", "assign", "--version", version, "--all", "--yes"])).expect("assigned");
        agent.wait_for_policy_after(loaded);
    }
    tries.tell("end");
    let counts = counts(&tries.finish());
    assert!(counts.keys().all(|outcome| outcome == "EPERM"), "{counts:?}");
    assert!(counts.values().sum::<u64>() > 1000, "{counts:?}");
    // Of what arrived, each was judged by a rule of the version that it names.
    let sql = "SELECT DISTINCT policy_version || ' ' || rule FROM events WHERE verdict = 'deny' ORDER BY 1";
    let both = wait_for("denials by both versions", LIMIT, || {
        let both = stack.psql(sql).expect("psql");
        (both.lines().count() > 1).then_some(both)
    });
    assert_eq!(both.trim(), "1 no-reading\n2 kept");
}

/// What `docs/limits.md` says of the time without `tyrd` is so, and the next one guards what runs.
fn killed(stack: &Stack, guest: &Guest, mut agent: GuestAgent<'_>, old: &mut Session<'_>) {
    // The next one has to read it before it guards.
    let loaded = agent.policies_loaded();
    stack.apply_policy(&policy("no-reading", 0, 0)).expect("the policy is accepted");
    agent.wait_for_policy_after(loaded);
    let governed = agent.governed("claude-code", &["tyr-attacker"]);
    let (attacker, before) = governed.split_last().expect("a program");
    let mut tries = Session::start(guest, "between", before, attacker, "repeat");
    tries.tell("read_open /data/x");
    tries.tell("");
    assert_eq!(tries.hear(), "trying");
    agent.kill().expect("it is killed");
    let ends = include_str!("../../../../docs/limits.md").contains("Enforcement ends with `tyrd`");
    let expected = if ends { "ok" } else { "EPERM" };
    wait_for("what is in force without tyrd", LIMIT, || (old.ask("read_open /data/x") == expected).then_some(()));
    let agent = GuestAgent::start_again(guest).expect("an agent");
    wait_for("the next tyrd's guard", LIMIT, || (old.ask("read_open /data/x") == "EPERM").then_some(()));
    tries.tell("end");
    let counts = counts(&tries.finish());
    assert!(ends || counts.keys().all(|outcome| outcome == "EPERM"), "without a gap: {counts:?}");
    let line = "read_open /data/x\n";
    assert_eq!(attack(guest, &agent, Who::Governed, &[], line), "EPERM\n");
    assert!(stack.tyrctl(["agents"]).status.success());
    // Still the same process, never started anew.
    assert!(guest.output(&["kill", "-0", &old.pid().to_string()]).expect("it runs").status.success());
}

#[test]
fn linux_6_1() {
    holds(Machine::new(Release::V6_1));
}

#[test]
fn linux_6_12() {
    holds(Machine::new(Release::V6_12));
}
