//! The man pages in `man/` are those of the command line. `TYR_UPDATE=1` writes them.

use std::env;
use std::fs;
use std::path::Path;

use clap::CommandFactory;
use tyr_manual::{Program, lint, pages};
use tyr_server::args::Cli;

const PROGRAM: Program = Program {
    section: "8",
    version: env!("CARGO_PKG_VERSION"),
    files: &[
        ("/etc/tyr/server.env", "Variables for the service."),
        ("/var/lib/tyr/ca.pem", "The certificate authority that agents and `tyrctl` trust; copy it to them."),
        ("/var/lib/tyr/ca.key", "Its key. Whoever has it can be any agent."),
        ("/var/lib/tyr/jwt.key", "The key that signs sessions."),
        ("/var/lib/tyr/metrics.token", "What a Prometheus shows to read /metrics."),
        ("/var/lib/tyr/pg/", "The embedded database, when `DATABASE_URL` is not set."),
    ],
    environment: &[("RUST_LOG", "What is logged, e.g. `info` (the default) or `tyr_server=debug`.")],
    exit_status: &[("0", "Done."), ("1", "Failed."), ("2", "Wrong usage.")],
    see_also: &["tyrctl(1)", "tyrd(8)"],
};

#[test]
fn generated_man_pages_are_those_of_the_command_line() {
    let expected = pages(&PROGRAM, Cli::command());
    assert!(expected.iter().any(|(name, _)| name == "tyr-server-db-url.8"));
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
    let present = present.filter_map(|entry| entry.file_name().into_string().ok());
    let ours = present.filter(|name| name.starts_with("tyr-server"));
    let stale: Vec<_> = ours.filter(|name| expected.iter().all(|(known, _)| known != name)).collect();
    assert!(stale.is_empty(), "remove from man/: {stale:?}");
}

#[test]
fn man_pages_are_clean() {
    assert_eq!(lint::complaints(&pages(&PROGRAM, Cli::command())), Vec::<String>::new());
}
