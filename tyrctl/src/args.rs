//! What can be asked on the command line: clap alone, so that help, man pages and completions come from one definition.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};

use crate::complete;
use crate::when::{self, Moment};

pub mod access;
pub mod alerts;
pub mod change;
pub mod check;
pub mod config;
pub mod db;
pub mod fleet;
pub mod policy;
pub mod sql;
pub mod users;
pub mod why;

pub use access::{
    AuthCommand, ContextAddArgs, ContextCommand, LoginArgs, LogoutArgs, RotateKeyArgs, SetupArgs, TokenCommand,
    TokenCreateArgs,
};
pub use alerts::{AlertsArgs, AlertsCommand, AlertsState, WebhookAddArgs, WebhookCommand};
pub use change::ChangeArgs;
pub use check::{CheckArgs, CheckWhat};
pub use config::{ConfigCommand, DoctorArgs, KeysArgs};
pub use db::{DbArgs, DbCommand};
pub use fleet::{
    AgentChangeArgs, AgentCommand, AgentsArgs, AiArgs, AiCommand, DriftArgs, EventFilter, EventsAgentsArgs,
    EventsCommand, EventsListArgs, EventsRateArgs, EventsTailArgs, TopArgs, TopTheme, TopView,
};
pub use policy::{
    ApplyArgs, AssignArgs, CheckPolicyArgs, DiffPolicyArgs, PolicyCommand, PolicyStatusArgs, SimulateArgs,
    TestPolicyArgs, UnassignArgs,
};
pub use sql::{SqlArg, SqlCommand, SqlListArgs};
pub use users::{AuditArgs, PasswdArgs, RoleArg, UserCommand, UserCreateArgs};
pub use why::WhyArgs;

/// See and govern what AI agents do on your hosts.
#[derive(Debug, Parser)]
#[command(
    name = "tyrctl",
    version,
    arg_required_else_help = true,
    subcommand_required = true,
    disable_help_subcommand = true,
    max_term_width = 80,
    after_long_help = "\
Examples:
  tyrctl --server https://tyr.example.com:7701 login --username alice
  tyrctl top                         live dashboard
  tyrctl agents --stale              hosts that went silent
  tyrctl drift --since 1d            where agent and server disagree
  tyrctl events tail --verdict deny  denials as they happen

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 a --fail-on-... condition holds,
4 not logged in or not allowed, 5 server not reachable.

Times: 90s, 2h30m, 1d (24 hours), today, yesterday, 2026-11-21,
2026-11-21T09:30:00Z."
)]
pub struct Cli {
    /// Flags that every command takes.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Flags that every command takes.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Use this context of the configuration file.
    #[arg(long, global = true, value_name = "NAME", env = "TYR_CONTEXT", hide_env_values = true, add = complete::contexts())]
    pub context: Option<String>,
    /// Server to talk to, e.g. `https://tyr.example.com:7701`.
    #[arg(long, global = true, value_name = "URL", env = "TYR_SERVER", value_hint = ValueHint::Url, hide_env_values = true)]
    pub server: Option<String>,
    /// Trust only the certificate authorities in this PEM file.
    #[arg(long, global = true, value_name = "FILE", env = "TYR_CA_FILE", value_hint = ValueHint::FilePath, hide_env_values = true)]
    pub ca_file: Option<PathBuf>,
    /// Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored.
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub token_file: Option<PathBuf>,
    /// Give up on an answer, and on the computing of --jq, after this time.
    #[arg(long, global = true, value_name = "DURATION", default_value = "10s", value_parser = when::parse_timeout)]
    pub timeout: Duration,
    /// Form of the output [default: table; with --json or --jq json].
    #[arg(short, long, global = true, value_name = "FORMAT")]
    pub output: Option<Format>,
    /// Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`.
    #[arg(long, global = true, value_name = "FIELDS", num_args = 0.., require_equals = true, value_delimiter = ',')]
    pub json: Option<Vec<String>>,
    /// Print what this jq expression makes of the JSON, e.g. `'.[] | select(.lost > 0) | .name'`; strings without quotes.
    #[arg(long, global = true, value_name = "EXPRESSION", value_hint = ValueHint::Other)]
    pub jq: Option<String>,
    /// Colours on standard output.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: ColorWhen,
    /// Show times in this zone, e.g. Europe/Berlin or local.
    #[arg(long, global = true, value_name = "ZONE", env = "TYR_TZ", hide_env_values = true, add = complete::zones())]
    pub tz: Option<String>,
    /// How times are shown: each as suits it, or all alike.
    #[arg(long, global = true, value_name = "STYLE")]
    pub time: Option<TimeStyle>,
    /// No notes on standard error.
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Never ask a question; fail instead.
    #[arg(long, global = true)]
    pub no_input: bool,
}

