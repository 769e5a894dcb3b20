use std::fmt::Write as _;

use proptest::prelude::{Just, Strategy, any, prop_assume, prop_oneof, proptest};

use super::{FILE_ACTIONS, Image, ImageError, Word};
use crate::automaton::tests::realistic;
use crate::compiled::Compiled;
use crate::eval::{Act, Effective, Layer, Resource};
use crate::held::Held;
use crate::policy::Policy;
use crate::words::{Action, Verdict};

const WORDS: [&str; 3] = ["allow", "alert", "deny"];

/// One policy of these rules, as text: what is behind the pattern ends each rule.
fn effective(defaults: [usize; 3], rules: impl IntoIterator<Item = (String, usize, usize, String)>) -> Effective {
    let [read, write, exec] = defaults.map(|at| WORDS[at]);
    let mut yaml = format!(
        "apiVersion: tyr.dev/v1\nkind: Policy\nmetadata: {{name: t}}\nspec:\n  default: {{file_read: {read}, file_write: {write}, exec: {exec}}}\n  rules:\n"
    );
    for (at, (pattern, action, verdict, rest)) in rules.into_iter().enumerate() {
        let (action, verdict) = (FILE_ACTIONS[action], WORDS[verdict]);
        writeln!(
            yaml,
            "  - {{name: r{at}, action: {action}, resource_pattern: '{pattern}', verdict: {verdict}{rest}}}"
        )
        .expect("writing to a String");
    }
    let policy = Policy::parse(&yaml).unwrap_or_else(|error| panic!("{error}\n{yaml}")).policy;
    Effective::new(vec![Layer { version: 1, agent_type: None, policy }])
}

#[test]
fn a_word_reads_back() {
    for verdict in [Verdict::Allow, Verdict::Alert, Verdict::Deny] {
        for rule in [None, Some(0), Some(4095), Some(u16::MAX)] {
            let word = Word::new(verdict, rule);
            assert_eq!((word.verdict(), word.rule()), (verdict, rule));
            assert_eq!(Word::from_bits(word.bits()), Some(word));
        }
    }
    assert_eq!((Word::from_bits(3), Word::from_bits(0x0200_0000)), (None, None));
    assert!(Word::new(Verdict::Alert, Some(6)).bits() < Word::new(Verdict::Allow, Some(7)).bits(), "order of rules");
}

/// Servers compare the contents of tables with what a host's kernel holds, whatever version each runs: the same policy makes the
/// same contents, or the version goes up.
#[test]
fn the_same_policy_makes_the_same_contents() {
    let yaml = "apiVersion: tyr.dev/v1\nkind: Policy\nmetadata: {name: p}\nspec:\n  default: {exec: alert}\n  rules:\n    \
        - {name: keys, action: file_read, verdict: deny, resource_pattern: '~/.ssh/**', binaries: ['**/node']}\n    \
        - {name: etc, action: file_write, verdict: alert, resource_pattern: '/etc/*', agent_types: [codex]}\n    \
        - {name: net, action: net_connect, verdict: deny, cidr_deny: ['10.0.0.0/8:1-1024/tcp'], cidr_allow: ['10.1.0.0/16']}\n    \
        - {name: held, action: exec, verdict: deny, resource_pattern: '**/sh', condition: 'context.uid == 0'}\n";
    let layer =
        |yaml: &str| Layer { version: 1, agent_type: None, policy: Policy::parse(yaml).expect("a policy").policy };
    let image = |yaml: &str| Image::new(&Effective::new(vec![layer(yaml)])).expect("small");
    let digest = image(yaml).contents().digest();
    assert_eq!(
        digest, "2-437691671ac302c8eccab26ab35246ea86577b4cd1961c20d52707f16b9311aa",
        "raise CONTENTS_VERSION, and write the new digest down"
    );
    for (from, to) in [
        ("'~/.ssh", "'~/.ssg"),
        ("**/sh", "**/zsh"),
        ("1-1024", "1-1025"),
        ("[codex]", "[cursor]"),
        ("exec: alert", "exec: deny"),
    ] {
        assert_ne!(image(&yaml.replace(from, to)).contents().digest(), digest, "{from}");
    }
}

