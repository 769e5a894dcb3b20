//! Arguments of what looks at the fleet: agents, AI processes, events, drift, and the dashboard.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum, ValueHint};
use jiff::SignedDuration;
use tyr_api::events::{EventKind, Severity, Verdict};
use tyr_api::stats::{DriftBy, RateBy};

use super::{ChangeArgs, ListArgs, SqlArg, Window};
use crate::complete;
use crate::when::{self, Moment};

/// Flags of `top`.
#[derive(Clone, Debug, Args)]
pub struct TopArgs {
    /// View to begin with [default: that of the last time, first overview].
    #[arg(long, value_name = "VIEW")]
    pub view: Option<TopView>,
    /// Show only what matches, e.g. 'kind=exec verdict!=allow'; `?` in the dashboard lists the fields.
    #[arg(long, value_name = "FILTER", add = complete::filter())]
    pub filter: Option<String>,
    /// Print one plain-text overview and end; without a terminal this happens anyway.
    #[arg(long)]
    pub once: bool,
    /// Frames per second at most, 1-30.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u8).range(1..=30))]
    pub fps: u8,
    /// Draw with ASCII characters only.
    #[arg(long)]
    pub ascii: bool,
    /// Colours [default: those of the last time, first the terminal's own]; NO_COLOR and `--color never` take all of them away.
    #[arg(long, value_name = "NAME")]
    pub theme: Option<TopTheme>,
    /// Leave the mouse to the terminal.
    #[arg(long)]
    pub no_mouse: bool,
    /// Begin as for the first time, whatever view, filter, order, columns and theme were left.
    #[arg(long)]
    pub fresh: bool,
    /// Record everything that comes from the server into a new file; command lines and file names are in it.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with_all = ["once", "replay"])]
    pub record: Option<PathBuf>,
    /// End the recording when it has reached this size, in MiB.
    #[arg(long, value_name = "MIB", default_value_t = 256, requires = "record", value_parser = clap::value_parser!(u32).range(1..))]
    pub record_max: u32,
    /// Play a recording instead of following a server.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub replay: Option<PathBuf>,
    /// Play it that many times faster, e.g. 10 or 0.5.
    #[arg(long, value_name = "TIMES", default_value_t = 1.0, requires = "replay", value_parser = speed)]
    pub speed: f64,
}

/// Reads how much faster a recording is played.
fn speed(text: &str) -> Result<f64, String> {
    let speed: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if (0.01..=1_000.0).contains(&speed) { Ok(speed) } else { Err("0.01 to 1000".to_owned()) }
}

/// Colours of `top`; in each of them good, warning and bad stay apart with the common kinds of colour blindness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TopTheme {
    /// The terminal's own colours, on any background.
    Default,
    /// Fixed colours for dark backgrounds.
    Dark,
    /// Fixed colours for light backgrounds.
    Light,
    /// Nothing faint: bright colours on black.
    HighContrast,
    /// No colours; bold, underlined and reversed text.
    Mono,
}

/// Views of `top`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TopView {
    /// A bit of everything.
    Overview,
    /// One line per agent.
    Agents,
    /// Events as they happen.
    Events,
    /// Events on which agent and server disagree.
    Drift,
    /// Alerts that are pending or firing.
    Alerts,
    /// What this program did.
    Log,
    /// Server, stream, lag, and how long the token lasts.
    Connection,
}

/// Flags of `agents`.
#[derive(Clone, Debug, Args)]
pub struct AgentsArgs {
    /// Only these, by name or id; an unknown one is an error.
    #[arg(value_name = "NAME", add = complete::agents())]
    pub names: Vec<String>,
    /// Only those not heard from for longer than this [default when given alone: the server's 90 s].
    #[arg(long, value_name = "DURATION", num_args = 0..=1, require_equals = true, value_parser = when::parse_duration)]
    pub stale: Option<Option<SignedDuration>>,
    /// Only those not heard from for more than five minutes.
    #[arg(long, conflicts_with_all = ["stale", "online"])]
    pub offline: bool,
    /// Only those that are heard from in time.
    #[arg(long, conflicts_with = "stale")]
    pub online: bool,
    /// Only those heard from for longer than this, and without an event in that time [default when given alone: 7d].
    #[arg(long, value_name = "DURATION", num_args = 0..=1, require_equals = true, value_parser = when::parse_duration,
        conflicts_with_all = ["stale", "offline", "online"])]
    pub silent: Option<Option<SignedDuration>>,
    /// Archived ones too.
    #[arg(long)]
    pub archived: bool,
    /// Whether to print SQL instead.
    #[command(flatten)]
    pub sql: SqlArg,
    /// List flags.
    #[command(flatten)]
    pub list: ListArgs,
}

