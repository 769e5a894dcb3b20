//! Documents made to break things are refused within a second and 64 MiB, with a place and a hint: each in a process of its own,
//! so that one's memory is not another's.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::process::Command;
use std::time::Duration;

use tyr_policy::{POLICY_BYTES_MAX, Policy, PolicyError};

/// Tells the child which document is its.
const VARIABLE: &str = "TYR_TEST_DOCUMENT";
const TIME_MAX: Duration = Duration::from_secs(1);
const MEMORY_KIB_MAX: u64 = 64 * 1024;
const HEAD: &str = "apiVersion: tyr.dev/v1\nkind: Policy\nmetadata: {name: t}\nspec:\n  rules:\n";

/// As many of these as fit into a document.
fn filled(item: impl Fn(usize) -> String) -> String {
    let mut yaml = HEAD.to_owned();
    for n in 0.. {
        let item = item(n);
        if yaml.len() + item.len() > POLICY_BYTES_MAX {
            break;
        }
        yaml.push_str(&item);
    }
    yaml
}

fn some(count: usize, item: impl Fn(usize) -> String) -> String {
    HEAD.to_owned() + &(0..count).map(item).collect::<Vec<_>>().concat()
}

fn exec(n: usize, pattern: &str) -> String {
    format!("    - {{name: r{n}, action: exec, verdict: deny, resource_pattern: \"{pattern}\"}}\n")
}

