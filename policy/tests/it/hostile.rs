//! Documents made to break things are refused, within bounds. A bound that is missing shows as a test that never ends.

use std::fmt::Write;

use proptest::prelude::{any, proptest};
use tyr_policy::{Automaton, Glob, POLICY_BYTES_MAX, Policy};

const HEAD: &str = "apiVersion: tyr.dev/v1\nkind: Policy\nmetadata: {name: t}\nspec:\n  rules:\n";

fn filled(item: impl Fn(usize) -> String) -> String {
    let mut yaml = HEAD.to_owned();
    for n in 0.. {
        let item = item(n);
        if yaml.len() + item.len() > POLICY_BYTES_MAX {
            return yaml;
        }
        yaml.push_str(&item);
    }
    unreachable!("the document is full at some time")
}

fn refused(what: &str, yaml: &str) -> String {
    let error = Policy::parse(yaml).expect_err(what);
    assert!(error.diagnostics.len() <= 101, "{what}: {} problems", error.diagnostics.len());
    let text = error.to_string();
    assert!(text.len() < 64 * 1024, "{what}: {} bytes of problems", text.len());
    text
}

#[test]
fn refuses_bombs() {
    let laughs = (1..20).fold("a0: &a0 [x]\n".to_owned(), |mut yaml, n| {
        writeln!(yaml, "a{n}: &a{n} [*a{0}, *a{0}, *a{0}, *a{0}]", n - 1).unwrap();
        yaml
    });
    let unknown = (0..20_000).fold(String::new(), |all, n| all + &format!("f{n}: 1, "));
    let long_key = format!("{HEAD}    - {{{}: 1}}\n", "k".repeat(200_000));
    let bombs = [
        ("laughs", laughs),
        ("nested lists", "[".repeat(200_000)),
        ("nested blocks", "- ".repeat(100_000)),
        ("nested mappings", "{a: ".repeat(60_000)),
        ("long key", long_key),
        ("long word", format!("{HEAD}    - {{name: x, action: {}}}\n", "e".repeat(200_000))),
        ("many documents", "---\na: b\n".repeat(20_000)),
        ("many rules", filled(|_| "    - {}\n".to_owned())),
        ("many unknown fields", format!("{HEAD}    - {{{unknown}}}\n")),
        (
            "braces",
            filled(|n| {
                let tail = "y".repeat(80);
                format!(
                    "    - {{name: r{n}, action: exec, verdict: deny, resource_pattern: \"/{}{tail}\"}}\n",
                    "{a,b}".repeat(6)
                )
            }),
        ),
        ("control characters", "a: \u{1}\u{1b}[2J".to_owned()),
        ("too large", "#".repeat(POLICY_BYTES_MAX + 1)),
    ];
    for (what, yaml) in bombs {
        refused(what, &yaml);
    }
}

#[test]
fn repeated_names_are_found_at_any_number() {
    let text =
        refused("same name", &format!("{HEAD}{}", "    - {name: x, action: exec, verdict: deny}\n".repeat(4000)));
    assert!(text.starts_with("line 7, column 14: a second rule is named `x`\n"), "{text}");
    assert!(text.contains("more problems are not shown"));
}

#[test]
fn takes_as_many_rules_as_fit() {
    let yaml = filled(|n| format!("    - {{name: r{n}, action: exec, verdict: deny, resource_pattern: /srv/{n}/*}}\n"));
    let checked = Policy::parse(&yaml).unwrap();
    assert!(checked.policy.rules.len() > 3000);
}

proptest! {
    #[test]
    fn any_text_is_refused_or_taken(text in any::<String>()) {
        let _ = Policy::parse(&text);
    }

    #[test]
    fn any_yaml_like_text_is_refused_or_taken(text in r"([a-z*&!{}\[\],:?|>~'\x22#%@-]{0,6}[ \n]{0,3}){0,40}") {
        let _ = Policy::parse(&text);
        let _ = Policy::parse(&format!("{HEAD}    - {text}"));
    }

    #[test]
    fn any_fields_are_refused_or_taken(
        fields in proptest::collection::vec(
            ("(name|action|verdict|severity|binaries|resource_pattern|cidr_allow|cidr_deny|agent_types|sni_pattern|condition)", r"[^\n\x00]{0,20}"),
            0..8,
        ),
    ) {
        let mut yaml = format!("{HEAD}    - ");
        for (name, value) in &fields {
            write!(yaml, "{name}: {value}\n      ").unwrap();
        }
        let _ = Policy::parse(&yaml);
    }
}

#[test]
fn patterns_that_multiply_are_refused_in_time() {
    let parse = |pattern: &str| Glob::parse(pattern).unwrap();
    let remembers =
        (0..40).map(|n| parse(&format!("**/{}*x{}", "?".repeat(n % 7), "?".repeat(n + 2)))).collect::<Vec<_>>();
    let wide = (0..200).map(|n| parse(&format!("/**/a{n}/**/b{n}/**/c{n}/**/d{n}"))).collect::<Vec<_>>();
    let long = (0..40).map(|n| parse(&format!("**{n}{}", "[ab]?*".repeat(80)))).collect::<Vec<_>>();
    for (what, patterns) in [("remembers", remembers), ("wide", wide), ("long", long)] {
        let error = Automaton::split(&patterns, 2_000).expect_err(what);
        assert_eq!(error.text, patterns[error.pattern].as_str());
    }
}
