//! The bypass suite in guests.

use tyr_e2e::guest::agent::{GuestAgent, SERVER_NAMES};
use tyr_e2e::guest::{Guest, Machine, Release, kernel};
use tyr_e2e::stack::Stack;

use super::{attack, other_end};
use crate::bypass::{Who, check, network};

const PORT: u16 = 7;

fn holds(machine: Machine) {
    if kernel::find(machine.release).is_none() {
        return;
    }
    let stack = Stack::start(&[SERVER_NAMES]).expect("the server starts");
    stack.apply_policy(network::POLICY).expect("the policy is accepted");
    let guest = Guest::boot(machine).expect("a guest");
    let agent = GuestAgent::start(&guest, &stack, "guest", "").expect("an agent");
    let _other_end = other_end(&guest, &network::served(PORT));

    check(&network::denied(PORT, |_| true), |who, lines| attack(&guest, &agent, who, lines));
    let lines = network::allowed(PORT, |_| true);
    let outcomes = attack(&guest, &agent, Who::Governed, &lines);
    let refused: Vec<_> = lines.lines().zip(outcomes.lines()).filter(|(_, outcome)| *outcome != "ok").collect();
    assert!(refused.is_empty(), "these are allowed: {refused:?}");
}

#[test]
fn linux_6_12() {
    holds(Machine::new(Release::V6_12));
}