/// `agent …`
#[derive(Clone, Debug, Subcommand)]
pub enum AgentCommand {
    /// All that is known of an agent.
    #[command(after_long_help = "\
Examples:
  tyrctl agent show build-017
  tyrctl agent show build-017 -o json")]
    Show {
        /// Name or id.
        #[arg(value_name = "NAME", add = complete::agents())]
        name: String,
    },
    /// Keep an agent out of lists, and don't let it in, until it is taken back.
    #[command(after_long_help = "\
For hosts that are put aside. The stream of a running agent ends at once; it
goes on enforcing its last policy and keeps its events. What it sent before
stays.

Examples:
  tyrctl agent archive build-017
  tyrctl agent archive build-017 --dry-run
  tyrctl agent archive 00000000-0000-7000-8000-000000000001 --yes")]
    Archive(AgentChangeArgs),
    /// Take an archived agent back.
    #[command(after_long_help = "\
Examples:
  tyrctl agent unarchive build-017
  tyrctl agents --archived                     lists the archived ones too")]
    Unarchive(AgentChangeArgs),
    /// Shut an agent out for good: its certificate is refused from now on.
    #[command(after_long_help = "\
For hosts that are lost or were broken into. The stream of a running agent ends
within a second. Its events stay. The host can enroll again with a fresh token
(`tyrctl token create`), as a new agent.

Examples:
  tyrctl agent revoke laptop-7
  tyrctl agent revoke laptop-7 --dry-run
  tyrctl agent revoke laptop-7 --yes           for scripts")]
    Revoke(AgentChangeArgs),
}

