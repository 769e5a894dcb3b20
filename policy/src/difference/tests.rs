use proptest::prelude::{Just, Strategy, prop_oneof, proptest};

use super::{Difference, differences};
use crate::eval::{Act, Effective, Layer, Resource};
use crate::held::Held;
use crate::policy::Policy;
use crate::words::Action;

fn effective(rules: &str) -> Effective {
    let yaml = format!("apiVersion: tyr.dev/v1\nkind: Policy\nmetadata: {{name: t}}\nspec:\n  rules:\n{rules}");
    let policy = Policy::parse(&yaml).unwrap_or_else(|error| panic!("{error}\n{yaml}")).policy;
    Effective::new(vec![Layer { version: 1, agent_type: None, policy }])
}

fn told(before: &str, after: &str) -> Vec<String> {
    let found = differences(&effective(before), &effective(after));
    assert!(!found.incomplete);
    let said = |said: &super::Said| format!("{} by {}", said.verdict, said.rule.as_deref().unwrap_or("default"));
    let line = |d: &Difference| {
        let who = [d.agent_type.as_deref(), d.binary.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" ");
        format!("{} {} -> {}: {} {who}", d.action, said(&d.before), said(&d.after), d.example).trim_end().to_owned()
    };
    found.list.iter().map(line).collect()
}

#[test]
fn examples_are_short_paths() {
    let before = "  - {name: ssh, action: file_read, resource_pattern: '~/.ssh/**', verdict: deny}\n";
    let after = "  - {name: known, action: file_read, resource_pattern: '~/.ssh/known_hosts', verdict: allow}
  - {name: ssh, action: file_read, resource_pattern: '~/.ssh/**', verdict: deny}
  - {name: curl, action: exec, resource_pattern: '**/bin/curl', verdict: alert}\n";
    assert_eq!(
        told(before, after),
        [
            "file_read deny by ssh -> allow by known: /root/.ssh/known_hosts",
            "exec allow by default -> alert by curl: /bin/curl",
        ]
    );
    assert_eq!(told(after, after), Vec::<String>::new());
}

#[test]
fn rules_that_say_the_same_in_other_words_make_no_difference() {
    let before = "  - {name: a, action: exec, resource_pattern: '/bin/{a,b}', verdict: deny}\n";
    let after = "  - {name: x, action: exec, resource_pattern: '/bin/a', verdict: deny}
  - {name: y, action: exec, resource_pattern: '/bin/[b]', verdict: deny}\n";
    assert_eq!(told(before, after), Vec::<String>::new());
}

#[test]
fn addresses_and_ports() {
    let before = "  - {name: net, action: net_connect, cidr_deny: [10.0.0.0/8], verdict: deny}\n";
    let after = "  - {name: dns, action: net_connect, cidr_allow: ['10.1.0.0/16:53/udp'], verdict: allow}
  - {name: net, action: net_connect, cidr_deny: [10.0.0.0/8, 192.0.2.0/24], verdict: deny}\n";
    assert_eq!(
        told(before, after),
        [
            "net_connect deny by net -> allow by dns: 10.1.0.0:53/udp",
            "net_connect allow by default -> deny by net: 192.0.2.0:0",
        ]
    );
}

#[test]
fn names_the_processes_that_are_concerned() {
    let after = "  - {name: a, action: exec, resource_pattern: '/bin/x', verdict: deny, agent_types: [codex], binaries: ['**/node']}\n";
    let before = "  - {name: b, action: exec, resource_pattern: '/bin/y', verdict: allow}\n";
    assert_eq!(told(before, after), ["exec allow by default -> deny by a: /bin/x codex /node"]);
}

fn rules() -> impl Strategy<Value = String> {
    let pattern = prop_oneof![
        Just("/a/*"),
        Just("/a/**"),
        Just("**/x"),
        Just("/a/x"),
        Just("/?/[xy]"),
        Just("*"),
        Just("/a/**/b"),
        Just("**/{x,y}*")
    ];
    let verdict = prop_oneof![Just("allow"), Just("deny"), Just("alert")];
    proptest::collection::vec((pattern, verdict), 0..5).prop_map(|rules| {
        let rule = |(at, (pattern, verdict)): (usize, (&str, &str))| {
            format!("  - {{name: r{at}, action: exec, resource_pattern: \"{pattern}\", verdict: {verdict}}}\n")
        };
        let text: String = rules.into_iter().enumerate().map(rule).collect();
        if text.is_empty() { "    []\n".to_owned() } else { text }
    })
}

proptest! {
    /// What is told is so, and what is not told is judged the same.
    #[test]
    fn every_difference_is_real_and_none_is_missing(before in rules(), after in rules()) {
        let (first, second) = (effective(&before), effective(&after));
        let judge = |policy: &Effective, path: &str| {
            let resource = Resource::Path { path: path.as_bytes(), truncated: false };
            let judged = policy.judge(&Act { action: Action::Exec, resource, agent_type: None, binary: b"", held: Held::NONE });
            (judged.verdict, judged.rule.map(str::to_owned))
        };
        let found = differences(&first, &second);
        for d in &found.list {
            assert_eq!(judge(&first, &d.example), (d.before.verdict, d.before.rule.clone()), "{d:?}");
            assert_eq!(judge(&second, &d.example), (d.after.verdict, d.after.rule.clone()), "{d:?}");
        }
        for path in ["/a", "/x", "/a/x", "/a/b", "/a/b/x", "/b/y", "/a/c/b", "/q/r/xs", "/z/z"] {
            let (one, two) = (judge(&first, path), judge(&second, path));
            if one.0 != two.0 {
                let told = found.list.iter().any(|d| {
                    (d.before.verdict, &d.before.rule, d.after.verdict, &d.after.rule) == (one.0, &one.1, two.0, &two.1)
                });
                assert!(told, "{path}: {one:?} {two:?} in {found:?}");
            }
        }
    }
}
