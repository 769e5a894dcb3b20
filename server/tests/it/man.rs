//! The man pages in `man/` are those of the command line. `TYR_UPDATE=1` writes them.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::Path;

use clap::CommandFactory;
use tyr_server::args::Cli;

/// A page for the command and each of its commands.
fn pages(command: &clap::Command, name: &str, pages: &mut BTreeMap<String, String>) {
    let mut text = Vec::new();
    clap_mangen::Man::new(command.clone().name(name.to_owned()).bin_name(name.replace('-', " ")))
        .title(name.to_uppercase())
        .section("8")
        .manual("Tyr")
        .source(concat!("tyr-server ", env!("CARGO_PKG_VERSION")))
        .render(&mut text)
        .expect("written to memory");
    pages.insert(format!("{name}.8"), String::from_utf8(text).expect("UTF-8"));
    for sub in command.get_subcommands() {
        self::pages(sub, &format!("{name}-{}", sub.get_name()), pages);
    }
}

#[test]
fn generated_man_pages_are_those_of_the_command_line() {
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    let mut expected = BTreeMap::new();
    pages(&command, "tyr-server", &mut expected);
    assert!(expected.contains_key("tyr-server-db-url.8"), "{:?}", expected.keys());
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../man");
    for (name, text) in &expected {
        let path = folder.join(name);
        if env::var_os("TYR_UPDATE").is_some() {
            fs::write(&path, text).expect("written");
        }
        let committed = fs::read_to_string(&path).unwrap_or_default();
        assert!(committed == *text, "man/{name} differs: run `./dev update` and commit it");
    }
    let present = fs::read_dir(&folder).expect("the folder").flatten();
    let present: Vec<_> = present.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    let stale: Vec<_> = present.iter().filter(|n| n.starts_with("tyr-server") && !expected.contains_key(*n)).collect();
    assert!(stale.is_empty(), "remove from man/: {stale:?}");
}