/// Flags of what changes one agent.
#[derive(Clone, Debug, Args)]
pub struct AgentChangeArgs {
    /// Name or id.
    #[arg(value_name = "NAME", add = complete::agents())]
    pub name: String,
    /// Whether to ask.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// `ai …`
#[derive(Clone, Debug, Subcommand)]
pub enum AiCommand {
    /// Give an AI process a name of your own.
    #[command(after_long_help = "\
Examples:
  tyrctl ai rename 0192f0c1-2345-7000-8000-000000000011 'nightly refactoring'
  tyrctl ai --columns +display_name,+id        shows names and ids")]
    Rename {
        /// Its id.
        #[arg(value_name = "ID", add = complete::ai_processes())]
        id: uuid::Uuid,
        /// 1-128 characters.
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Agent types: which are registered, and how many AI processes of each live.
    #[command(after_long_help = "\
A type is registered when an admin approved it, or when it has an overlay
assigned. Hosts with `unregistered_agents: quarantine` or `deny` in tyrd.yaml
keep the others under a strict policy, or from running.

Examples:
  tyrctl ai types
  tyrctl ai types --jq '.[] | select(.registered | not) | .agent_type'")]
    Types {
        /// List flags.
        #[command(flatten)]
        list: ListArgs,
    },
    /// Register an agent type: its AI processes run under the policy, on every host.
    #[command(after_long_help = "\
Examples:
  tyrctl ai approve claude-code")]
    Approve {
        /// The agent type.
        #[arg(value_name = "TYPE", value_parser = agent_type, add = complete::agent_types())]
        agent_type: String,
        /// How it is confirmed.
        #[command(flatten)]
        change: ChangeArgs,
    },
    /// Take the registration of an agent type back.
    #[command(after_long_help = "\
What happens to its AI processes is for each host to say, with
`unregistered_agents` in tyrd.yaml: nothing (audit), a strict policy
(quarantine), or nothing may be done and no new one starts (deny).

Examples:
  tyrctl ai quarantine aider
  tyrctl ai quarantine aider --dry-run")]
    Quarantine {
        /// The agent type.
        #[arg(value_name = "TYPE", value_parser = agent_type, add = complete::agent_types())]
        agent_type: String,
        /// How it is confirmed.
        #[command(flatten)]
        change: ChangeArgs,
    },
}

fn agent_type(text: &str) -> Result<String, String> {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_' | b'.');
    let begins = text.starts_with(|first: char| first.is_ascii_lowercase());
    if begins && text.len() <= 64 && text.bytes().all(allowed) {
        Ok(text.to_owned())
    } else {
        Err("an agent type like claude-code begins with a letter and has lower-case letters, digits, `-`, `_` and `.`, at most 64".to_owned())
    }
}

/// Flags of `ai`.
#[derive(Clone, Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct AiArgs {
    /// What to do; list them when absent.
    #[command(subcommand)]
    pub command: Option<AiCommand>,
    /// Only those of this agent, by name or id.
    #[arg(long, value_name = "NAME", add = complete::agents())]
    pub agent: Option<String>,
    /// Only those of this agent type, e.g. claude-code.
    #[arg(long = "type", value_name = "TYPE", add = complete::agent_types())]
    pub agent_type: Option<String>,
    /// Those that ended too.
    #[arg(long)]
    pub all: bool,
    /// Whether to print SQL instead.
    #[command(flatten)]
    pub sql: SqlArg,
    /// List flags.
    #[command(flatten)]
    pub list: ListArgs,
}

/// Flags of `drift`.
#[derive(Clone, Debug, Args)]
pub struct DriftArgs {
    /// When.
    #[command(flatten)]
    pub window: Window,
    /// Only this agent, by name or id.
    #[arg(long, value_name = "NAME", add = complete::agents())]
    pub agent: Option<String>,
    /// Count by this: who reported it, what was done, the policy version or rule that decided, why the verdicts differ, or the
    /// agent's and the server's verdict.
    #[arg(long, value_name = "FIELD", default_value = "agent", value_parser = words::<DriftBy>(DriftBy::WORDS))]
    pub by: DriftBy,
    /// The events themselves instead of counts.
    #[arg(long, conflicts_with = "by")]
    pub events: bool,
    /// Only where some of it is severe, as documented: an alert that should have been a denial. With --events, only such events.
    #[arg(long, conflicts_with = "sql")]
    pub severe: bool,
    /// Whether to print SQL instead.
    #[command(flatten)]
    pub sql: SqlArg,
    /// List flags.
    #[command(flatten)]
    pub list: ListArgs,
}

/// `events …`
#[derive(Clone, Debug, Subcommand)]
pub enum EventsCommand {
    /// Stored events, newest first.
    #[command(
        visible_alias = "ls",
        after_long_help = "\
Examples:
  tyrctl events list --since 15m --verdict deny
  tyrctl events list --agent build-017 --kind net_connect --limit 20
  tyrctl events list --since yesterday --until today --limit 0 -o jsonl
  tyrctl events list --since 1h --severity high --sql"
    )]
    List(EventsListArgs),
    /// Events as they happen; goes on after a lost connection and says what it missed.
    #[command(after_long_help = "\
Examples:
  tyrctl events tail
  tyrctl events tail --verdict deny,alert --last 20
  tyrctl events tail -o jsonl --jq 'select(.severity == \"high\") | .resource'")]
    Tail(EventsTailArgs),
    /// Events per minute, by verdict or kind; per hour by agent.
    #[command(after_long_help = "\
Counted from roll-ups, so it takes a moment however many events there are.

Examples:
  tyrctl events rate                        the last hour by minute and verdict
  tyrctl events rate --since 1d --by kind
  tyrctl events rate --since 6h --by agent  whole hours, busiest agents first
  tyrctl events rate --sql                  the SQL that answers it, for psql
  tyrctl events rate --since 15m -o csv")]
    Rate(EventsRateArgs),
    /// Agents with most events, by verdict.
    #[command(after_long_help = "\
Whole hours are counted, from a roll-up, so it takes a moment however many
events there are.

Examples:
  tyrctl events agents                        the last day
  tyrctl events agents --since 2h --sort deny:desc
  tyrctl events agents --since 7d --limit 10 -o csv")]
    Agents(EventsAgentsArgs),
}

