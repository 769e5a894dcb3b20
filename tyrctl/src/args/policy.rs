//! Arguments of `policy`.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand, ValueHint};

use super::{ChangeArgs, ListArgs, SqlListArgs};
use crate::complete;
use crate::when::{self, Moment};
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
    /// Check a file: where each rule is enforced, and what it costs.
    #[command(after_long_help = "\
Needs no server. ENFORCED: `kernel` and `address table` refuse before it
happens, on hosts that can (`tyrctl agents` shows their posture; elsewhere a
denied file or program is reported as an alert); `userspace` acts once it has
happened. STATES (of the automaton over paths, before equal ones are merged)
and PREFIXES (blocks of addresses) are what the rule adds to the rules before
it, BYTES its share of the kernel's tables; both for all kinds of process
together that the rules' own agent_types and binaries tell apart.

Exit codes: 0 valid, 1 not valid, 3 --fail-on-warning and there are some.

Examples:
  tyrctl policy check web.yaml
  tyrctl policy check web.yaml --fail-on-warning -q   for CI
  tyrctl policy check web.yaml --sort bytes:desc --limit 5
  tyrctl policy check web.yaml -o json | jq 'map(.bytes) | add'")]
    Check(CheckPolicyArgs),
    /// Judge the cases of a file by a policy, and name those that come out otherwise.
    #[command(after_long_help = "\
Needs no server. A file of cases:

  cases:
    - act: file_read              # file_write, exec, net_connect, tls_connect
      to: /root/.ssh/id_ed25519   # a path; 192.0.2.7:443; a server name
      gives: deny                 # or allow, alert
      by: no-ssh-keys             # the rule; left out: no rule, the default
      agent_type: claude-code     # of the process; left out: none
      binary: /usr/bin/node       # its program
      cmdline: node cli.js        # its command line, for conditions
      uid: \"0\"                    # who it runs as, for conditions
      held: [piped]               # rules whose condition held for it before
      protocol: udp               # of net_connect; left out: tcp
      severity: critical          # left out: not compared
      truncated: true             # only a part of the path is known
      note: why this case is here

Exit codes: 0 all as expected, 1 some are not, or a file is not valid.

Examples:
  tyrctl policy test web.yaml --cases web.cases.yaml
  tyrctl policy test web.yaml --cases web.cases.yaml --all
  tyrctl policy show 3 | tyrctl policy test - --cases web.cases.yaml")]
    Test(TestPolicyArgs),
    /// What two policies say differently: rules, and what comes of them.
    #[command(after_long_help = "\
A and B are files or version numbers (a file that is named like a number: ./3).
Besides the rules it shows what is judged differently, with the shortest path or
an address for which it is so, found by walking both policies at once.

Exit codes: 0 compared, 1 failed, 3 --fail-on-difference and something is judged
differently.

Examples:
  tyrctl policy diff 3 4
  tyrctl policy diff 3 web.yaml
  tyrctl policy diff old.yaml new.yaml -o json
  tyrctl policy diff 3 web.yaml --fail-on-difference -q")]
    Diff(DiffPolicyArgs),
    /// What a policy would have said of the events that are stored.
    #[command(after_long_help = "\
POLICY is a file or a version number. Each stored event is judged by it
alone, as if it were in force for every AI process, and compared with what the
policy of then said. Nothing is changed, and reading is all that is needed.
Events come in pages, newest first; ctrl-c ends it.

BEFORE names the rule of then, RULE the one of the policy. An event may stand
for many actions that were merged; ACTIONS counts them.

Exit codes: 0 judged, 1 failed, 3 --fail-on-denied and something would be.

Examples:
  tyrctl policy simulate web.yaml --since 7d
  tyrctl policy simulate 4 --since 1d --agent build-017
  tyrctl policy simulate web.yaml --by rule,ai -o wide
  tyrctl policy simulate web.yaml --fail-on-denied -q   for CI
  tyrctl policy simulate 4 --jq '.[].examples[]'")]
    Simulate(SimulateArgs),
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
    /// Hosts on which the assigned policy is not in force, and why.
    #[command(after_long_help = "\
A policy that can't be loaded on a host changes nothing there: the one before
stays in force. `failed` names the reason; `pending` is a host that did not
answer yet, or is not connected.

