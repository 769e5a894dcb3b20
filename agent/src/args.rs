//! The command line of `tyrd`, as clap alone: help and man page come from here.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::agent_type::AgentType;
use crate::fault::Fault;

/// Judges what the AI coding agents on this host do, and reports it to the tyr server.
#[derive(Debug, Parser)]
#[command(
    name = "tyrd",
    version,
    max_term_width = 100,
    after_help = "Exit status: 0 done, 1 failed, 2 wrong usage; `tyrd run` has that of COMMAND.\n\
                  Environment: RUST_LOG (filter, default info), TYR_LOG_FORMAT (text or json)."
)]
pub struct Args {
    /// Configuration file
    #[arg(long, global = true, value_name = "FILE", default_value = "/etc/tyr/tyrd.yaml")]
    pub config: PathBuf,
    /// What to do; `serve` when absent
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// The commands of `tyrd`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Govern this host until told to stop (SIGTERM or SIGINT)
    Serve,
    /// Start a command as a governed AI process, marked before its first instruction
    Run(RunArgs),
    /// Show what the running tyrd does: posture, policy, connection, losses, AI processes
    Status(StatusArgs),
    /// Take off the enforcement that a tyrd which has ended left in the kernel
    Detach,
}

/// `tyrd run`.
#[derive(Debug, clap::Args)]
pub struct RunArgs {
    /// Agent type that the process and all its descendants get
    #[arg(long = "type", value_name = "TYPE")]
    pub agent_type: AgentType,
    /// The command and its arguments
    #[arg(required = true, last = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

/// `tyrd status`.
#[derive(Debug, clap::Args)]
pub struct StatusArgs {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Wrong usage in the form of all failures: clap's words, without its decoration.
pub fn wrong_usage(error: &clap::Error) -> Fault {
    let text = error.to_string();
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut what = lines.next().unwrap_or_default().trim_start_matches("error: ").to_owned();
    let mut hint = None;
    for line in lines.take_while(|line| !line.starts_with("For more information")) {
        if let Some(tip) = line.strip_prefix("tip: ") {
            hint.get_or_insert_with(|| tip.to_owned());
        } else if let Some(values) = line.strip_prefix('[') {
            hint.get_or_insert_with(|| values.trim_end_matches(']').to_owned());
        } else if let Some(usage) = line.strip_prefix("Usage: ") {
            hint.get_or_insert_with(|| format!("usage: {usage}"));
        } else if hint.is_none() {
            // What is missing stands on lines of its own.
            what.push(' ');
            what.push_str(line);
        }
    }
    Fault::new(what).hint(hint.unwrap_or_else(|| "`tyrd --help` says what there is".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::{Args, Command, wrong_usage};
    use clap::{CommandFactory, Parser};

    #[test]
    fn definition_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn serves_by_default_and_reads_the_documented_file() {
        let args = Args::parse_from(["tyrd"]);
        assert!(args.command.is_none());
        assert_eq!(args.config.to_str(), Some("/etc/tyr/tyrd.yaml"));
    }

    #[test]
    fn run_leaves_the_arguments_of_its_command_alone() {
        let args = Args::parse_from(["tyrd", "run", "--type", "claude-code", "--", "ls", "--type", "-x"]);
        let Some(Command::Run(run)) = args.command else { panic!("not run") };
        assert_eq!(run.agent_type.as_str(), "claude-code");
        assert_eq!(run.command, ["ls", "--type", "-x"]);
    }

    #[test]
    fn run_refuses_a_type_that_is_no_name() {
        let error = Args::try_parse_from(["tyrd", "run", "--type", "../x", "--", "ls"]).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains("lower-case letters"), "{error}");
    }

    #[test]
    fn wrong_usage_is_told_as_every_failure_is() {
        let told = |args: &[&str]| wrong_usage(&Args::try_parse_from(args).unwrap_err()).to_string();
        assert_eq!(
            told(&["tyrd", "--confg", "x"]),
            "error: unexpected argument '--confg' found\nhint: a similar argument exists: '--config'"
        );
        assert_eq!(
            told(&["tyrd", "run", "--", "ls"]),
            "error: the following required arguments were not provided: --type <TYPE>\n\
             hint: usage: tyrd run --type <TYPE> -- <COMMAND>..."
        );
        let value = told(&["tyrd", "run", "--type", "../x", "--", "ls"]);
        assert!(value.ends_with("\nhint: `tyrd --help` says what there is"), "{value}");
    }
}
