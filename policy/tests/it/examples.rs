//! The starter policies are good policies.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use tyr_policy::{CaseFile, Effective, Layer, Policy};

use crate::cases::root;

fn policies() -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join("examples/policies")).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.is_file()).collect()
}

#[test]
fn starter_policies_have_neither_problems_nor_warnings() {
    let mut names = Vec::new();
    for path in policies() {
        let yaml = fs::read_to_string(&path).unwrap();
        let checked = Policy::parse(&yaml).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let survey = checked.survey().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!(checked.warnings_with(&survey), [], "{}", path.display());
        names.push(checked.policy.name);
    }
    names.sort();
    assert_eq!(names, ["coding-agents", "tyr-default", "tyr-demo", "tyr-strict"]);
}

/// Each rule has a case that it decides, so that none was written in vain.
#[test]
fn starter_policies_have_cases_for_each_rule() {
    for path in policies() {
        let name = path.file_name().unwrap().to_str().unwrap();
        let cases = root().join("examples/policies/cases").join(name);
        let text = fs::read_to_string(&cases).unwrap_or_else(|error| panic!("{name} has no cases: {error}"));
        let file = CaseFile::parse(&text).unwrap_or_else(|error| panic!("{}: {error}", cases.display()));
        let policy = Policy::parse(&fs::read_to_string(&path).unwrap()).unwrap().policy;
        let effective = Effective::new(vec![Layer { version: 1, agent_type: None, policy }]);
        for case in &file.cases {
            let judgement = case.judged_by(&effective);
            assert!(case.is_met_by(&judgement), "{name}, line {}: {judgement:?}", case.line);
        }
        let decided: BTreeSet<&str> = file.cases.iter().filter_map(|case| case.rule.as_deref()).collect();
        let rules: Vec<&str> = effective.rules().map(|r| r.rule.name.as_str()).collect();
        let idle: Vec<_> = rules.iter().filter(|rule| !decided.contains(**rule)).collect();
        assert!(idle.is_empty(), "{name}: no case for {idle:?}");
    }
}
