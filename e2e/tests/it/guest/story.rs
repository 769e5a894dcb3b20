//! An agent in a guest and a server on the host: what is refused in the guest is seen by `tyrctl`.

use tyr_e2e::guest::agent::{GuestAgent, SERVER_NAMES};
use tyr_e2e::guest::{Guest, Machine, Release, kernel};
use tyr_e2e::stack::Stack;

use super::{attack, event, other_end};
use crate::bypass::Who;

const REFUSED: &str = "203.0.113.7:443";
const POLICY: &str = "apiVersion: tyr.dev/v1
kind: Policy
metadata:
  name: guests
spec:
  rules:
    - name: no-test-net
      action: net_connect
      cidr_deny: [203.0.113.0/24]
      verdict: deny
      severity: critical
    - name: no-secrets
      action: file_read
      resource_pattern: /srv/secrets/**
      verdict: deny
      severity: high
";

/// Without BPF security modules network rules are enforced, and the rest is observed.
fn network_rules_are_enforced(machine: Machine) {
    if kernel::find(machine.release).is_none() {
        return;
    }
    let stack = Stack::start(&[SERVER_NAMES]).expect("the server starts");
    stack.apply_policy(POLICY).expect("the policy is accepted");
    let guest = Guest::boot(machine).expect("a guest");
    guest.write("/srv/secrets/key", b"secret\n", 0o600).expect("a file");
    let agent = GuestAgent::start(&guest, &stack, "guest", "").expect("an agent");
    let status = agent.status().expect("its status");
    assert_eq!(status["posture"], "partial", "{status}");

    let _other_end = other_end(&guest, &[REFUSED]);
    let line = format!("tcp {REFUSED}\n");
    assert_eq!(attack(&guest, &agent, Who::Ungoverned, &[], &line), "ok\n", "who is not governed may connect");
    assert_eq!(attack(&guest, &agent, Who::Governed, &[], &line), "EPERM\n");
    let refused = event(&stack, "deny", REFUSED);
    assert_eq!((&refused["verdict"], &refused["rule"]), (&"deny".into(), &"no-test-net".into()), "{refused}");

    let read = guest.output(&agent.governed("claude-code", &["cat", "/srv/secrets/key"])).expect("it runs");
    assert_eq!(read.text().expect("observed, not refused"), "secret\n");
    let observed = event(&stack, "alert", "/srv/secrets/key");
    assert_eq!((&observed["verdict"], &observed["server_verdict"]), (&"alert".into(), &"deny".into()), "{observed}");
}

#[test]
fn without_bpf_lsm_6_12() {
    network_rules_are_enforced(Machine::new(Release::V6_12).without_bpf_lsm());
}

#[test]
fn without_bpf_lsm_6_1() {
    network_rules_are_enforced(Machine::new(Release::V6_1).without_bpf_lsm());
}
