//! `completions/`, `man/` and `docs/cli.md` are what the command line's definition gives. `TYR_UPDATE=1` writes them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use tyrctl::args::Shell;
use tyrctl::commands::completions::{loader, man_pages, reference, script};

const REMEDY: &str = "run `TYR_UPDATE=1 cargo test -p tyrctl --test it generated` and commit the result";

/// Compares the files of a folder that are ours, or writes them.
fn compare(folder: &str, ours: impl Fn(&str) -> bool, expected: &BTreeMap<String, String>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder);
    if std::env::var_os("TYR_UPDATE").is_some() {
        fs::create_dir_all(&folder).expect("the folder can be made");
        for (name, text) in expected {
            fs::write(folder.join(name), text).expect("the file can be written");
        }
    }
    let mut present = BTreeMap::new();
    for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}; {REMEDY}", folder.display())) {
        let entry = entry.expect("an entry");
        let name = entry.file_name().to_string_lossy().into_owned();
        if ours(&name) {
            present.insert(name, fs::read_to_string(entry.path()).expect("UTF-8"));
        }
    }
    assert_eq!(present.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "{REMEDY}");
    for (name, text) in expected {
        assert!(present[name] == *text, "{name} differs; {REMEDY}");
    }
}

#[test]
fn completions_are_up_to_date() {
    let scripts = [("tyrctl.bash", Shell::Bash), ("_tyrctl", Shell::Zsh), ("tyrctl.fish", Shell::Fish)];
    let expected = scripts.map(|(name, shell)| (name.to_owned(), script(shell))).into();
    compare("completions", |name| name.contains("tyrctl"), &expected);
    let loaders = scripts.map(|(name, shell)| (name.to_owned(), loader(shell).to_owned())).into();
    compare("completions/dynamic", |name| name.contains("tyrctl"), &loaders);
}

#[test]
fn man_pages_are_up_to_date() {
    let expected: BTreeMap<_, _> = man_pages().into_iter().collect();
    assert!(expected.contains_key("tyrctl.1") && expected.contains_key("tyrctl-policy-apply.1"));
    compare("man", |name| name.starts_with("tyrctl"), &expected);
}

#[test]
fn man_pages_are_clean() {
    let pages = man_pages();
    for section in [".SH FILES\n", ".SH ENVIRONMENT\n", ".SH \"EXIT STATUS\"\n", ".SH \"SEE ALSO\"\n"] {
        assert!(pages[0].1.contains(section), "tyrctl.1 has no {section}");
    }
    assert_eq!(tyr_manual::lint::complaints(&pages), Vec::<String>::new());
}

#[test]
fn the_reference_is_up_to_date() {
    compare("docs", |name| name == "cli.md", &[("cli.md".to_owned(), reference())].into());
}

#[test]
fn every_command_has_examples_in_its_long_help() {
    use clap::CommandFactory;
    fn look(command: &clap::Command, path: &str, missing: &mut Vec<String>) {
        let path = format!("{path} {}", command.get_name());
        let help = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
        if !command.has_subcommands() && !help.contains("Examples:\n  ") {
            missing.push(path.clone());
        }
        for sub in command.get_subcommands() {
            look(sub, &path, missing);
        }
    }
    let mut missing = Vec::new();
    look(&tyrctl::args::Cli::command(), "", &mut missing);
    assert_eq!(missing, Vec::<String>::new());
}

#[test]
fn the_definition_is_sound() {
    use clap::CommandFactory;
    tyrctl::args::Cli::command().debug_assert();
}
