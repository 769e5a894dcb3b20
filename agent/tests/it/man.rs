//! The man pages in `man/` are those of the command line. `TYR_UPDATE=1` writes them.

use std::env;
use std::fs;
use std::path::Path;

use clap::CommandFactory;
use tyr_agent::args::Args;
use tyr_manual::{Program, lint, pages};

const PROGRAM: Program = Program {
    section: "8",
    version: env!("CARGO_PKG_VERSION"),
    files: &[
        ("/etc/tyr/tyrd.yaml", "Its configuration, mode 0600 as long as it holds an enrollment token."),
        ("/etc/tyr/ca.pem", "The server's certificate authority; `ca_file` in the configuration."),
        ("/var/lib/tyrd/", "Identity, policy and spool; `data_dir` in the configuration."),
    ],
    environment: &[
        ("RUST_LOG", "What is logged, e.g. `info` (the default) or `tyr_agent=debug`."),
        ("TYR_LOG_FORMAT", "`text` or `json`."),
    ],
    exit_status: &[
        ("0", "Done."),
        ("1", "Failed."),
        ("2", "Wrong usage."),
        ("other", "Of `tyrd run`: that of the command."),
    ],
    see_also: &["tyr-server(8)", "tyrctl(1)"],
};

#[test]
fn generated_man_pages_are_those_of_the_command_line() {
    let expected = pages(&PROGRAM, Args::command());
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../man");
    for (name, text) in &expected {
        let path = folder.join(name);
        if env::var_os("TYR_UPDATE").is_some() {
            fs::create_dir_all(&folder).unwrap();
            fs::write(&path, text).unwrap();
        }
        let committed = fs::read_to_string(&path).unwrap_or_default();
        assert!(committed == *text, "man/{name} differs: run `./dev update` and commit it");
    }
    let present = fs::read_dir(&folder).unwrap().flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let ours = present.filter(|name| name.starts_with("tyrd"));
    let stale: Vec<_> = ours.filter(|name| expected.iter().all(|(known, _)| known != name)).collect();
    assert!(stale.is_empty(), "remove from man/: {stale:?}");
}

#[test]
fn man_pages_are_clean() {
    assert_eq!(lint::complaints(&pages(&PROGRAM, Args::command())), Vec::<String>::new());
}
