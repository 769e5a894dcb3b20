//! Runs `testdata/cases`: `testdata/README.md` has the format. Each case is judged in every way there is.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use tyr_policy::{
    Act, Action, Compiled, Effective, Held, Image, Layer, Policy, Profiles, Protocol, Resource, Verdict, What,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseFile {
    layers: Vec<CaseLayer>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseLayer {
    version: Option<u32>,
    agent_type: Option<String>,
    policy: Option<String>,
    file: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    act: String,
    to: String,
    protocol: Option<String>,
    #[serde(default)]
    truncated: bool,
    agent_type: Option<String>,
    #[serde(default)]
    binary: String,
    gives: String,
    by: Option<String>,
    version: Option<u32>,
    severity: Option<String>,
    #[serde(default)]
    held: Vec<String>,
    /// For conditions, which only the starter policies' own test asks.
    cmdline: Option<String>,
    #[expect(dead_code, reason = "for those who read the file")]
    note: Option<String>,
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in the workspace").to_owned()
}

fn effective(layers: &[CaseLayer]) -> Effective {
    let layer = |(at, layer): (usize, &CaseLayer)| {
        let mut yaml = match (&layer.policy, &layer.file) {
            (Some(yaml), None) => yaml.clone(),
            (None, Some(file)) => fs::read_to_string(root().join(file)).unwrap(),
            _ => panic!("a layer has either `policy` or `file`"),
        };
        if yaml.starts_with("spec:") {
            yaml.insert_str(0, "apiVersion: tyr.dev/v1\nkind: Policy\nmetadata: {name: case}\n");
        }
        let policy = Policy::parse(&yaml).unwrap_or_else(|error| panic!("{error}")).policy;
        let version = layer.version.unwrap_or_else(|| u32::try_from(at + 1).unwrap());
        Layer { version, agent_type: layer.agent_type.clone(), policy }
    };
    Effective::new(layers.iter().enumerate().map(layer).collect())
}

impl Case {
    fn held(&self, policy: &Effective) -> Held {
        policy.held_by_names(self.held.iter().map(String::as_str))
    }

    fn resource(&self, action: Action) -> Resource<'_> {
        match action {
            Action::FileRead | Action::FileWrite | Action::Exec => {
                Resource::Path { path: self.to.as_bytes(), truncated: self.truncated }
            }
            Action::NetConnect => {
                let to: SocketAddr = self.to.parse().unwrap();
                let protocol = self.protocol.as_ref().map_or(Protocol::Tcp, |p| p.parse().unwrap());
                Resource::Net { addr: to.ip(), port: to.port(), protocol }
            }
            Action::TlsConnect => Resource::ServerName(&self.to),
        }
    }
}

/// `testdata/cases`, and the starter policies' own, which say only which cases there are.
fn case_files() -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    for (folder, of_examples) in [("policy/testdata/cases", false), ("examples/policies/cases", true)] {
        let folder = root().join(folder);
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            let mut text = fs::read_to_string(&path).unwrap();
            if of_examples {
                let name = path.file_name().unwrap().to_str().unwrap();
                text.insert_str(0, &format!("layers: [{{file: examples/policies/{name}}}]\n"));
            }
            files.push((path, text));
        }
    }
    files.sort();
    files
}

#[test]
fn every_way_to_judge_gives_the_same() {
    let mut ran = 0;
    for (file, text) in case_files() {
        let CaseFile { layers, cases } =
            serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let effective = effective(&layers);
        let profiles = Profiles::new(&effective, Action::ALL).unwrap();
        let image = Image::new(&effective).unwrap();
        let compiled = Compiled::new(effective.clone());
        for case in cases.into_iter().filter(|case| case.cmdline.is_none()) {
            check(&effective, &profiles, &image, &case, &file);
            compare(&compiled, &case, &file);
            ran += 1;
        }
    }
    assert!(ran > 100, "only {ran} cases were found");
}

fn compare(compiled: &Compiled, case: &Case, file: &Path) {
    let action: Action = case.act.parse().unwrap();
    let (agent_type, binary) = (case.agent_type.as_deref(), case.binary.as_bytes());
    let held = case.held(compiled.effective());
    let act = Act { action, resource: case.resource(action), agent_type, binary, held };
    assert_eq!(compiled.judge(&act), compiled.effective().judge(&act), "{}: {case:?}", file.display());
}

fn check(effective: &Effective, profiles: &Profiles, image: &Image, case: &Case, file: &Path) {
    let context = format!("{}: {case:?}", file.display());
    let action: Action = case.act.parse().unwrap();
    let resource = case.resource(action);
    let agent_type = case.agent_type.as_deref();
    let binary = case.binary.as_bytes();

    let plain = effective.judge(&Act { action, resource, agent_type, binary, held: case.held(effective) });
    assert_eq!((plain.verdict.as_str(), plain.rule), (case.gives.as_str(), case.by.as_deref()), "{context}");
    if case.version.is_some() {
        assert_eq!(plain.version, case.version, "{context}");
    }
    if let Some(severity) = &case.severity {
        assert_eq!(plain.severity.as_str(), severity, "{context}");
    }

    let profile = &profiles.profiles()[usize::from(profiles.number(agent_type, binary))];
    let rules: Vec<_> = effective.rules_of(profile, action).collect();
    let verdict_of = |index: Option<u16>| {
        index.map_or(profile.default(action).0, |index| {
            let rule = effective.rule(index).expect("a rule of the policy").rule;
            if rule.condition.is_some() { Verdict::Deny } else { rule.verdict }
        })
    };
    if let Resource::ServerName(name) = resource {
        let matches = |what: &What| matches!(what, What::ServerName(pattern) if pattern.matches(name));
        let index = rules.iter().find(|r| matches(&r.rule.what)).map(|r| r.index);
        assert_eq!((verdict_of(index), index), (plain.verdict, plain.index), "profile: {context}");
    } else {
        let word = image
            .judge(&Act { action, resource, agent_type, binary, held: case.held(effective) })
            .expect("the kernel judges it");
        assert_eq!((word.verdict(), word.rule()), (plain.verdict, plain.index), "image: {context}");
        assert_eq!(verdict_of(word.rule()), word.verdict(), "image: {context}");
    }
}