#[test]
fn a_thousand_realistic_rules_fit_into_a_mebibyte() {
    let rules = realistic::patterns(1000).into_iter().map(|pattern| (pattern, 0, 2, String::new()));
    let image = Image::new(&effective([0, 0, 0], rules)).unwrap();
    let bytes = image.rows().len() * 4;
    assert!(bytes <= 1 << 20, "{bytes} bytes");
}

#[test]
fn says_which_rule_is_one_too_many() {
    let patterns = ["/etc/**", "**a??????????????????????", "**/x"];
    let yaml = patterns.map(|pattern| (pattern.to_owned(), 0, 2, String::new()));
    let text = format!(
        "apiVersion: tyr.dev/v1\nkind: Policy\nmetadata: {{name: t}}\nspec:\n  rules:\n{}",
        yaml.iter().enumerate().fold(String::new(), |text, (at, (pattern, ..))| format!(
            "{text}  - {{name: r{at}, action: file_read, resource_pattern: '{pattern}', verdict: deny}}\n"
        ))
    );
    let refused = Policy::parse(&text).unwrap_err();
    let first = &refused.diagnostics[0];
    assert!(first.message.starts_with("with rule `r1` the patterns over files and programs are too much"), "{first:?}");
    assert_eq!(first.line, 7, "{first:?}");
}

#[test]
fn profiles_that_say_the_same_of_addresses_share_a_table() {
    let rule = |pattern: &str, rest: &str| (pattern.to_owned(), 0, 2, rest.to_owned());
    let rules = [rule("/a/**", ", agent_types: [codex]"), rule("/b/**", ", binaries: ['**/node']")];
    let image = Image::new(&effective([0, 0, 0], rules)).unwrap();
    assert_eq!((image.list().len(), image.net().len()), (4, 1));
}

#[test]
fn nothing_of_an_end_is_allowed_that_could_be_denied() {
    let rules = [("/a/**", 0, 0), ("/b/**", 0, 1), ("/c/**", 0, 2), ("/d/**", 1, 1)];
    let rules = rules.map(|(pattern, action, verdict)| (pattern.to_owned(), action, verdict, String::new()));
    let effective = effective([0, 2, 1], rules);
    let image = Image::new(&effective).unwrap();
    let says = |at: usize| {
        let resource = Resource::Path { path: b"/a/x", truncated: true };
        let act = Act { action: FILE_ACTIONS[at], resource, agent_type: None, binary: b"", held: Held::NONE };
        let word = image.judge(&act).unwrap();
        assert_eq!((word.verdict(), word.rule()), {
            let plain = effective.judge(&act);
            (plain.verdict, plain.index)
        });
        (word.verdict(), word.rule())
    };
    assert_eq!(says(0), (Verdict::Deny, Some(2)), "the rule that denies, though others come first");
    assert_eq!(says(1), (Verdict::Deny, None), "the default is stricter than the rule");
    assert_eq!(says(2), (Verdict::Alert, None));
}

