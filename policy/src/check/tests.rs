use std::fmt::Write;

use crate::policy::Policy;
use crate::words::{Action, Severity, Verdict};

/// All problems, or all warnings of a good document, as an operator sees them.
fn report(yaml: &str) -> String {
    let found = match Policy::parse(yaml) {
        Ok(checked) => checked.warnings,
        Err(error) => error.diagnostics,
    };
    let mut out = String::new();
    for diagnostic in found {
        writeln!(out, "{diagnostic}").unwrap();
        if let Some(hint) = diagnostic.hint {
            writeln!(out, "  hint: {hint}").unwrap();
        }
    }
    out
}

/// A document with these rules, the first in line 6.
fn rules(text: &str) -> String {
    format!("apiVersion: tyr.dev/v1\nkind: Policy\nmetadata: {{name: t}}\nspec:\n  rules:\n{text}")
}

#[track_caller]
fn expect(yaml: &str, expected: &[&str]) {
    let report = report(yaml);
    let lines: Vec<&str> = report.lines().map(str::trim_start).collect();
    assert_eq!(lines, expected, "{yaml}");
}

#[test]
fn takes_every_field_as_documented() {
    let checked = Policy::parse(
        r#"
apiVersion: tyr.dev/v1
kind: Policy
metadata:
  name: web
  description: what it is for
  labels: {team: infra, tier: "1"}
spec:
  default: {exec: deny, net_connect: alert}
  rules:
    - name: one
      action: file_read
      resource_pattern: "~/.ssh/**"
      verdict: deny
      severity: critical
      binaries: [/usr/bin/cat, "**/node"]
      agent_types: [claude-code]
    - name: two
      action: net_connect
      verdict: allow
      cidr_allow: ["10.0.0.0/8:443"]
      cidr_deny: ["10.1.0.0/16"]
"#,
    )
    .unwrap();
    let policy = checked.policy;
    assert_eq!(checked.warnings, []);
    assert_eq!((policy.name.as_str(), policy.description.as_deref()), ("web", Some("what it is for")));
    assert_eq!(policy.labels["tier"], "1");
    assert_eq!(policy.defaults.get(Action::Exec), Some(Verdict::Deny));
    assert_eq!(policy.defaults.get(Action::FileRead), None);
    let one = &policy.rules[0];
    assert_eq!(
        (one.severity, one.line, one.agent_types.as_slice()),
        (Severity::Critical, 11, &["claude-code".to_owned()][..])
    );
    assert!(one.applies(Some("claude-code"), b"/opt/node") && !one.applies(Some("claude-code"), b"/opt/deno"));
    assert!(!one.applies(None, b"/opt/node"));
    assert_eq!(policy.rules[1].severity, Severity::Low);
}

#[test]
fn a_default_can_be_one_word() {
    let checked =
        Policy::parse("apiVersion: tyr.dev/v1\nkind: Policy\nmetadata: {name: t}\nspec: {default: deny, rules: []}")
            .unwrap();
    assert!(Action::ALL.iter().all(|action| checked.policy.defaults.get(*action) == Some(Verdict::Deny)));
}

#[test]
fn reports_all_problems_in_order_of_place() {
    expect(
        "apiVersion: tyr.dev/v2\nkind: Polcy\nmetadat: {name: t}\nspec:\n  default: {exce: deny, exec: no}\n  rules:\n    - name: x\n      verdct: deny\n      action: exec\n    - action: exec\n      verdict: block\n    - 7\n",
        &[
            "line 1, column 13: `apiVersion` is `tyr.dev/v2`",
            "hint: the only one there is: `apiVersion: tyr.dev/v1`",
            "line 2, column 7: `kind` is `Polcy`",
            "hint: the only one there is: `kind: Policy`",
            "line 3, column 1: unknown field `metadat`",
            "hint: did you mean `metadata`?",
            "line 5, column 13: unknown action `exce`",
            "hint: did you mean `exec`?",
            "line 5, column 31: unknown verdict `no`",
            "hint: it is one of allow, alert, deny",
            "line 8, column 7: unknown field `verdct`",
            "hint: did you mean `verdict`?",
            "line 10, column 7: the rule has no `name`",
            "line 11, column 16: unknown verdict `block`",
            "hint: it is one of allow, alert, deny",
            "line 12, column 7: the rule must be a mapping, not a number",
        ],
    );
}

