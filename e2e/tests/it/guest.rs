//! Whole stories in guests: what a kernel that lets BPF programs be security modules enforces, and what others do.
//!
//! A boot with its server and its agent takes a core some fifteen seconds, so each function boots one guest and asks all its
//! questions there; what failed is said by name at the end.

use std::time::Duration;

use serde_json::Value;
use tyr_e2e::guest::agent::GuestAgent;
use tyr_e2e::guest::{Guest, GuestOutput, Running};
use tyr_e2e::stack::Stack;
use tyr_e2e::wait_for;

use crate::bypass::Who;

mod bypass;
mod guard;
mod story;
mod unregistered;

/// Longest wait for something that should be there at once.
const LIMIT: Duration = Duration::from_secs(30);

/// What `tyr-attacker try` says to these lines; `before` are commands that each start the next.
fn attack(guest: &Guest, agent: &GuestAgent<'_>, who: Who, before: &[&str], lines: &str) -> String {
    let mut command = vec!["tyr-attacker", "try"];
    if who == Who::Governed {
        command = agent.governed("claude-code", &command);
    }
    let all: Vec<&str> = before.iter().copied().chain(command).collect();
    let running = guest.start(&all, &[], lines.as_bytes());
    running.and_then(Running::finish).and_then(GuestOutput::text).expect("it ends")
}

/// Somebody who answers at these addresses, until it is dropped.
fn other_end(guest: &Guest, addresses: &[impl AsRef<str>]) -> Running {
    let mut arguments = vec!["tyr-attacker", "serve"];
    arguments.extend(addresses.iter().map(AsRef::as_ref));
    let mut running = guest.start(&arguments, &[], &[]).expect("it starts");
    wait_for("the other end", LIMIT, || (running.so_far().stdout == "serving\n").then_some(()));
    running
}

/// The event of this verdict and resource, when the server has it.
fn event(stack: &Stack, verdict: &str, resource: &str) -> Value {
    wait_for(&format!("an event of {resource}: {verdict}"), LIMIT, || {
        let events = stack.tyrctl_json(&["events", "list", "--limit", "1000", "--verdict", verdict]);
        let events = events.expect("tyrctl events list");
        events.as_array().into_iter().flatten().find(|event| event["resource"] == resource).cloned()
    })
}
