//! The walk of paths through the rules, as the kernel's verifier and compiler left it: it says what the evaluator says.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_oneof, proptest};
use serde::Deserialize;
use tyr_agent::kernel::Rehearsal;
use tyr_policy::{Act, Action, Effective, FILE_ACTIONS, Held, Image, Layer, Policy, Resource};

use super::ground::refuse;

/// The loaded walk, or why there is none.
fn rehearsal() -> Option<Rehearsal> {
    if !rustix::process::geteuid().is_root() {
        return refuse("not root");
    }
    match Rehearsal::load() {
        Ok(rehearsal) => Some(rehearsal),
        Err(error) => panic!("the walk doesn't load: {error}: {:?}", std::error::Error::source(&error)),
    }
}

/// The kernel, the tables walked here, and the plain evaluator agree.
fn agree(rehearsal: &mut Rehearsal, effective: &Effective, image: &Image, act: &Act<'_>) {
    let Resource::Path { path, truncated } = act.resource else { return };
    let profile = image.profiles().number(act.agent_type, act.binary);
    let kernel =
        rehearsal.judge(profile, act.action, path, truncated, act.held).expect("the walk runs").expect("an answer");
    let plain = effective.judge(act);
    let text = path.escape_ascii();
    assert_eq!((kernel.verdict(), kernel.rule()), (plain.verdict, plain.index), "{text} {act:?}");
    assert_eq!(image.judge(act), Some(kernel), "{text}");
}

#[derive(Deserialize)]
struct CaseFile {
    layers: Vec<CaseLayer>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct CaseLayer {
    version: Option<u32>,
    agent_type: Option<String>,
    policy: Option<String>,
    file: Option<String>,
}

#[derive(Deserialize)]
struct Case {
    act: String,
    to: String,
    #[serde(default)]
    truncated: bool,
    agent_type: Option<String>,
    #[serde(default)]
    binary: String,
    #[serde(default)]
    held: Vec<String>,
}

/// See `policy/testdata/README.md`.
fn layers(root: &Path, layers: Vec<CaseLayer>) -> Effective {
    let layer = |(at, layer): (u32, CaseLayer)| {
        let read = |file: String| fs::read_to_string(root.join(file)).expect("a file of the repository");
        let mut yaml = layer.policy.or_else(|| layer.file.map(read)).expect("a layer has a policy");
        if yaml.starts_with("spec:") {
            yaml.insert_str(0, "apiVersion: tyr.dev/v1\nkind: Policy\nmetadata: {name: case}\n");
        }
        let policy = Policy::parse(&yaml).unwrap_or_else(|error| panic!("{error}")).policy;
        Layer { version: layer.version.unwrap_or(at), agent_type: layer.agent_type, policy }
    };
    Effective::new((1..).zip(layers).map(layer).collect())
}

#[test]
fn the_shared_cases_come_out_the_same() {
    let Some(mut rehearsal) = rehearsal() else { return };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in the workspace");
    let mut ran = 0;
    let folders = ["policy/testdata/cases", "examples/policies/cases"].map(|folder| root.join(folder));
    for path in folders.iter().flat_map(|folder| fs::read_dir(folder).expect("the case files")) {
        let path = path.expect("an entry").path();
        let mut text = fs::read_to_string(&path).expect("text");
        if path.starts_with(&folders[1]) {
            // The cases of a starter policy say what they are of by their name.
            let name = path.file_name().and_then(|name| name.to_str()).expect("UTF-8");
            text.insert_str(0, &format!("layers: [{{file: examples/policies/{name}}}]\n"));
        }
        let file: CaseFile = serde_saphyr::from_str(&text).expect("a case file");
        let effective = layers(root, file.layers);
        let image = Image::new(&effective).expect("fits");
        rehearsal.publish(&image).expect("published");
        for case in &file.cases {
            let action: Action = case.act.parse().expect("an action");
            if !FILE_ACTIONS.contains(&action) {
                continue;
            }
            let resource = Resource::Path { path: case.to.as_bytes(), truncated: case.truncated };
            let (agent_type, binary) = (case.agent_type.as_deref(), case.binary.as_bytes());
            let held = effective.held_by_names(case.held.iter().map(String::as_str));
            agree(&mut rehearsal, &effective, &image, &Act { action, resource, agent_type, binary, held });
            ran += 1;
        }
    }
    assert!(ran > 60, "only {ran} cases were found");
}

#[test]
fn without_a_policy_there_is_no_answer() {
    let Some(mut rehearsal) = rehearsal() else { return };
    assert_eq!(rehearsal.judge(0, Action::FileRead, b"/etc/passwd", false, Held::NONE).expect("the walk runs"), None);
    assert_eq!(rehearsal.judge(0, Action::NetConnect, b"/etc/passwd", false, Held::NONE).expect("the walk runs"), None);
}

fn pattern() -> impl Strategy<Value = String> {
    let piece =
        prop_oneof![Just("/"), Just("a"), Just("b"), Just("*"), Just("**"), Just("/**/"), Just("?"), Just("[!a]")];
    let pieces = proptest::collection::vec(piece, 1..6).prop_map(|pieces| pieces.concat());
    (prop_oneof![Just("/"), Just("**/"), Just("**")], pieces).prop_map(|(start, rest)| start.to_owned() + &rest)
}

/// Short ones, and some about the limits of a step (64 bytes) and of a path (4,096 bytes).
fn path() -> impl Strategy<Value = Vec<u8>> {
    let short =
        proptest::collection::vec(prop_oneof![Just(b'/'), Just(b'a'), Just(b'b'), Just(b'c'), any::<u8>()], 0..12);
    let length = prop_oneof![60..70_usize, 124..132_usize, 4090..=4096_usize];
    prop_oneof![
        4 => short,
        1 => (length, 0..64_usize).prop_map(|(length, every)| {
            (0..length).map(|at| if at % (every + 2) == 0 { b'/' } else { b"ab"[at % 2] }).collect()
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn says_what_the_evaluator_says(
        rules in proptest::collection::vec((pattern(), 0..3_usize, 0..3_usize, any::<bool>()), 1..12),
        held in any::<u64>(),
        paths in proptest::collection::vec((path(), any::<bool>()), 24),
    ) {
        let Some(mut rehearsal) = rehearsal() else { return Ok(()) };
        let mut yaml = "apiVersion: tyr.dev/v1\nkind: Policy\nmetadata: {name: t}\nspec:\n  rules:\n".to_owned();
        for (at, (pattern, action, verdict, asked)) in rules.iter().enumerate() {
            let condition = if *asked { ", condition: 'context.uid == 0'" } else { "" };
            let (action, verdict) = (FILE_ACTIONS[*action], ["allow", "alert", "deny"][*verdict]);
            writeln!(yaml, "  - {{name: r{at}, action: {action}, resource_pattern: '{pattern}', verdict: {verdict}{condition}}}")
                .expect("writing to a String");
        }
        let Ok(checked) = Policy::parse(&yaml) else { return Ok(()) };
        let effective = Effective::new(vec![Layer { version: 1, agent_type: None, policy: checked.policy }]);
        let image = Image::new(&effective).expect("checked");
        rehearsal.publish(&image).expect("published");
        for (path, truncated) in &paths {
            for action in FILE_ACTIONS {
                let resource = Resource::Path { path, truncated: *truncated };
                for held in [Held::NONE, Held::from_bits(held)] {
                    let act = Act { action, resource, agent_type: None, binary: b"/x", held };
                    agree(&mut rehearsal, &effective, &image, &act);
                }
            }
        }
    }
}
