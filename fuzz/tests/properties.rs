//! Each target with bytes that are drawn, with pieces of what it reads, and with what is kept in `fuzz/corpus`.

use std::fs;
use std::path::Path;

use proptest::prelude::{ProptestConfig, Strategy, any, prop_oneof};
use proptest::sample::select;
use proptest::test_runner::TestRunner;
use tyr_fuzz::{TARGETS, Target};

/// Inputs for each target; libFuzzer does millions.
const INPUTS: u32 = 256;

/// Pieces of all that is read, so that more than the first check is reached.
const PIECES: &[&str] = &[
    "apiVersion: tyr.dev/v1\nkind: Policy\nmetadata: {name: t}\nspec:\n  rules:\n",
    "    - {name: a, action: exec, verdict: deny, resource_pattern: '/**/x*'}\n",
    "    - {name: b, action: file_read, verdict: allow, resource_pattern: '~/.ssh/{a,b}'}\n",
    "    - {name: c, action: net_connect, verdict: deny, cidr_deny: ['10.0.0.0/8:80']}\n",
    "    - {name: d, action: exec, verdict: alert, binaries: ['**/node'], agent_types: [codex]}\n",
    "cases:\n",
    "  - {act: exec, to: /x, gives: deny}\n",
    "/a/**",
    "**/b",
    "\n",
    "{a,b}",
    "[!a]",
    "?",
    "*",
    "\\",
    "~/",
    "&a ",
    "*a",
    "- ",
    ": ",
    "kind:exec",
    " and ",
    " or ",
    "!~",
    "(",
    ")",
    "since 2h",
    "1d",
    "2026-11-21T09:30:00Z",
    "@~10:20",
    "\u{1b}[2J",
    "\u{202e}",
    "\0",
    "\n\x08\x12",
    "server: https://tyr.example:7700\nca_file: /etc/tyr/ca.pem\n",
    "enrollment_token: tyr_et_0192f0c1_0123456789abcdef\n",
    "fanotify: {mounts: [/home, /srv/work]}\n",
    "scope: {cgroup: /ai}\n",
    "heartbeat_interval_s: 30\n",
    "buffer_size_mb: ",
];

fn input() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        3 => select(PIECES).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..24),
    ];
    prop_oneof![
        proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat()),
        proptest::collection::vec(any::<u8>(), 0..512),
    ]
}

fn run((name, body): &Target) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
    let kept = fs::read_dir(&corpus).unwrap_or_else(|error| panic!("{}: {error}", corpus.display()));
    let mut count = 0;
    for entry in kept {
        body(&fs::read(entry.unwrap().path()).unwrap());
        count += 1;
    }
    assert!(count > 0, "{} keeps nothing to begin with", corpus.display());
    let mut runner =
        TestRunner::new(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(INPUTS) });
    runner
        .run(&input(), |bytes| {
            body(&bytes);
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{name}: {error}"));
}

macro_rules! properties {
    ($($name:ident),+ $(,)?) => {
        $(
            #[test]
            fn $name() {
                run(TARGETS.iter().find(|(name, _)| *name == stringify!($name)).expect("a target"));
            }
        )+
        const TESTED: &[&str] = &[$(stringify!($name)),+];
    };
}

properties!(agent_message, cases, filter, fingerprints, glob, policy, ring_record, terminal, text, times, tyrd_config,);

#[test]
fn every_target_is_tested_and_has_its_libfuzzer_file() {
    let names: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, TESTED);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("libfuzzer");
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
    for name in names {
        let text = fs::read_to_string(folder.join(format!("fuzz_targets/{name}.rs"))).unwrap();
        assert!(text.contains(&format!("tyr_fuzz::{name}(bytes)")), "{name}");
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name} is no target of fuzz/libfuzzer/Cargo.toml");
    }
}
