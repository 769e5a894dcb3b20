//! The command line of `tyrd`, as clap alone: help and man page come from here.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::agent_type::AgentType;

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

#[cfg(test)]
mod tests {
    use super::{Args, Command};
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
}
