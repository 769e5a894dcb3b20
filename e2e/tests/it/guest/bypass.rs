//! The bypass suite in guests.

use tyr_e2e::guest::agent::{GuestAgent, SERVER_NAMES};
use tyr_e2e::guest::{Guest, Machine, Release, kernel};
use tyr_e2e::stack::Stack;

use super::{attack, other_end};
use crate::bypass::{Who, check, files, network};

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
    let try_all = |agent: &GuestAgent<'_>, who, lines: &str| attack(&guest, agent, who, &before, lines);

    check(&network::denied(PORT, |_| true), |who, lines| try_all(&agent, who, lines));
    let lines = network::allowed(PORT, |_| true);
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
    check(&files::attempts(), |who, lines| try_all(&agent, who, lines));
    check(&[files::on_disk()], |who, lines| try_all(&agent, who, lines));
    let status = agent.status().expect("its status");
    assert_eq!(status["posture"], "enforcing", "{status}");
    assert_eq!(status["flow"]["disagreed"], 0, "kernel and evaluator judge alike: {status}");
}

#[test]
fn linux_6_1() {
    holds(Machine::new(Release::V6_1));
}

#[test]
fn linux_6_12() {
    holds(Machine::new(Release::V6_12));
}
