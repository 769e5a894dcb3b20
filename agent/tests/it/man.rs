//! The man pages in `man/` are those of the command line.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::Path;

use clap::CommandFactory;
use tyr_agent::args::Args;

/// `tyrd.8` and a page per command.
fn pages() -> BTreeMap<String, String> {
    let mut command = Args::command().disable_help_subcommand(true);
    command.build();
    let page = |command: &clap::Command, name: &str| {
        let mut text = Vec::new();
        let command = command.clone().name(name.to_owned()).bin_name(name.replace('-', " "));
        clap_mangen::Man::new(command)
            .section("8")
            .manual("Tyr")
            .source(concat!("tyrd ", env!("CARGO_PKG_VERSION")))
            .render(&mut text)
            .unwrap();
        (format!("{name}.8"), String::from_utf8(text).unwrap())
    };
    let commands = command.get_subcommands().map(|sub| page(sub, &format!("tyrd-{}", sub.get_name())));
    commands.chain([page(&command, "tyrd")]).collect()
}

#[test]
fn generated_man_pages_are_those_of_the_command_line() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../man");
    for (name, text) in pages() {
        let path = folder.join(&name);
        if env::var_os("TYR_UPDATE").is_some() {
            fs::create_dir_all(&folder).unwrap();
            fs::write(&path, &text).unwrap();
        }
        let committed = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == text,
            "man/{name} differs: run `TYR_UPDATE=1 cargo test -p tyr-agent generated` and commit it"
        );
    }
}
