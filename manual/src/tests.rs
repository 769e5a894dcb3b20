use clap::{Arg, ArgAction, Command};

use super::{Program, RELEASED, lint, markdown, pages};

const PROGRAM: Program = Program {
    section: "1",
    version: "0.1.0",
    files: &[("/etc/x", "its configuration")],
    environment: &[("X_LOG", "what is logged, e.g. `debug`")],
    exit_status: &[("0", "done"), ("1", "failed")],
    see_also: &["y(8)"],
};

fn command() -> Command {
    let output = Arg::new("output").short('o').long("output").global(true).help("Form of the output");
    Command::new("x")
        .about("Does things that don't hurt")
        .subcommand_required(true)
        .after_long_help(
            ".dot at the start\n'and a quote\n\nname:   what\nlonger: more\n\nExamples:\n  x run -- 'a b' \\n …",
        )
        .arg(
            output
                .help_heading("Global options")
                .value_parser(["table", "json"])
                .default_value("table")
                .env("X_OUTPUT"),
        )
        .subcommand(
            Command::new("run")
                .about("Run `it`")
                .visible_alias("r")
                .arg(
                    Arg::new("stale")
                        .long("stale")
                        .value_name("AGE")
                        .num_args(0..=1)
                        .require_equals(true)
                        .help("Old ones"),
                )
                .arg(Arg::new("secret").long("secret").hide(true).action(ArgAction::SetTrue))
                .arg(Arg::new("WHAT").required(true).num_args(1..).last(true).help("The command")),
        )
        .subcommand(Command::new("hidden").hide(true))
}

#[test]
fn a_page_per_command_that_is_not_hidden() {
    let pages = pages(&PROGRAM, command());
    assert_eq!(pages.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["x.1", "x-run.1"]);
    let root = &pages[0].1;
    let sections: Vec<_> = root.lines().filter_map(|line| line.strip_prefix(".SH ")).collect();
    let expected = [
        "NAME",
        "SYNOPSIS",
        "DESCRIPTION",
        "OPTIONS",
        "\"GLOBAL OPTIONS\"",
        "COMMANDS",
        "EXAMPLES",
        "ENVIRONMENT",
        "FILES",
        "\"EXIT STATUS\"",
        "\"SEE ALSO\"",
    ];
    assert_eq!(sections, expected);
    assert!(root.contains(".TH X 1 2026-11-22 \"x 0.1.0\" \"Tyr Manual\""), "{root}");
    assert!(root.contains(".EX\nx run \\-\\- \\*(Aqa b\\*(Aq \\\\n \\[u2026]\n.EE"), "{root}");
    assert!(root.contains("\\fBX_OUTPUT\\fR") && root.contains("\\fBX_LOG\\fR"), "{root}");
    let run = &pages[1].1;
    assert!(run.contains("[\\fB\\-\\-stale\\fR[=\\fIAGE\\fR]]") && !run.contains("secret"), "{run}");
    assert!(run.contains("\\fB\\-\\-\\fR\n\\fIWHAT...\\fR"), "{run}");
}

#[test]
fn formatters_have_nothing_to_say() {
    assert_eq!(lint::complaints(&pages(&PROGRAM, command())), Vec::<String>::new());
}

#[test]
fn formatters_are_heard() {
    let bad = ".TH X 1 yesterday x y\n.SH NAME\nx\n.nosuchmacro\n";
    let complaints = lint::complaints(&[("x.1".to_owned(), bad.to_owned())]);
    for formatter in ["mandoc", "groff", "man"] {
        if std::process::Command::new(formatter).arg("--version").output().is_ok() {
            let prefix = format!("x.1: {formatter}: ");
            assert!(complaints.iter().any(|complaint| complaint.starts_with(&prefix)), "{formatter}: {complaints:#?}");
        }
    }
}

#[test]
fn markdown_writes_shared_flags_once() {
    let page = markdown(command(), "Generated.");
    assert_eq!(page.matches("`-o, --output OUTPUT`").count(), 1, "{page}");
    assert!(page.contains("- [`x run`](#x-run): Run `it`"), "{page}");
    assert!(page.contains("```text\nx run [OPTIONS] -- WHAT...\n```"), "{page}");
    assert!(page.contains("And the [global options](#global-options)."), "{page}");
    assert!(page.contains("```sh\nx run -- 'a b' \\n …\n```"), "{page}");
}

#[test]
fn the_date_is_that_of_the_changelog() {
    let changelog = include_str!("../../packaging/debian/changelog");
    let signed = changelog.lines().find(|line| line.starts_with(" -- ")).expect("a signature");
    let words: Vec<_> = signed.split_whitespace().rev().collect();
    let [_, _, year, month, day, ..] = words[..] else { panic!("no date in {signed}") };
    let month = "JanFebMarAprMayJunJulAugSepOctNovDec".find(month).expect("a month") / 3 + 1;
    assert_eq!(RELEASED, format!("{year}-{month:02}-{day}"));
}
