use super::{Guard, NOTHING, QUARANTINE};
use crate::compiled::Compiled;
use crate::eval::{Act, Effective, Layer, Resource};
use crate::held::Held;
use crate::image::Image;
use crate::policy::Policy;
use crate::words::{Action, Protocol, Unregistered, Verdict};

const BASE: &str = "apiVersion: tyr.dev/v1
kind: Policy
metadata: {name: base}
spec:
  default: allow
  rules:
    - {name: open-ssh, action: file_read, resource_pattern: '~/.ssh/**', verdict: allow}
    - {name: no-data, action: file_read, resource_pattern: '/data/**', verdict: deny}
    - {name: all-net, action: net_connect, verdict: allow}
    - {name: told, action: exec, resource_pattern: '/opt/x', verdict: alert}
";

fn effective(what: Unregistered) -> Effective {
    let policy = Policy::parse(BASE).expect("a policy").policy;
    let layers = vec![Layer { version: 3, agent_type: None, policy }];
    let registered = ["claude-code".to_owned()].into();
    Effective::guarded(layers, Guard::new(what, registered))
}

fn path(action: Action, path: &str) -> (Action, Resource<'_>) {
    (action, Resource::Path { path: path.as_bytes(), truncated: false })
}

fn net() -> (Action, Resource<'static>) {
    let addr = "198.51.100.9".parse().expect("an address");
    (Action::NetConnect, Resource::Net { addr, port: 4444, protocol: Protocol::Tcp })
}

/// By all three ways to judge, which agree.
fn judged(
    effective: &Effective,
    agent_type: &str,
    (action, resource): (Action, Resource<'_>),
) -> (Verdict, Option<String>) {
    let act = Act { action, resource, agent_type: Some(agent_type), binary: b"/usr/bin/node", held: Held::NONE };
    let plain = effective.judge(&act);
    assert_eq!(Compiled::new(effective.clone()).judge(&act), plain, "{act:?}");
    let word = Image::new(effective).expect("it fits").judge(&act).expect("judged");
    assert_eq!((word.verdict(), word.rule()), (plain.verdict, plain.index), "{act:?}");
    (plain.verdict, plain.rule.map(str::to_owned))
}

#[test]
fn both_texts_are_policies() {
    for yaml in [QUARANTINE, NOTHING] {
        Policy::parse(yaml).unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn a_quarantine_is_the_strict_policy_and_what_the_base_denies() {
    let guarded = effective(Unregistered::Quarantine);
    let of = |agent_type: &str, what| judged(&guarded, agent_type, what);
    let ssh = path(Action::FileRead, "/root/.ssh/id_ed25519");
    assert_eq!(of("claude-code", ssh), (Verdict::Allow, Some("open-ssh".to_owned())));
    assert_eq!(
        of("newcomer", ssh),
        (Verdict::Deny, Some("no-ssh-keys".to_owned())),
        "what the base allows says nothing"
    );
    let data = path(Action::FileRead, "/data/x");
    assert_eq!(of("newcomer", data), (Verdict::Deny, Some("no-data".to_owned())), "what it denies holds");
    assert_eq!(of("claude-code", net()), (Verdict::Allow, Some("all-net".to_owned())));
    assert_eq!(of("newcomer", net()), (Verdict::Deny, None), "the default of the strict policy");
    assert_eq!(of("newcomer", path(Action::FileRead, "/usr/lib/x.so")).0, Verdict::Allow);
    assert_eq!(of("newcomer", path(Action::FileWrite, "/etc/passwd")).0, Verdict::Deny);
    let act = Act {
        action: Action::FileWrite,
        resource: path(Action::FileWrite, "/etc/x").1,
        agent_type: None,
        binary: b"",
        held: Held::NONE,
    };
    assert_eq!((guarded.judge(&act).verdict, guarded.judge(&act).version), (Verdict::Deny, None), "of no version");
}

#[test]
fn a_denied_type_may_nothing() {
    let guarded = effective(Unregistered::Deny);
    for what in [
        path(Action::FileRead, "/usr/lib/x.so"),
        path(Action::FileWrite, "/tmp/x"),
        path(Action::Exec, "/opt/x"),
        net(),
    ] {
        assert_eq!(judged(&guarded, "newcomer", what).0, Verdict::Deny, "{what:?}");
        assert_ne!(judged(&guarded, "claude-code", what).0, Verdict::Deny, "{what:?}");
    }
}

#[test]
fn an_audit_guards_nobody() {
    let plain = effective(Unregistered::Audit);
    assert_eq!(judged(&plain, "newcomer", net()), (Verdict::Allow, Some("all-net".to_owned())));
    assert!(Guard::new(Unregistered::Audit, ["x".to_owned()].into()).is_none());
}

#[test]
fn the_id_says_what_and_for_whom() {
    let id =
        |what, types: &[&str]| Guard::new(what, types.iter().map(ToString::to_string).collect()).expect("one").id();
    // printf 'claude-code\ncodex\n' | sha256sum
    assert_eq!(id(Unregistered::Deny, &["codex", "claude-code"]), id(Unregistered::Deny, &["claude-code", "codex"]));
    assert_ne!(id(Unregistered::Deny, &["codex"]), id(Unregistered::Quarantine, &["codex"]));
    assert_ne!(id(Unregistered::Deny, &["codex"]), id(Unregistered::Deny, &["codec"]));
}

#[test]
fn what_the_base_denies_by_default_stays_denied() {
    let base = BASE.replace("default: allow", "default: {file_read: deny}");
    let policy = Policy::parse(&base).expect("a policy").policy;
    let layers = vec![Layer { version: 3, agent_type: None, policy }];
    let guarded = Effective::guarded(layers, Guard::new(Unregistered::Quarantine, ["claude-code".to_owned()].into()));
    let of = |what| judged(&guarded, "newcomer", what);
    assert_eq!(
        of(path(Action::FileRead, "/usr/lib/x.so")),
        (Verdict::Deny, None),
        "which the strict policy would allow"
    );
    assert_eq!(
        of(path(Action::FileRead, "/root/.ssh/x")),
        (Verdict::Allow, Some("open-ssh".to_owned())),
        "its own list"
    );
    assert_eq!(of(net()).0, Verdict::Deny, "other actions are the guard's");
}