/// How rows are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Aligned columns for people.
    Table,
    /// A table with all columns.
    Wide,
    /// One JSON document.
    Json,
    /// One JSON object per line.
    Jsonl,
    /// One YAML document.
    Yaml,
    /// Comma-separated values with a head.
    Csv,
    /// Tab-separated values with a head.
    Tsv,
    /// Names alone, one per line.
    Name,
}

/// How people are shown a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TimeStyle {
    /// How long ago: 9m39s ago.
    Relative,
    /// 2026-11-22T19:30:00Z, in the zone of --tz.
    Rfc3339,
    /// The same in the zone of this machine.
    Local,
}

/// Whether to colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ColorWhen {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Also in a pipe.
    Always,
    /// Not at all.
    Never,
}

/// Flags of commands that print a list.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "List options")]
pub struct ListArgs {
    /// Leave out the line of column names.
    #[arg(long)]
    pub no_headers: bool,
    /// Show these columns, in this order; `+name` adds one, `-name` leaves one out.
    #[arg(long, value_name = "NAMES", value_delimiter = ',', allow_hyphen_values = true, add = complete::columns())]
    pub columns: Vec<String>,
    /// Sort by these columns, e.g. `name` or `last_seen:desc`.
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',', add = complete::sort_keys())]
    pub sort: Vec<String>,
    /// Print at most this many rows; 0 prints all.
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// Ask again and again, each SECONDS [default when given alone: 2], and redraw in place; in a pipe print one output after the other.
    #[arg(short, long, value_name = "SECONDS", num_args = 0..=1, require_equals = true, default_missing_value = "2", value_parser = when::parse_every)]
    pub watch: Option<Duration>,
    /// Exit with 3 when at least one row is found; with --watch as soon as one is.
    #[arg(long, conflicts_with = "fail_on_none")]
    pub fail_on_any: bool,
    /// Exit with 3 when no row is found; with --watch as soon as there is none.
    #[arg(long)]
    pub fail_on_none: bool,
}

/// A stretch of time.
#[derive(Clone, Debug, Args)]
pub struct Window {
    /// From this time on: 15m, 1d (24 hours), yesterday, 2026-11-21T09:30:00Z.
    #[arg(long, value_name = "TIME", value_parser = when::parse_moment, add = complete::moments())]
    pub since: Option<Moment>,
    /// Up to this time.
    #[arg(long, value_name = "TIME", value_parser = when::parse_moment, add = complete::moments())]
    pub until: Option<Moment>,
}

/// The verbs.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Live dashboard of agents, events and drift.
    #[command(after_long_help = "\
Examples:
  tyrctl top
  tyrctl top --view drift
  tyrctl top --filter 'kind=exec,net_connect verdict!=allow since 5m'
  tyrctl top --theme light --no-mouse
  tyrctl top --record night.rec
  tyrctl top --replay night.rec --speed 10
  tyrctl top --once            one plain-text overview, e.g. for cron")]
    Top(TopArgs),
    /// Agents: one per host.
    #[command(
        visible_alias = "ls",
        after_long_help = "\
Examples:
  tyrctl agents
  tyrctl agents --stale                    not heard from for more than 90 s
  tyrctl agents --stale=2m --sort staleness:desc
  tyrctl agents --silent --fail-on-any -q  online for 7 days without an event
  tyrctl agents --stale=2m --sql           the SQL that answers it, for psql
  tyrctl agents --stale --fail-on-any -q   exit code 3 when there is one
  tyrctl agents build-017 -o json"
    )]
    Agents(AgentsArgs),
    /// One agent in detail.
    #[command(subcommand)]
    Agent(AgentCommand),
    /// AI processes that agents found.
    #[command(after_long_help = "\
