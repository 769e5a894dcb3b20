use super::{Profiles, ProfilesError};
use crate::eval::{Effective, Layer};
use crate::policy::Policy;
use crate::words::{Action, Verdict};

const HEAD: &str = "apiVersion: tyr.dev/v1\nkind: Policy\nmetadata: {name: t}\nspec:\n";

fn layer(version: u32, agent_type: Option<&str>, spec: &str) -> Layer {
    let policy = Policy::parse(&format!("{HEAD}{spec}")).unwrap().policy;
    Layer { version, agent_type: agent_type.map(str::to_owned), policy }
}

fn effective() -> Effective {
    Effective::new(vec![
        layer(2, Some("cursor"), "  default: {exec: deny}\n  rules:\n  - {name: own, action: exec, verdict: allow}\n"),
        layer(
            1,
            None,
            r#"
  default: alert
  rules:
  - {name: all, action: exec, verdict: alert}
  - {name: typed, action: exec, verdict: alert, agent_types: [aider, codex]}
  - {name: shells, action: exec, verdict: deny, binaries: ["/bin/{sh,bash}", "**/zsh"]}
  - {name: curl, action: net_connect, verdict: deny, binaries: ["**/curl"], agent_types: [codex]}
"#,
        ),
    ])
}

#[test]
fn tables_find_the_profile_that_the_rules_say() {
    let effective = effective();
    let profiles = Profiles::new(&effective, Action::ALL).unwrap();
    assert_eq!(profiles.types(), ["aider", "codex", "cursor"]);
    for agent_type in [None, Some("aider"), Some("codex"), Some("cursor"), Some("other")] {
        for binary in ["/bin/sh", "/bin/bash", "/usr/bin/zsh", "/usr/bin/curl", "/bin/ls", ""] {
            let number = profiles.number(agent_type, binary.as_bytes());
            let expected = effective.profile(agent_type, binary.as_bytes());
            assert_eq!(profiles.profiles()[usize::from(number)], expected, "{agent_type:?} {binary}");
        }
    }
}

#[test]
fn overlays_come_before_the_base() {
    let effective = effective();
    let cursor = effective.profile(Some("cursor"), b"/bin/sh");
    let names: Vec<&str> = effective.rules_of(&cursor, Action::Exec).map(|r| r.rule.name.as_str()).collect();
    assert_eq!(names, ["own", "all", "shells"]);
    assert_eq!(cursor.default(Action::Exec), (Verdict::Deny, Some(2)));
    assert_eq!(cursor.default(Action::FileRead), (Verdict::Alert, Some(1)), "the overlay says nothing of it");
    assert_eq!(effective.profile(None, b"/bin/ls").rules(), [1]);
}

#[test]
fn refuses_more_profiles_than_the_tables_hold() {
    use std::fmt::Write;
    // Each layer fits by itself, or it would not have been taken.
    let many = |version: u32| {
        let mut spec = "  rules:\n".to_owned();
        for n in 0..200 {
            writeln!(spec, "  - {{name: r{n}, action: exec, verdict: alert, agent_types: [t{version}-{n}]}}").unwrap();
        }
        layer(version, None, &spec)
    };
    let many = Effective::new(vec![many(1), many(2)]);
    assert_eq!(Profiles::new(&many, Action::ALL).unwrap_err(), ProfilesError::TooMany);
}