/// Flags of `events agents`.
#[derive(Clone, Debug, Args)]
pub struct EventsAgentsArgs {
    /// From this time on [default: 1d]; the hour that it falls into counts whole.
    #[arg(long, value_name = "TIME", value_parser = when::parse_moment, add = complete::moments())]
    pub since: Option<Moment>,
    /// Up to this time; the hour that it falls into counts whole.
    #[arg(long, value_name = "TIME", value_parser = when::parse_moment, add = complete::moments())]
    pub until: Option<Moment>,
    /// Whether to print SQL instead.
    #[command(flatten)]
    pub sql: SqlArg,
    /// List flags.
    #[command(flatten)]
    pub list: ListArgs,
}

/// Which events.
#[derive(Clone, Debug, Default, Args)]
pub struct EventFilter {
    /// Only events of this agent, by name or id.
    #[arg(long, value_name = "NAME", add = complete::agents())]
    pub agent: Option<String>,
    /// Only events of AI processes of this type, e.g. claude-code.
    #[arg(long = "type", value_name = "TYPE", add = complete::agent_types())]
    pub agent_type: Option<String>,
    /// Only these kinds.
    #[arg(long, value_name = "KINDS", value_delimiter = ',', value_parser = kinds())]
    pub kind: Vec<EventKind>,
    /// Only these verdicts of the agent.
    #[arg(long, value_name = "VERDICTS", value_delimiter = ',', value_parser = verdicts())]
    pub verdict: Vec<Verdict>,
    /// Only this severity or worse.
    #[arg(long, value_name = "SEVERITY", value_parser = severities())]
    pub severity: Option<Severity>,
    /// Only events on which agent and server disagree.
    #[arg(long)]
    pub drift: bool,
}

/// Flags of `events list`.
#[derive(Clone, Debug, Args)]
pub struct EventsListArgs {
    /// When.
    #[command(flatten)]
    pub window: Window,
    /// Which.
    #[command(flatten)]
    pub filter: EventFilter,
    /// Whether to print SQL instead.
    #[command(flatten)]
    pub sql: SqlArg,
    /// List flags.
    #[command(flatten)]
    pub list: ListArgs,
}

/// Flags of `events tail`.
#[derive(Clone, Debug, Args)]
pub struct EventsTailArgs {
    /// Which.
    #[command(flatten)]
    pub filter: EventFilter,
    /// Begin with this many stored events.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(0..=1000))]
    pub last: u32,
    /// Go on after this event of an earlier run (the `id:` of the stream).
    #[arg(long, value_name = "ID", conflicts_with = "last")]
    pub from: Option<String>,
    /// End after this many events.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub count: Option<u64>,
}

/// Flags of `events rate`.
#[derive(Clone, Debug, Args)]
pub struct EventsRateArgs {
    /// From this time on [default: 1h].
    #[arg(long, value_name = "TIME", value_parser = when::parse_moment, add = complete::moments())]
    pub since: Option<Moment>,
    /// Up to this time.
    #[arg(long, value_name = "TIME", value_parser = when::parse_moment, add = complete::moments())]
    pub until: Option<Moment>,
    /// One row per minute and this; by agent one per hour, and by minute nothing else.
    #[arg(long, value_name = "FIELD", default_value = "verdict", value_parser = words::<RateBy>(RateBy::WORDS))]
    pub by: RateBy,
    /// Draw with ASCII characters only.
    #[arg(long)]
    pub ascii: bool,
    /// Whether to print SQL instead.
    #[command(flatten)]
    pub sql: SqlArg,
    /// List flags.
    #[command(flatten)]
    pub list: ListArgs,
}

fn kinds() -> impl clap::builder::TypedValueParser<Value = EventKind> {
    words(EventKind::WORDS)
}

fn verdicts() -> impl clap::builder::TypedValueParser<Value = Verdict> {
    words(Verdict::WORDS)
}

fn severities() -> impl clap::builder::TypedValueParser<Value = Severity> {
    words(Severity::WORDS)
}

/// Takes one of the words, which completions and errors list.
fn words<T>(words: &'static [&'static str]) -> impl clap::builder::TypedValueParser<Value = T>
where
    T: std::str::FromStr + Clone + Send + Sync + 'static,
    T::Err: std::error::Error + Send + Sync + 'static,
{
    use clap::builder::{PossibleValuesParser, TypedValueParser};
    PossibleValuesParser::new(words).try_map(|word| word.parse::<T>())
}