/// Each with what its first problem says.
fn documents() -> Vec<(String, String, &'static str)> {
    let mut documents: Vec<(String, String, &'static str)> = Vec::new();
    let mut add = |name: &str, yaml: String, says: &'static str| documents.push((name.to_owned(), yaml, says));
    for width in [2, 4, 9] {
        let mut laughs = "a0: &a0 [x]\n".to_owned();
        for n in 1..20 {
            let items = vec![format!("*a{}", n - 1); width].join(", ");
            writeln!(laughs, "a{n}: &a{n} [{items}]").unwrap();
        }
        add(&format!("laughs of {width}"), laughs, "anchors (`&name`) are not allowed");
    }
    add("merge keys", format!("{HEAD}    - &a {{name: x}}\n    - {{<<: *a}}\n"), "anchors (`&name`) are not allowed");
    for (open, close) in [("[", "]"), ("{a: ", "}")] {
        let nested = format!("{}x{}", open.repeat(40), close.repeat(40));
        add(&format!("40 of {open}"), nested, "the document is nested more than 32 deep");
    }
    for depth in [1_000, 200_000] {
        add(&format!("{depth} lists"), "[".repeat(depth), "the document is nested more than 32 deep");
        add(&format!("{depth} mappings"), "{a: ".repeat(depth.min(60_000)), "the document is nested more than 32 deep");
        add(&format!("{depth} blocks"), "- ".repeat(depth.min(100_000)), "the document is nested more than 32 deep");
    }
    add("too large", "#".repeat(POLICY_BYTES_MAX + 1), "a policy of 262145 bytes is larger than 256 KiB");
    add("a million rules", format!("{HEAD}{}", "    - {name: r}\n".repeat(1_000_000)), "a policy of ");
    add("documents", "---\na: b\n".repeat(20_000), "a second document begins here");
    add("a repeated key", format!("{HEAD}    - {{name: x, name: y}}\n"), "field `name` is there twice");
    add(
        "a key repeated often",
        format!("{HEAD}    - {{{}}}\n", "name: x, ".repeat(20_000)),
        "field `name` is there twice",
    );
    add(
        "a repeated name",
        some(4_000, |_| "    - {name: x, action: exec, verdict: deny}\n".to_owned()),
        "a second rule is named `x`",
    );
    add("rules", filled(|_| "    - {}\n".to_owned()), "29119 rules are more than 4096");
    add(
        "unknown fields",
        format!("{HEAD}    - {{{}}}\n", (0..9_000).fold(String::new(), |all, n| all + &format!("f{n}: 1, "))),
        "unknown field `f0`",
    );
    add("a long key", format!("{HEAD}    - {{{}: 1}}\n", "k".repeat(200_000)), "");
    add(
        "a long word",
        format!("{HEAD}    - {{name: x, verdict: deny, action: {}}}\n", "e".repeat(200_000)),
        "unknown action ",
    );
    add(
        "a long pattern",
        format!("{HEAD}{}", exec(0, &format!("/{}", "a".repeat(100_000)))),
        "a pattern of 100001 bytes is longer than 512",
    );
    add("braces", some(1, |n| exec(n, &format!("/{}", "{a,b}".repeat(40)))), "`{…}` and `~` expand the pattern");
    add("braces in braces", some(1, |n| exec(n, &format!("/{}a{}", "{a,".repeat(60), "}".repeat(60)))), "`{` at byte ");
    add(
        "braces in every rule",
        filled(|n| exec(n, &format!("/{}{}", "{a,b}".repeat(6), "y".repeat(80)))),
        "here the patterns of the policy become too many",
    );
    // Patterns that multiply each other.
    add(
        "memory of names",
        some(40, |n| exec(n, &format!("**/{}*x{}", "?".repeat(n % 7), "?".repeat(n + 2)))),
        "with rule `r",
    );
    add("floating names", some(200, |n| exec(n, &format!("/**/a{n}/**/b{n}/**/c{n}/**/d{n}"))), "with rule `r");
    add("sets in a row", some(40, |n| exec(n, &format!("**{n}{}", "[ab]?*".repeat(80)))), "with rule `r");
    add("one that doubles", some(1, |n| exec(n, &format!("**a{}", "?".repeat(40)))), "with rule `r0`");
    add("many that double", filled(|n| exec(n, &format!("**{}*a{}", n % 10, "?".repeat(20)))), "with rule `r");
    add("stars", some(60, |n| exec(n, &format!("/{}{n}", "*a*b*c".repeat(80)))), "with rule `r");
    // Programs and types that multiply each other.
    add(
        "programs",
        some(30, |n| {
            format!(
                "    - {{name: r{n}, action: exec, verdict: deny, binaries: ['**/*{n}*'], resource_pattern: '/x{n}'}}\n"
            )
        }),
        "the `binaries` of the rules",
    );
    add(
        "types",
        some(400, |n| {
            format!("    - {{name: r{n}, action: exec, verdict: deny, agent_types: [t{n}], resource_pattern: '/x'}}\n")
        }),
        "the `agent_types` and `binaries`",
    );
    add(
        "types with a table each",
        some(250, |n| match n {
            0..8 => exec(n, &format!("**/*{n}*a???????")),
            _ => format!(
                "    - {{name: r{n}, action: exec, verdict: deny, agent_types: [t{n}], resource_pattern: '/x{n}'}}\n"
            ),
        }),
        "with rule `r",
    );
    // Addresses.
    add(
        "nested blocks of addresses",
        some(4, |n| {
            let blocks: Vec<String> = (0..1_200).map(|b| format!("10.{}.{}.0/24", b / 250 + n * 10, b % 250)).collect();
            format!("    - {{name: r{n}, action: net_connect, verdict: deny, cidr_deny: [{}]}}\n", blocks.join(", "))
        }),
        "",
    );
    add(
        "ports",
        some(40, |n| {
            format!("    - {{name: r{n}, action: net_connect, verdict: deny, cidr_deny: ['10.0.0.0/8:{}']}}\n", n + 1)
        }),
        "",
    );
    // Conditions.
    let condition = |n: usize, text: &str| {
        format!("    - {{name: r{n}, action: exec, verdict: alert, condition: '{text}', resource_pattern: '/x{n}'}}\n")
    };
    add(
        "160 parentheses",
        some(1, |n| condition(n, &format!("{}true{}", "(".repeat(160), ")".repeat(160)))),
        "the condition is nested",
    );
    add(
        "brackets",
        some(1, |n| condition(n, &format!("{}1{}", "[".repeat(900), "]".repeat(900)))),
        "the condition is nested",
    );
    add("branches", some(1, |n| condition(n, &"if true then ".repeat(150))), "the condition is nested");
    add("a long condition", some(1, |n| condition(n, &"a".repeat(100_000))), "a condition of 100000 bytes");
    add("many conditions", some(2_000, |n| condition(n, "true")), "more than 64 rules have a condition");
    add("wide conditions", some(65, |n| condition(n, &vec!["context.uid == 1"; 100].join(" || "))), "");
    // Not quite text.
    for (name, text) in [
        ("a NUL", "a: \0"),
        ("escapes", "a: \u{1b}[2J"),
        ("tabs", "a:\n\t- b"),
        ("an open quote", "a: \"b"),
        ("a mark", "\u{feff}a: b"),
    ] {
        add(name, text.to_owned(), "");
    }
    // Many that are drawn from a seed: pieces of the language in any order.
    let pieces = [
        "[", "]", "{", "}", "- ", ": ", "\n", "  ", "&a ", "*a", "? ", "!!x ", "| ", "> ", "'", "\"", "#", "name", "~",
        "%", "<<", "---\n", "\t",
    ];
    let mut seed = 0x2545_f491_4f6c_dd1du64;
    for n in 0..150 {
        let mut text = if n % 2 == 0 { HEAD.to_owned() } else { String::new() };
        while text.len() < 50 + n * 400 {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            text.push_str(pieces[usize::try_from(seed % pieces.len() as u64).unwrap()]);
        }
        add("drawn", text, "");
    }
    documents
}

fn refuse(yaml: &str) -> Option<PolicyError> {
    match Policy::parse(yaml) {
        Ok(checked) => checked.survey().err(),
        Err(error) => Some(error),
    }
}

fn status_kib(field: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(field)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn processor_time() -> Duration {
    let times = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(times.split_whitespace().next().unwrap().parse().unwrap())
}

/// One document, measured.
fn measure(name: &str, yaml: &str, says: &str) {
    // What making the documents took is none of the checker's.
    fs::write("/proc/self/clear_refs", "5").unwrap();
    let (before, start) = (status_kib("VmRSS"), processor_time());
    let error = refuse(yaml).unwrap_or_else(|| panic!("{name} was taken"));
    // Not by the clock on the wall, which goes on while others have the processor.
    let (took, grew) = (processor_time().saturating_sub(start), status_kib("VmHWM").saturating_sub(before));
    assert!(took < TIME_MAX, "{name} took {took:?}");
    assert!(grew < MEMORY_KIB_MAX, "{name} took {grew} KiB");
    let first = &error.diagnostics[0];
    assert!(first.message.starts_with(says), "{name}: {first}");
    // A document that is too large as a whole has no place; all else has one.
    assert!(first.line > 0 || first.message.starts_with("a policy of"), "{name}: {first}");
    if !says.is_empty() {
        assert!(error.diagnostics.iter().any(|d| d.hint.is_some()), "{name}: {error}");
    }
}

#[test]
fn hostile_documents_are_refused_within_a_second_and_64_mib() {
    if let Ok(name) = std::env::var(VARIABLE) {
        for (_, yaml, says) in documents().iter().filter(|(own, ..)| *own == name) {
            measure(&name, yaml, says);
        }
        return;
    }
    let documents = documents();
    assert!(documents.len() >= 180, "only {} documents", documents.len());
    let mut failed = Vec::new();
    for name in documents.iter().map(|(name, ..)| name).collect::<BTreeSet<_>>() {
        let test = "bounds::hostile_documents_are_refused_within_a_second_and_64_mib";
        let mut command = Command::new(std::env::current_exe().unwrap());
        let output = command.args([test, "--exact", "--nocapture"]).env(VARIABLE, name).output().unwrap();
        if !output.status.success() {
            let text = [output.stdout, output.stderr].concat();
            failed.push(format!("{name}: {}\n{}", output.status, String::from_utf8_lossy(&text)));
        }
    }
    assert!(failed.is_empty(), "{} of {}:\n{}", failed.len(), documents.len(), failed.join("\n"));
}
