//! The bypass suite in guests.

use serde_json::Value;
use tyr_e2e::guest::agent::{GuestAgent, SERVER_NAMES};
use tyr_e2e::guest::{Guest, Machine, Release, Running, kernel};
use tyr_e2e::stack::Stack;
use tyr_e2e::wait_for;

use super::{LIMIT, attack, event, other_end};
use crate::bypass::{Who, check, files, network, process};

const PORT: u16 = 7;
/// A denied file that is open already.
const HANDED_OVER: &str = "/data/handed-over/vault/secret";

fn holds(machine: Machine) {
    if kernel::find(machine.release).is_none() {
        return;
    }
    let stack = Stack::start(&[SERVER_NAMES]).expect("the server starts");
    stack.apply_policy(network::POLICY).expect("the policy is accepted");
    let guest = Guest::boot(machine).expect("a guest");
    let mut agent = GuestAgent::start(&guest, &stack, "guest", "").expect("an agent");
    let served = network::served(PORT);
    let _other_end = other_end(&guest, &served);
    guest.write(HANDED_OVER, b"secret\n", 0o644).expect("a file");
    // What somebody else opened before.
    let before = ["tyr-attacker", "with", HANDED_OVER, &served[0]];
    guest.shell(network::PREPARE_GUEST).expect("a network");
    let try_all = |agent: &GuestAgent<'_>, who, lines: &str| attack(&guest, agent, who, &before, lines);

    check(&network::denied(PORT, network::On::Enforcing, |_| true), |who, lines| try_all(&agent, who, lines));
    let elsewhere = Elsewhere::start(&guest);
    check(&[network::elsewhere(PORT, &elsewhere.namespace)], |who, lines| try_all(&agent, who, lines));
    let socket = event(&stack, "deny", "socket:packet/dgram/8");
    assert_eq!((&socket["rule"], &socket["server_verdict"]), (&"no-loopback".into(), &"deny".into()), "{socket}");
    let lines = network::allowed(PORT, network::On::Enforcing, |_| true);
    let outcomes = try_all(&agent, Who::Governed, &lines);
    let refused: Vec<_> = lines.lines().zip(outcomes.lines()).filter(|(_, outcome)| *outcome != "ok").collect();
    assert!(refused.is_empty(), "these are allowed: {refused:?}");

    let prepared = try_all(&agent, Who::Ungoverned, &files::preparation());
    assert!(prepared.lines().all(|outcome| outcome == "ok"), "{prepared}");
    // What has its files elsewhere than in its names.
    let folders = "mkdir -p /data/disk; mke2fs -F /dev/ram0; mount -t ext4 /dev/ram0 /data/disk; mkdir /data/disk/vault /data/disk/open";
    guest.shell(&format!("{folders}; echo secret >/data/disk/vault/secret")).expect("a disk");
    let policies = agent.policies_loaded();
    stack.apply_policy(files::POLICY).expect("the policy is accepted");
    agent.wait_for_policy_after(policies);
    let lines = network::unnamed(PORT);
    let outcomes = try_all(&agent, Who::Governed, &lines);
    assert!(outcomes.lines().all(|outcome| outcome == "ok"), "no rule denies an address now: {lines}{outcomes}");
    check(&files::attempts(), |who, lines| try_all(&agent, who, lines));
    check(&[files::on_disk(), files::deep()], |who, lines| try_all(&agent, who, lines));
    others(&stack, &guest, &agent, &try_all);
    let status = agent.status().expect("its status");
    assert_eq!(status["posture"], "enforcing", "{status}");
    assert_eq!(status["flow"]["disagreed"], 0, "kernel and evaluator judge alike: {status}");
}

/// Somebody who answers in a network namespace of his own.
struct Elsewhere {
    namespace: String,
    _other_end: Running,
}

impl Elsewhere {
    fn start(guest: &Guest) -> Self {
        let script = "ip link set lo up; exec tyr-attacker serve \"$@\"";
        let [address, ..] = network::served(PORT);
        let command = ["unshare", "-n", "/bin/sh", "-euc", script, "sh", &address];
        let mut running = guest.start(&command, &[], &[]).expect("it starts");
        wait_for("the other end elsewhere", LIMIT, || (running.so_far().stdout == "serving\n").then_some(()));
        Self { namespace: format!("/proc/{}/ns/net", running.pid()), _other_end: running }
    }
}

/// What other processes could be made to do, and the guard itself.
fn others(
    stack: &Stack,
    guest: &Guest,
    agent: &GuestAgent<'_>,
    try_all: &impl Fn(&GuestAgent<'_>, Who, &str) -> String,
) {
    let mut victim = guest.start(&["tyr-attacker", "victim", HANDED_OVER], &[], &[]).expect("it starts");
    let address = wait_for("a victim", LIMIT, || victim.so_far().stdout.strip_suffix('\n').map(str::to_owned));
    let folder = agent.status().expect("its status")["kept"].as_str().expect("hooks are kept").to_owned();
    let pin = format!("{folder}/link_tyr_file_open");
    check(&process::attempts(&address, agent.pid(), &pin), |who, lines| try_all(agent, who, lines));
    let lines = process::allowed(agent.pid());
    let outcomes = try_all(agent, Who::Governed, &lines);
    assert!(outcomes.lines().all(|outcome| outcome == "ok"), "{lines}{outcomes}");
    // Nobody else may try this, as it works.
    assert_eq!(try_all(agent, Who::Governed, &format!("unpin {pin}")), "EPERM\n");
    guest.shell(&format!("test -e {pin}")).expect("the hook is still kept");

    for (resource, operation) in [("/usr/bin/tyr-attacker", "attach"), ("/usr/bin/tyrd", "signal"), ("bpf(2)", "bpf")] {
        let found = wait_for(operation, LIMIT, || {
            let events =
                stack.tyrctl_json(&["events", "list", "--limit", "1000", "--verdict", "deny"]).expect("events");
            let is = |event: &&Value| event["resource"] == resource && event["metadata"]["operation"] == operation;
            events.as_array()?.iter().find(is).cloned()
        });
        assert_eq!((&found["server_verdict"], &found["rule"]), (&"deny".into(), &Value::Null), "{found}");
        assert_eq!(found["metadata"]["reason"], "would make the policy void", "{found}");
    }
    let pins = event(stack, "deny", &pin);
    assert_eq!((&pins["server_verdict"], &pins["metadata"]["guarded"]), (&"deny".into(), &"true".into()), "{pins}");
}

#[test]
fn linux_6_1() {
    holds(Machine::new(Release::V6_1));
}

#[test]
fn linux_6_12() {
    holds(Machine::new(Release::V6_12));
}
