//! Whole stories in guests: what a kernel that lets BPF programs be security modules enforces, and what others do.
//!
//! A boot with its server and its agent takes a core some fifteen seconds, so each function boots one guest and asks all its
//! questions there; what failed is said by name at the end.

use std::time::Duration;

use tyr_e2e::guest::agent::GuestAgent;
use tyr_e2e::guest::{Guest, GuestOutput, Running};
use tyr_e2e::wait_for;

use crate::bypass::Who;

mod bypass;
mod story;

/// Longest wait for something that should be there at once.
const LIMIT: Duration = Duration::from_secs(30);

/// What `tyr-attacker try` says to these lines.
fn attack(guest: &Guest, agent: &GuestAgent<'_>, who: Who, lines: &str) -> String {
    let running = match who {
        Who::Governed => agent.start_governed_with_input("claude-code", &["tyr-attacker", "try"], lines.as_bytes()),
        Who::Ungoverned => guest.start(&["tyr-attacker", "try"], &[], lines.as_bytes()),
    };
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
