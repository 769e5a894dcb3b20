//! Arguments of `policy`.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand, ValueHint};

use super::{ChangeArgs, ListArgs, SqlListArgs};
use crate::complete;
use tyr_api::policies::TargetType;

/// `policy …`
#[derive(Clone, Debug, Subcommand)]
pub enum PolicyCommand {
    /// Check a policy and store it as a new version.
    #[command(after_long_help = "\
A new version is in force nowhere until it is assigned.

Examples:
  tyrctl policy apply -f web.yaml
  tyrctl policy apply -f web.yaml --dry-run    check only, needs no server
  generate-policy | tyrctl policy apply -f -")]
    Apply(ApplyArgs),
    /// All versions, newest first.
    #[command(
        visible_alias = "ls",
        after_long_help = "\
Examples:
  tyrctl policy list
  tyrctl policy list -o json
  tyrctl policy list --sql                     the SQL that answers it, for psql"
    )]
    List(SqlListArgs),
    /// The text of a version.
    #[command(after_long_help = "\
Examples:
  tyrctl policy show 3 > web.yaml
  tyrctl policy show 3 -o json")]
    Show {
        /// Version number.
        #[arg(value_name = "VERSION", value_parser = version, add = complete::versions())]
        version: u32,
    },
    /// Make a new version with the text of an earlier one.
    #[command(after_long_help = "\
Nothing is overwritten: version numbers only grow, and the new one is in force
nowhere until it is assigned.

Examples:
  tyrctl policy rollback 3
  tyrctl policy rollback 3 --dry-run
  tyrctl policy rollback 3 --yes -o json       for scripts")]
    Rollback {
        /// Version whose text to take.
        #[arg(value_name = "VERSION", value_parser = version, add = complete::versions())]
        version: u32,
        /// Whether to ask.
        #[command(flatten)]
        change: ChangeArgs,
    },
    /// Put a version in force for an agent, for an agent type, or for all.
    #[command(after_long_help = "\
An agent runs the overlays of the agent types first, then its own version, else
that of `--all`.

Examples:
  tyrctl policy assign --version 3 --agent build-017
  tyrctl policy assign --version 4 --agent-type claude-code
  tyrctl policy assign --version 2 --all
  tyrctl policy assign --version 3 --yes --target-type daemon \\
      --target-id 0192e4b8-7c1e-7d3a-9b52-6f0c2a9d1e44")]
    Assign(AssignArgs),
    /// End what is assigned to an agent, to an agent type, or to all.
    #[command(after_long_help = "\
An agent whose own version ends runs that of `--all` again, if there is one.

Examples:
  tyrctl policy unassign --agent build-017
  tyrctl policy unassign --agent-type claude-code --dry-run
  tyrctl policy unassign --all --yes           for scripts")]
    Unassign(UnassignArgs),
    /// What is assigned to whom.
    #[command(after_long_help = "\
Examples:
  tyrctl policy assignments
  tyrctl policy assignments --sort version:desc")]
    Assignments(ListArgs),
    /// What an agent should run, and whether it does.
    #[command(after_long_help = "\
Examples:
  tyrctl policy effective build-017
  tyrctl policy effective build-017 -o json")]
    Effective {
        /// Name or id of the agent.
        #[arg(value_name = "AGENT", add = complete::agents())]
        agent: String,
    },
}

/// Flags of `policy apply`.
#[derive(Clone, Debug, Args)]
pub struct ApplyArgs {
    /// The policy; `-` reads standard input.
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    /// Check only; nothing is sent.
    #[arg(long)]
    pub dry_run: bool,
    /// Taken as by every verb that changes something; applying asks nothing, as a new version is in force nowhere.
    #[arg(short, long, hide = true)]
    pub yes: bool,
}

/// Flags of `policy assign`.
#[derive(Clone, Debug, Args)]
#[command(group = ArgGroup::new("target").required(true).args(["agent", "agent_type", "all", "target_type"]))]
pub struct AssignArgs {
    /// Which version.
    #[arg(long, value_name = "N", value_parser = version, add = complete::versions())]
    pub version: u32,
    /// This agent, by name or id.
    #[arg(long, value_name = "NAME", add = complete::agents())]
    pub agent: Option<String>,
    /// AI processes of this type, on all agents.
    #[arg(long, value_name = "TYPE", add = complete::agent_types())]
    pub agent_type: Option<String>,
    /// Every agent that has none of its own.
    #[arg(long)]
    pub all: bool,
    /// The target as the REST interface names it, with --target-id.
    #[arg(long, value_name = "TYPE", value_parser = target_type())]
    pub target_type: Option<TargetType>,
    /// Agent id or agent type.
    #[arg(long, value_name = "ID", requires = "target_type")]
    pub target_id: Option<String>,
    /// Whether to ask.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// Flags of `policy unassign`.
#[derive(Clone, Debug, Args)]
#[command(group = ArgGroup::new("whose").required(true).args(["agent", "agent_type", "all"]))]
pub struct UnassignArgs {
    /// What this agent has of its own, by name or id.
    #[arg(long, value_name = "NAME", add = complete::agents())]
    pub agent: Option<String>,
    /// What AI processes of this type have, on all agents.
    #[arg(long, value_name = "TYPE", add = complete::agent_types())]
    pub agent_type: Option<String>,
    /// What every agent has that has none of its own.
    #[arg(long)]
    pub all: bool,
    /// Whether to ask.
    #[command(flatten)]
    pub change: ChangeArgs,
}

fn version(text: &str) -> Result<u32, String> {
    match text.strip_prefix('v').unwrap_or(text).parse() {
        Ok(version) if version > 0 => Ok(version),
        _ => Err("a version is a whole number from 1, e.g. 3 or v3".to_owned()),
    }
}

fn target_type() -> impl clap::builder::TypedValueParser<Value = TargetType> {
    use clap::builder::{PossibleValuesParser, TypedValueParser};
    PossibleValuesParser::new(["daemon", "agent", "agent_type", "all"]).map(|word| match word.as_str() {
        "all" => TargetType::All,
        "agent_type" => TargetType::AgentType,
        _ => TargetType::Agent,
    })
}
