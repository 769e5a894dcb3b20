//! `unregistered_agents`: what a type may do that nobody registered, on each kernel, until an admin approves it.

use std::time::Duration;

use tyr_e2e::guest::agent::{GuestAgent, SERVER_NAMES};
use tyr_e2e::guest::{Guest, Machine, Release, kernel};
use tyr_e2e::stack::{Stack, text};
use tyr_e2e::wait_for;

use super::{LIMIT, event};

/// A tool that a fingerprint knows by its place: a copy of busybox at the place of Codex.
const TOOL: &str = "/usr/lib/node_modules/@openai/codex/vendor/busybox";
const PROOF_LIMIT: Duration = Duration::from_secs(100);

/// `tyrd run` for a type, and what came of reading a file that the strict policy keeps away.
fn reads_key(guest: &Guest, agent: &GuestAgent<'_>, agent_type: &str) -> bool {
    guest.output(&agent.governed(agent_type, &["cat", "/root/.ssh/id_ed25519"])).expect("it runs").text().is_ok()
}

fn quarantined(machine: Machine) {
    if kernel::find(machine.release).is_none() {
        return;
    }
    let stack = Stack::start(&[SERVER_NAMES]).expect("the server starts");
    let guest = Guest::boot(machine).expect("a guest");
    guest.write("/root/.ssh/id_ed25519", b"secret\n", 0o600).expect("a file");
    let agent = GuestAgent::start(&guest, &stack, "guest", "unregistered_agents: quarantine\n").expect("an agent");
    assert_eq!(agent.status().expect("its status")["posture"], "enforcing");
    assert!(!reads_key(&guest, &agent, "newcomer"), "no policy at all, and still a quarantine");
    let refused = event(&stack, "deny", "/root/.ssh/id_ed25519");
    assert_eq!((&refused["rule"], &refused["server_verdict"]), (&"no-ssh-keys".into(), &"deny".into()), "{refused}");
    assert_eq!(refused["metadata"]["unregistered"], "quarantine", "{refused}");
    let listed = stack.tyrctl_json(&["ai", "--all"]).expect("tyrctl ai");
    assert_eq!((&listed[0]["agent_type"], &listed[0]["registered"]), (&"newcomer".into(), &false.into()), "{listed}");

    text(&stack.tyrctl(["ai", "approve", "newcomer", "--yes"])).expect("approved");
    wait_for("the approved type to read", LIMIT, || reads_key(&guest, &agent, "newcomer").then_some(()));
    assert!(!reads_key(&guest, &agent, "another"), "only the type that was approved");
    text(&stack.tyrctl(["ai", "quarantine", "newcomer", "--yes"])).expect("taken back");
    wait_for("the type to be kept away again", LIMIT, || (!reads_key(&guest, &agent, "newcomer")).then_some(()));

    let drift = stack.psql("SELECT count(*) FROM events WHERE drift_detected").expect("psql");
    assert_eq!(drift.trim(), "0", "the server judges what is not registered as the agent does");
    wait_for("tables that are those of the quarantine", PROOF_LIMIT, || {
        let agents = stack.tyrctl_json(&["agents"]).expect("tyrctl agents");
        (agents[0]["tables"] == "as_expected" && agents[0]["unregistered_agents"] == "quarantine").then_some(())
    });
}

fn denied(machine: Machine) {
    if kernel::find(machine.release).is_none() {
        return;
    }
    let stack = Stack::start(&[SERVER_NAMES]).expect("the server starts");
    let guest = Guest::boot(machine).expect("a guest");
    let place = TOOL.rsplit_once('/').expect("a path").0;
    guest.shell(&format!("mkdir -p {place} && cp /bin/busybox {TOOL} && chmod 755 {TOOL}")).expect("a tool");
    let tool = || guest.output(&[TOOL, "echo", "ran"]).expect("it starts").text();
    assert_eq!(tool().expect("nobody governs it"), "ran\n");
    let agent = GuestAgent::start(&guest, &stack, "guest", "unregistered_agents: deny\n").expect("an agent");
    assert!(tool().is_err(), "it was ended before it could say anything");
    let refused = event(&stack, "deny", TOOL);
    assert_eq!((&refused["kind"], &refused["server_verdict"]), (&"exec".into(), &"deny".into()), "{refused}");
    assert_eq!(refused["metadata"]["reason"], "agent type not registered", "{refused}");
    let run = guest.output(&agent.governed("codex", &["true"])).expect("it starts").text();
    assert!(run.is_err_and(|error| error.to_string().contains("not registered")), "`tyrd run` says why");

    text(&stack.tyrctl(["ai", "approve", "codex", "--yes"])).expect("approved");
    wait_for("the approved tool to run", LIMIT, || tool().is_ok_and(|said| said == "ran\n").then_some(()));
    let drift = stack.psql("SELECT count(*) FROM events WHERE drift_detected").expect("psql");
    assert_eq!(drift.trim(), "0", "agent and server judge alike");
}

#[test]
fn quarantined_6_1() {
    quarantined(Machine::new(Release::V6_1));
}

#[test]
fn quarantined_6_12() {
    quarantined(Machine::new(Release::V6_12));
}

#[test]
fn denied_6_1() {
    denied(Machine::new(Release::V6_1));
}

#[test]
fn denied_6_12() {
    denied(Machine::new(Release::V6_12));
}

/// Where files are only observed, tools are ended all the same.
#[test]
fn denied_without_bpf_lsm_6_1() {
    denied(Machine::new(Release::V6_1).without_bpf_lsm());
}