Exit codes: 0 listed, 1 failed, 3 --fail-on-any and there are some.

Examples:
  tyrctl policy status
  tyrctl policy status --all -o wide
  tyrctl policy status --fail-on-any -q      for scripts, after an assignment")]
    Status(PolicyStatusArgs),
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

/// Flags of `policy check`.
#[derive(Clone, Debug, Args)]
pub struct CheckPolicyArgs {
    /// The policy; `-` reads standard input.
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    /// Exit with 3 when there are warnings.
    #[arg(long)]
    pub fail_on_warning: bool,
    /// How the rules are listed.
    #[command(flatten)]
    pub list: ListArgs,
}

/// Flags of `policy test`.
#[derive(Clone, Debug, Args)]
pub struct TestPolicyArgs {
    /// The policy; `-` reads standard input.
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    /// The cases.
    #[arg(short, long, value_name = "CASES", value_hint = ValueHint::FilePath)]
    pub cases: PathBuf,
    /// Show the cases that come out as expected too.
    #[arg(short, long)]
    pub all: bool,
    /// How the cases are listed.
    #[command(flatten)]
    pub list: ListArgs,
}

/// Flags of `policy diff`.
#[derive(Clone, Debug, Args)]
pub struct DiffPolicyArgs {
    /// A version, or a file.
    #[arg(value_name = "A", value_hint = ValueHint::FilePath, add = complete::versions())]
    pub a: String,
    /// The version or file to compare it with.
    #[arg(value_name = "B", value_hint = ValueHint::FilePath, add = complete::versions())]
    pub b: String,
    /// Exit with 3 when something is judged differently.
    #[arg(long)]
    pub fail_on_difference: bool,
}

/// Flags of `policy simulate`.
#[derive(Clone, Debug, Args)]
pub struct SimulateArgs {
    /// A version, or a file; `-` reads standard input.
    #[arg(value_name = "POLICY", value_hint = ValueHint::FilePath, add = complete::versions())]
    pub policy: String,
    /// Events from this time on.
    #[arg(long, value_name = "TIME", default_value = "7d", value_parser = when::parse_moment, add = complete::moments())]
    pub since: Moment,
    /// Events up to this time.
    #[arg(long, value_name = "TIME", value_parser = when::parse_moment, add = complete::moments())]
    pub until: Option<Moment>,
    /// Only events of this agent, by name or id.
    #[arg(long, value_name = "NAME", add = complete::agents())]
    pub agent: Option<String>,
    /// Only events of AI processes of this type, e.g. claude-code.
    #[arg(long = "type", value_name = "TYPE", add = complete::agent_types())]
    pub agent_type: Option<String>,
    /// Count apart by these, besides change, rule, kind and type: `agent`, `ai` (each AI process); `rule` for
    /// neither.
    #[arg(long, value_name = "FIELDS", default_value = "agent", value_delimiter = ',', value_parser = ["agent", "ai", "rule"])]
    pub by: Vec<String>,
    /// Judge at most so many events, the newest.
    #[arg(long, value_name = "N", default_value_t = 5_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub max_events: u64,
    /// Exit with 3 when something would be newly denied.
    #[arg(long)]
    pub fail_on_denied: bool,
    /// How the changes are listed.
    #[command(flatten)]
    pub list: ListArgs,
}

/// Flags of `policy assign`.
#[derive(Clone, Debug, Args)]
#[command(group = ArgGroup::new("target").required(true).args(["agent", "agent_type", "all", "target_type"]))]
#[command(override_usage = "tyrctl policy assign --version N <--agent A|--agent-type T|--all>")]
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
#[command(override_usage = "tyrctl policy unassign <--agent A|--agent-type T|--all> [OPTIONS]")]
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

/// A version number, with or without a `v`.
pub(crate) fn version(text: &str) -> Result<u32, String> {
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

/// Flags of `policy status`.
#[derive(Clone, Debug, Args)]
pub struct PolicyStatusArgs {
    /// Those on which it is in force too.
    #[arg(long)]
    pub all: bool,
    /// List flags.
    #[command(flatten)]
    pub list: ListArgs,
}