#[test]
fn a_socket_that_reaches_anybody_is_denied_where_any_address_is() {
    let says = |rules: &str| {
        let yaml = format!("apiVersion: tyr.dev/v1\nkind: Policy\nmetadata: {{name: p}}\nspec:\n  rules:\n{rules}");
        let policy = Policy::parse(&yaml).unwrap().policy;
        let effective = Effective::new(vec![Layer { version: 1, agent_type: None, policy }]);
        let (image, compiled) = (Image::new(&effective).unwrap(), Compiled::new(effective.clone()));
        [(None, &b"/bin/sh"[..]), (Some("codex"), b"/x/node")].map(|(agent_type, binary)| {
            let held = Held::nth(0);
            let act = Act { action: Action::NetConnect, resource: Resource::Socket, agent_type, binary, held };
            let plain = effective.judge(&act);
            let word = image.judge(&act).unwrap();
            assert_eq!((word.verdict(), word.rule()), (plain.verdict, plain.index));
            assert_eq!(compiled.judge(&act), plain);
            (plain.verdict, plain.index)
        })
    };
    let allow = "    - {name: a, action: net_connect, cidr_allow: [10.0.0.0/8], verdict: allow}\n";
    let alert = "    - {name: b, action: net_connect, cidr_deny: [10.0.0.0/8], verdict: alert}\n";
    let deny = "    - {name: c, action: net_connect, cidr_deny: [10.1.0.0/16], agent_types: [codex], verdict: deny}\n";
    let file = "    - {name: f, action: file_read, resource_pattern: /x, verdict: deny}\n";
    assert_eq!(says(&format!("{file}{allow}")), [(Verdict::Allow, None); 2], "no rule on addresses denies");
    assert_eq!(says(&format!("{allow}{alert}")), [(Verdict::Alert, Some(1)); 2]);
    assert_eq!(says(&format!("{allow}{alert}{deny}")), [(Verdict::Alert, Some(1)), (Verdict::Deny, Some(2))]);
    let held = "    - {name: h, action: net_connect, cidr_deny: [192.0.2.7], agent_types: [codex], verdict: alert, condition: 'context.uid == 0'}\n";
    assert_eq!(says(&format!("{allow}{alert}{held}")), [(Verdict::Alert, Some(1)), (Verdict::Deny, Some(2))]);
    let deny = deny.replace(", agent_types: [codex]", "");
    assert_eq!(says(&format!("{deny}{held}")), [(Verdict::Deny, Some(0)); 2], "of two that deny the first");
}

fn pattern() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("/"),
        Just("a"),
        Just("b"),
        Just("*"),
        Just("**"),
        Just("/**/"),
        Just("?"),
        Just("[!a]"),
        Just("{a,/b}"),
    ];
    let pieces = proptest::collection::vec(piece, 1..6).prop_map(|pieces| pieces.concat());
    (prop_oneof![Just("/"), Just("**/"), Just("**"), Just("~/")], pieces)
        .prop_map(|(start, rest)| start.to_owned() + &rest)
}

fn whom() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => Just(String::new()),
        1 => Just(", agent_types: [codex]".to_owned()),
        1 => Just(", binaries: ['/bin/*']".to_owned()),
        1 => Just(", agent_types: [codex, aider], binaries: ['**/node']".to_owned()),
        3 => Just(", condition: 'context.uid == 0'".to_owned()),
        1 => Just(", binaries: ['/bin/*'], condition: 'context.uid == 0'".to_owned()),
    ]
}

proptest! {
    #[test]
    fn agrees_with_the_plain_evaluator(
        rules in proptest::collection::vec((pattern(), 0..3_usize, 0..3_usize, whom()), 1..16),
        defaults in [0..3_usize, 0..3_usize, 0..3_usize],
        paths in proptest::collection::vec((r"/?(root/|home/a/)?[/abc]{0,9}", any::<bool>()), 16),
        held in prop_oneof![Just(0), any::<u64>()],
    ) {
        let effective = effective(defaults, rules);
        let image = Image::new(&effective);
        prop_assume!(!matches!(image, Err(ImageError::Files { .. })));
        let image = image.unwrap();
        let compiled = Compiled::new(effective.clone());
        for (path, truncated) in &paths {
            for action in FILE_ACTIONS {
                for (agent_type, binary) in [(None, &b"/bin/sh"[..]), (Some("codex"), b"/x/node"), (Some("aider"), b"/x")] {
                    let resource = Resource::Path { path: path.as_bytes(), truncated: *truncated };
                    let act = Act { action, resource, agent_type, binary, held: Held::from_bits(held) };
                    let plain = effective.judge(&act);
                    let word = image.judge(&act).unwrap();
                    assert_eq!((word.verdict(), word.rule()), (plain.verdict, plain.index), "{act:?}");
                    assert_eq!(compiled.judge(&act), plain, "{act:?}");
                }
            }
        }
    }
}
