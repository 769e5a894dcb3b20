//! The starter policies are good policies.

use std::fs;

use tyr_policy::Policy;

use crate::cases::root;

#[test]
fn starter_policies_have_neither_problems_nor_warnings() {
    let mut names = Vec::new();
    for entry in fs::read_dir(root().join("examples/policies")).unwrap() {
        let path = entry.unwrap().path();
        let yaml = fs::read_to_string(&path).unwrap();
        let checked = Policy::parse(&yaml).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!(checked.warnings, [], "{}", path.display());
        names.push(checked.policy.name);
    }
    names.sort();
    assert_eq!(names, ["tyr-default", "tyr-demo", "tyr-strict"]);
}

#[test]
fn starter_policies_have_cases() {
    for entry in fs::read_dir(root().join("examples/policies")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let cases = format!("example-{}", name.replace("-policy", ""));
        assert!(root().join("policy/testdata/cases").join(&cases).is_file(), "{name} has no {cases}");
    }
}