Examples:
  tyrctl ai
  tyrctl ai --type claude-code --agent build-017
  tyrctl ai --all -o jsonl                     ended ones included
  tyrctl ai --type cursor --sql                the SQL that answers it, for psql
  tyrctl ai rename ID 'nightly refactoring'
  tyrctl ai types                              which types are registered
  tyrctl ai approve claude-code                registers one")]
    Ai(AiArgs),
    /// Where the agent's verdict differs from the server's.
    #[command(after_long_help = "\
SUSTAINED is yes where drift arrived in three of the last five windows of five
minutes, as the alert rule sustained_drift has it: tampering, or a policy that
did not get there. Drift that is only \"not enforced here\" does not count for
that.

Examples:
  tyrctl drift --since 1d                   count per agent
  tyrctl drift --since 1d --by reason
  tyrctl drift --since 1d --by rule --agent build-017
  tyrctl drift --since 1d --sql             the SQL that answers it, for psql
  tyrctl drift --since 2h --events          the events themselves
  tyrctl drift --severe                     alerts that should be denials
  tyrctl drift --since 1d --fail-on-any -q  exit code 3 when there is any")]
    Drift(DriftArgs),
    /// What the server alerts on, who knows of it, and who is told.
    #[command(after_long_help = "\
Rules: stale, silent, deny_spike, drift, sustained_drift, loss, posture_fell.

Examples:
  tyrctl alerts                                pending and firing ones
  tyrctl alerts --state all --agent build-017
  tyrctl alerts --state firing --fail-on-any -q    exit code 3 when there is one
  tyrctl alerts --sql                          the SQL that answers it, for psql
  tyrctl alerts ack 8f21c0de --note 'kernel upgrade'
  tyrctl alerts webhook add https://pager.example.com/tyr")]
    Alerts(AlertsArgs),
    /// Judged actions of AI processes.
    #[command(subcommand)]
    Events(EventsCommand),
    /// Why an event got its verdict: rule, policy, both verdicts, and whose process it was.
    #[command(after_long_help = "\
Examples:
  tyrctl events list --verdict deny --limit 5 --columns ts,resource,event_id
  tyrctl why 0192f0c1-2345-7000-8000-000000000011
  tyrctl why 0192f0c1-2345-7000-8000-000000000011 -o json
  tyrctl why 0192f0c1-2345-7000-8000-000000000011 --sql")]
    Why(WhyArgs),
    /// Policies: apply, look at, assign.
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Enrollment tokens for new agents.
    #[command(subcommand)]
    Token(TokenCommand),
    /// Who may log in, and what for.
    #[command(subcommand)]
    User(UserCommand),
    /// What people did: logins, failed ones too, and changes.
    #[command(after_long_help = "\
The server writes each entry together with the deed, and its database refuses to
change or remove any before it's 90 days old.

Examples:
  tyrctl audit --since 1d
  tyrctl audit --actor alice --action user
  tyrctl audit --action auth.login_failed --since 1h --fail-on-any -q
  tyrctl audit --since 2026-11-01 --limit 0 -o jsonl > audit.jsonl
  tyrctl audit --action auth --sql             the SQL that answers it, for psql")]
    Audit(AuditArgs),
    /// Change your own password; your other sessions end.
    #[command(after_long_help = "\
Examples:
  tyrctl passwd
  printf '%s\\n' \"$OLD\" \"$NEW\" | tyrctl passwd --password-stdin")]
    Passwd(PasswdArgs),
    /// Make the first admin of a new server, and log in.
    #[command(after_long_help = "\
Examples:
  tyrctl --server https://localhost:7701 --ca-file ca.pem setup --username alice
  pass show tyr | tyrctl setup --username alice --password-stdin")]
    Setup(SetupArgs),
    /// Log in and store the access token.
    #[command(after_long_help = "\
Server and CA file are remembered in the context, so that later commands need
neither.