#[test]
fn says_what_is_missing() {
    expect(
        "{}",
        &[
            "line 1, column 1: the policy has no `apiVersion`",
            "line 1, column 1: the policy has no `kind`",
            "line 1, column 1: the policy has no `metadata`",
            "line 1, column 1: the policy has no `spec`",
        ],
    );
    expect(
        &rules("  - {name: x, action: file_write, verdict: deny}\n"),
        &[
            "line 6, column 5: the rule has no `resource_pattern`",
            "hint: say which files: `resource_pattern: \"/etc/**\"`, or \"*\" for all (file_write)",
        ],
    );
    expect(
        &rules("  - {action: exec}\n"),
        &["line 6, column 5: the rule has no `name`", "line 6, column 5: the rule has no `verdict`"],
    );
}

#[test]
fn refuses_names_used_twice() {
    expect(
        &rules(
            "  - {name: x, action: exec, verdict: deny, resource_pattern: /a}\n  - {name: x, action: exec, verdict: deny}\n",
        ),
        &[
            "line 7, column 12: a second rule is named `x`",
            "hint: the first is in line 6; events name the rule that matched, so names are unique",
        ],
    );
}

#[test]
fn says_what_a_condition_can_do_and_what_it_can_see() {
    let rule = |verdict: &str, condition: &str| {
        rules(&format!("  - name: x\n    action: exec\n    verdict: {verdict}\n    condition: {condition}\n"))
    };
    let warnings = |verdict: &str| {
        let checked = Policy::parse(&rule(verdict, "context.uid == 0")).unwrap();
        assert!(checked.policy.rules[0].condition.is_some());
        checked.warnings.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(warnings("alert"), Vec::<String>::new());
    assert!(warnings("deny")[0].starts_with("line 9, column 16: a `deny` with a condition can't refuse the action"));
    assert_eq!(warnings("allow"), ["line 9, column 16: an `allow` with a condition excepts from alerts only"]);
    expect(
        &rule("deny", "context.port == 443"),
        &[
            "line 9, column 16: the condition makes no sense for `exec`: attribute `port` in context for Action::\"exec\" not found",
            "hint: a condition sees context.path, exe, cmdline, agent_type and uid: docs/conditions.md",
        ],
    );
}

#[test]
fn points_at_bad_patterns_and_addresses() {
    expect(
        &rules(
            "  - name: x\n    action: exec\n    verdict: deny\n    resource_pattern: curl\n    binaries: [\"/bin/[ab\", /ok, \"~bob/x\"]\n\
             \x20 - name: y\n    action: net_connect\n    verdict: deny\n    cidr_deny: [10.0.0.1/8, 10.0.0.0/8:99999]\n    cidr_allow: []\n",
        ),
        &[
            "line 9, column 23: `curl` matches no path",
            "hint: paths begin with `/`: write the whole path, or `**/` before the name",
            "line 10, column 16: `[` at byte 5 has no `]`",
            "hint: a character that is meant as it is takes a `\\` before it",
            "line 10, column 33: `~` stands for every home and must be followed by `/`",
            "hint: a character that is meant as it is takes a `\\` before it",
            "line 14, column 17: `10.0.0.1/8` has bits set behind its prefix length",
            "hint: write `10.0.0.0/8`, or the address alone if only that one is meant",
            "line 14, column 29: `99999` is not a port, a range of ports or `*`",
            "hint: write `10.0.0.0/8`, `192.0.2.7:443`, `[2001:db8::]/32:8000-8999` or `*`",
            "line 15, column 17: `cidr_allow` is empty",
            "hint: leave it out, or name at least one address",
        ],
    );
}

#[test]
fn refuses_fields_of_another_action() {
    expect(
        &rules(
            "  - {name: x, action: exec, verdict: deny, cidr_deny: [10.0.0.0/8]}\n  - {name: y, action: net_connect, verdict: deny, sni_pattern: a.b}\n",
        ),
        &[
            "line 6, column 55: `cidr_deny` has no meaning for `exec`",
            "hint: it goes with `net_connect`",
            "line 7, column 64: `sni_pattern` has no meaning for `net_connect`",
            "hint: it goes with `tls_connect`",
        ],
    );
}

#[test]
fn explains_what_yaml_makes_of_patterns() {
    expect(
        &rules("  - {name: x, action: exec, verdict: deny, resource_pattern: ~}\n"),
        &[
            "line 6, column 62: `resource_pattern` must be text, not nothing",
            "hint: an unquoted `~` or nothing at all is no text: write it in quotes",
        ],
    );
    expect(
        &rules("  - name: x\n    resource_pattern: **/.env\n"),
        &[
            "line 7, column 23: aliases (`*name`) are not allowed",
            "hint: put a pattern that begins with `*` in quotes: \"**/.env\"",
        ],
    );
    expect(
        &rules("  - name: x\n    name: y\n"),
        &["line 7, column 5: field `name` is there twice", "hint: keep one of them"],
    );
    expect(
        "a: &b c\n",
        &[
            "line 1, column 7: anchors (`&name`) are not allowed",
            "hint: write the value out, or put text that begins with `&` in quotes",
        ],
    );
    expect(
        "a: b\n---\nc: d\n",
        &[
            "line 2, column 1: a second document begins here",
            "hint: a policy is one document: put each in a file of its own",
        ],
    );
    expect(
        "a: [1, 2\n",
        &[
            "line 1, column 4: unclosed bracket '['",
            "hint: put text that begins with one of [ { ! % @ ` & | > in quotes",
        ],
    );
    expect(
        "# nothing\n",
        &["line 2, column 1: the document is empty", "hint: a policy begins with `apiVersion: tyr.dev/v1`"],
    );
}

#[test]
fn warns_of_rules_that_never_match() {
    expect(
        &rules(
            "  - {name: all, action: exec, verdict: alert}\n\
             \x20 - {name: idle, action: exec, verdict: deny, resource_pattern: /bin/sh}\n\
             \x20 - {name: some, action: file_read, verdict: alert, resource_pattern: \"**\", agent_types: [cursor, aider]}\n\
             \x20 - {name: idle too, action: file_read, verdict: deny, resource_pattern: /etc/shadow, agent_types: [aider]}\n\
             \x20 - {name: alive, action: file_read, verdict: deny, resource_pattern: /etc/shadow}\n\
             \x20 - {name: net, action: net_connect, verdict: deny, cidr_deny: [10.0.0.0/8]}\n\
             \x20 - {name: net idle, action: net_connect, verdict: allow, cidr_allow: [\"10.1.0.0/16:443\"]}\n\
             \x20 - {name: net alive, action: net_connect, verdict: allow, cidr_allow: [10.1.0.0/16, 11.0.0.0/8]}\n",
        ),
        &[
            "line 7, column 5: rule `idle` never matches: `all` before it takes everything",
            "hint: the first rule that matches wins; `all` is in line 6",
            "line 9, column 5: rule `idle too` never matches: `some` before it takes everything",
            "hint: the first rule that matches wins; `some` is in line 8",
            "line 12, column 5: rule `net idle` never matches: `net` before it takes everything",
            "hint: the first rule that matches wins; `net` is in line 11",
        ],
    );
}

#[test]
fn warns_of_what_has_no_effect_yet_and_of_unknown_agent_types() {
    expect(
        &rules(
            "  - {name: x, action: tls_connect, verdict: deny, sni_pattern: \"*.ai\"}\n  - {name: y, action: exec, verdict: deny, agent_types: [claude_code, own-tool]}\n",
        ),
        &[
            "line 6, column 5: `tls_connect` rules have no effect yet: server names are not captured",
            "hint: use `net_connect` with the addresses until then",
            "line 7, column 58: no AI tool is known as `claude_code`",
            "hint: did you mean `claude-code`?",
        ],
    );
}

#[test]
fn messages_stay_one_bounded_line() {
    let yaml = rules(&format!("  - {{name: x, action: \"e\\e[2J{}\", verdict: deny}}\n", "x".repeat(1000)));
    let error = Policy::parse(&yaml).unwrap_err();
    let message = &error.diagnostics[0].message;
    assert!(message.starts_with("unknown action `e\\u{1b}[2Jxxx"), "{message}");
    assert_eq!(message.chars().filter(|c| c.is_control()).count(), 0);
    assert!(message.chars().count() < 320, "{}", message.len());
}

#[test]
fn refuses_what_the_tables_of_the_kernel_do_not_hold() {
    let ports = (0..33).fold(String::new(), |all, n| {
        all + &format!(
            "  - {{name: r{n}, action: net_connect, verdict: deny, cidr_deny: [\"10.0.0.0/8:{}\"]}}\n",
            n + 1
        )
    });
    expect(
        &rules(&ports),
        &[
            "line 38, column 5: rule `r32` is one too many for the addresses 10.0.0.0/8: more than 32 entries hold for them",
            "hint: put the addresses of rules with the same verdict into one rule, or into wider blocks",
        ],
    );
    let types = (0..300).fold(String::new(), |all, n| {
        all + &format!("  - {{name: r{n}, action: exec, verdict: deny, agent_types: [t{n}]}}\n")
    });
    expect(
        &rules(&types),
        &[
            "line 6, column 5: the `agent_types` and `binaries` of the rules make more than 256 different sets of rules",
            "hint: use fewer and plainer `binaries`, or overlays in place of `agent_types`",
        ],
    );
    expect(
        &rules(
            "  - {name: fine, action: exec, verdict: deny, binaries: [/bin/sh]}\n\
             \x20 - {name: wide, action: exec, verdict: deny, binaries: [\"**a????????????????\"]}\n",
        ),
        &[
            "line 7, column 5: the `binaries` of the rules are too many or too wide: `**a????????????????` makes the patterns before it and itself need more than 10000 states",
            "hint: use fewer and plainer `binaries`, or overlays in place of `agent_types`",
        ],
    );
}

mod hiding {
    use proptest::prelude::{Just, Strategy, prop_oneof, proptest};

    use super::{Policy, rules};
    use crate::eval::{Act, Effective, Layer, Resource};
    use crate::held::Held;
    use crate::words::{Action, Protocol};

    fn rule() -> impl Strategy<Value = String> {
        let verdict = prop_oneof![Just("allow"), Just("deny"), Just("alert")];
        let what = prop_oneof![
            Just("action: exec"),
            Just("action: exec, resource_pattern: \"/a*\""),
            Just("action: exec, resource_pattern: \"**\""),
            Just("action: net_connect"),
            Just("action: net_connect, cidr_deny: [10.0.0.0/8]"),
            Just("action: net_connect, cidr_deny: [10.0.0.0/8, \"::/0\"]"),
            Just("action: net_connect, cidr_allow: [10.1.0.0/16]"),
            Just("action: net_connect, cidr_allow: [\"10.1.0.0/16:1\"], cidr_deny: [\"10.1.1.0/24\"]"),
            Just("action: net_connect, resource_pattern: \"*:1\""),
        ];
        let whose = prop_oneof![
            Just(""),
            Just(", agent_types: [t1]"),
            Just(", agent_types: [t1, t2]"),
            Just(", binaries: [/b]"),
            Just(", binaries: [/b, /c]"),
        ];
        (verdict, what, whose).prop_map(|(verdict, what, whose)| format!("{what}, verdict: {verdict}{whose}"))
    }

    proptest! {
        #[test]
        fn hidden_rules_match_nothing(list in proptest::collection::vec(rule(), 2..7)) {
            let line = |all: String, (n, rule)| all + &format!("  - {{name: r{n}, {rule}}}\n");
            let text = list.iter().enumerate().fold(String::new(), line);
            let checked = Policy::parse(&rules(&text)).unwrap();
            let hidden: Vec<u32> = checked.warnings.iter().map(|warning| warning.line).collect();
            let effective = Effective::new(vec![Layer { version: 1, agent_type: None, policy: checked.policy }]);
            for agent_type in [None, Some("t1"), Some("t2")] {
                for binary in ["/b", "/c", "/d"] {
                    let paths = ["/a", "/b"].map(|path| Resource::Path { path: path.as_bytes(), truncated: false });
                    let addrs = ["10.0.0.1", "10.1.0.1", "10.1.1.1", "11.0.0.1", "::1"];
                    let nets = addrs.iter().flat_map(|addr| {
                        [1, 2].map(|port| Resource::Net { addr: addr.parse().unwrap(), port, protocol: Protocol::Tcp })
                    });
                    for resource in paths.into_iter().chain(nets) {
                        for action in [Action::Exec, Action::NetConnect] {
                            let binary = binary.as_bytes();
                            let judged = effective.judge(&Act { action, resource, agent_type, binary, held: Held::NONE });
                            let line = judged.index.map(|index| effective.rule(index).unwrap().rule.line);
                            assert!(line.is_none_or(|line| !hidden.contains(&line)), "line {line:?} of\n{text}");
                        }
                    }
                }
            }
        }
    }
}