Examples:
  tyrctl --server https://tyr.example.com:7701 --ca-file ca.pem \\
      login --username alice
  pass show tyr | tyrctl login --username alice --password-stdin")]
    Login(LoginArgs),
    /// End your session on the server and forget its access token.
    #[command(after_long_help = "\
Examples:
  tyrctl logout
  tyrctl logout --everywhere  all your sessions, on all machines
  tyrctl --context staging logout")]
    Logout(LogoutArgs),
    /// Whether and as whom you are logged in.
    #[command(subcommand)]
    Auth(AuthCommand),
    /// Servers that you work with.
    #[command(subcommand)]
    Context(ContextCommand),
    /// The database behind the server: connections, sizes, growth, partitions, bloat.
    #[command(
        args_conflicts_with_subcommands = true,
        after_long_help = "\
Sizes are of the disk, numbers of rows are PostgreSQL's estimates. `tyr-server
db` does the work that needs the database itself: `tyr-server db retention`,
`tyr-server db reindex`.

Examples:
  tyrctl db                                    all that matters on one screen
  tyrctl db connections
  tyrctl db tables --sort growth_per_day:desc
  tyrctl db partitions -o csv
  tyrctl db indexes --limit 20
  tyrctl db apart --fail-on-any -q             for scripts: exit code 3 if so
  tyrctl db tables --sql                       the SQL that answers it, for psql"
    )]
    Db(DbArgs),
    /// The SQL behind the commands, ready for psql.
    #[command(subcommand)]
    Sql(SqlCommand),
    /// A plugin for Nagios, Icinga and their like: exit code 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.
    #[command(after_long_help = "\
One line with performance data, details below. Without -w and -c: more than no
stale or silent agent, or sustained drift, is CRITICAL; more than no deny spike
or drifting event is WARNING. Ranges are those of monitoring plugins: `10`
complains above 10, `10:` below, `@1:5` within. Silent, deny and sustained are
alerts that the server raises by its own settings. Without a server, a login or
right usage the state is UNKNOWN.

Examples:
  tyrctl check                                 everything
  tyrctl check stale --stale-after 10m -w 0 -c 5
  tyrctl check drift --since 1h -c 100
  tyrctl check deny silent --agent build-017
  tyrctl --token-file /etc/nagios/tyr.token \\
      --server https://tyr.example.com:7701 check")]
    Check(CheckArgs),
    /// Health of server and database.
    #[command(after_long_help = "\
Needs no login. Exit code 1 when the server or its database is not well.

Examples:
  tyrctl health
  tyrctl health -o json")]
    Health,
    /// What the server counts, in the text format of Prometheus.
    #[command(after_long_help = "\
`/metrics` takes the session of any user; a Prometheus shows the token in
metrics.token of the server's data directory.

Examples:
  tyrctl metrics                      all of them, as Prometheus reads them
  tyrctl metrics --filter tyr_events  those whose name begins so
  tyrctl metrics --filter tyr_agents -o csv
  tyrctl metrics --columns name,labels,value --sort value:desc")]
    Metrics(MetricsArgs),
    /// Versions of this program and of the server.
    #[command(after_long_help = "\
Examples:
  tyrctl version
  tyrctl version --client -o json")]
    Version(VersionArgs),
    /// Send one request of the REST interface as you are logged in.
    #[command(after_long_help = "\
For what has no command of its own. The answer is printed as JSON; `-o jsonl`
prints one row of a list per line. `tyrctl api GET /openapi.json` describes all
routes. All but GET ask first, and need `--yes` where there is no terminal.

Examples:
  tyrctl api GET agents                        short for /api/v1/agents
  tyrctl api GET events --query verdict=deny --query limit=5 -o jsonl
  tyrctl api POST enrollment-tokens --input token.json --dry-run
  tyrctl api POST enrollment-tokens --input - --yes < token.json
  tyrctl api DELETE enrollment-tokens/7f3k9q2m")]
    Api(ApiArgs),
    /// Everything that has to be right for this program to work, one line each.
    #[command(after_long_help = "\
Each line is ok, warn, fail or skip; exit code 1 when one is fail. Nothing
secret is printed, so the output can be sent to others.

Examples:
  tyrctl doctor
  tyrctl doctor --wait 20s                     waits longer for the event stream
  tyrctl doctor -o json")]
    Doctor(DoctorArgs),
    /// The configuration of this program: where it is, what it says, whether it is right.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Keys of the dashboard.
    #[command(after_long_help = "\
The same table feeds the keys of `tyrctl top`, its help and this list.
`[keys]` in the configuration file gives actions other keys; `-o wide` has
their words:

  [keys]
  freeze = \"F2\"
  deny-only = [\"e\", \"ctrl-e\"]
  privacy = []

A key is a character, F1 to F12, `ctrl-` and a letter, or space, tab,
shift-tab, backspace, delete, insert, up, down, left, right, home, end,
pageup, pagedown. esc, enter and ctrl-c keep their meaning.

Examples:
  tyrctl keys
  tyrctl keys -o wide
  tyrctl keys --markdown > keys.md")]
    Keys(KeysArgs),
    /// Print the completion script of a shell.
    #[command(after_long_help = "\
The script is complete in itself. With `--dynamic` a loader is printed that also
completes what the server knows: names of agents and users, policy versions, ids
of AI processes; and columns, contexts, fields of filters. Names are kept for a
minute in `~/.cache/tyr/names`; the server is waited for at most 0.3 s. The
Debian package installs the loaders; the whole scripts are for hosts that have
no tyrctl of their own, e.g. in an image that is built elsewhere.

Examples:
  tyrctl completions bash > /usr/share/bash-completion/completions/tyrctl
  tyrctl completions zsh > \"${fpath[1]}/_tyrctl\"
  tyrctl completions fish > ~/.config/fish/completions/tyrctl.fish
  tyrctl completions bash --dynamic >> ~/.bashrc
  tyrctl completions zsh --dynamic >> ~/.zshrc      below the line with compinit
  tyrctl completions fish --dynamic >> ~/.config/fish/config.fish")]
    Completions(CompletionsArgs),
    /// Write the man pages.
    #[command(after_long_help = "\
Examples:
  tyrctl man                              tyrctl(1) on standard output
  tyrctl man --dir /usr/local/share/man/man1")]
    Man(ManArgs),
}

/// Flags of `metrics`.
#[derive(Clone, Debug, Args)]
pub struct MetricsArgs {
    /// Only those whose name begins with this.
    #[arg(long, value_name = "PREFIX")]
    pub filter: Option<String>,
    /// List flags.
    #[command(flatten)]
    pub list: ListArgs,
}

/// Flags of `version`.
#[derive(Clone, Debug, Args)]
pub struct VersionArgs {
    /// Don't ask the server.
    #[arg(long)]
    pub client: bool,
}

/// Flags of `api`.
#[derive(Clone, Debug, Args)]
pub struct ApiArgs {
    /// What to do there.
    #[arg(ignore_case = true)]
    pub method: ApiMethod,
    /// Path on the server; one without a leading `/` is below /api/v1/.
    pub path: String,
    /// A parameter of the query; may be given several times.
    #[arg(long, value_name = "NAME=VALUE", value_parser = name_and_value)]
    pub query: Vec<(String, String)>,
    /// Send this JSON document as the body; `-` reads standard input.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub input: Option<PathBuf>,
    /// Whether to ask.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// Methods of the REST interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "UPPER")]
pub enum ApiMethod {
    /// Read.
    Get,
    /// Make something.
    Post,
    /// Change something.
    Patch,
    /// End something.
    Delete,
}

fn name_and_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("a parameter is NAME=VALUE, e.g. limit=5".to_owned()),
    }
}

/// Flags of `completions`.
#[derive(Clone, Debug, Args)]
pub struct CompletionsArgs {
    /// Which shell.
    pub shell: Shell,
    /// Print the loader of the dynamic completion instead.
    #[arg(long)]
    pub dynamic: bool,
}

/// Shells with completions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    /// GNU bash.
    Bash,
    /// zsh.
    Zsh,
    /// fish.
    Fish,
}

/// Flags of `man`.
#[derive(Clone, Debug, Args)]
pub struct ManArgs {
    /// Write one page per command into this folder.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub dir: Option<PathBuf>,
}
