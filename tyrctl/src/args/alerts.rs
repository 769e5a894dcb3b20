//! Arguments of `alerts` and its webhooks.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand, ValueEnum, ValueHint};
use tyr_api::alerts::{AlertRule, WebhookFormat};

use super::{ChangeArgs, ListArgs, SqlArg};
use crate::complete;

fn rule() -> impl TypedValueParser<Value = AlertRule> {
    PossibleValuesParser::new(AlertRule::WORDS.iter().copied()).try_map(|word| word.parse::<AlertRule>())
}

fn format() -> impl TypedValueParser<Value = WebhookFormat> {
    PossibleValuesParser::new(WebhookFormat::WORDS.iter().copied()).try_map(|word| word.parse::<WebhookFormat>())
}

/// Flags of `alerts`.
#[derive(Clone, Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct AlertsArgs {
    /// What to do instead of listing alerts.
    #[command(subcommand)]
    pub command: Option<AlertsCommand>,
    /// Only alerts in this state.
    #[arg(long, value_name = "STATE", default_value = "open")]
    pub state: AlertsState,
    /// Only alerts of this rule.
    #[arg(long, value_name = "RULE", value_parser = rule())]
    pub rule: Option<AlertRule>,
    /// Only alerts of this agent, by name or id.
    #[arg(long, value_name = "AGENT", add = complete::agents())]
    pub agent: Option<String>,
    /// Whether to print SQL instead.
    #[command(flatten)]
    pub sql: SqlArg,
    /// How the list looks.
    #[command(flatten)]
    pub list: ListArgs,
}

/// States to choose from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum AlertsState {
    /// Pending and firing ones.
    Open,
    /// Firing ones.
    Firing,
    /// Those whose condition has to hold a little longer.
    Pending,
    /// Those that are over.
    Resolved,
    /// All.
    All,
}

/// `alerts …`
#[derive(Clone, Debug, Subcommand)]
pub enum AlertsCommand {
    /// Say that an alert is known; admins only.
    #[command(
        visible_alias = "acknowledge",
        after_long_help = "\
An acknowledged fall of posture is accepted: the host is compared with its
present level from then on. As nothing takes that back it is asked for, and
needs `--yes` in scripts; alerts of other rules are acknowledged at once.

Examples:
  tyrctl alerts ack 8f21c0de
  tyrctl alerts ack 8f21c0de 01aa77c3 --note 'kernel upgrade, back at noon'"
    )]
    Ack {
        /// The alerts: their ids, or the ends of ids as listed.
        #[arg(value_name = "ID", required = true, add = complete::alerts())]
        ids: Vec<String>,
        /// What others should know.
        #[arg(long, value_name = "TEXT")]
        note: Option<String>,
        /// Whether to ask.
        #[command(flatten)]
        change: ChangeArgs,
    },
    /// Who is told of alerts; admins only.
    #[command(subcommand)]
    Webhook(WebhookCommand),
}

/// `alerts webhook …`
#[derive(Clone, Debug, Subcommand)]
pub enum WebhookCommand {
    /// Tell this address of alerts that fire or resolve. The secret that messages are signed with is shown only once.
    #[command(after_long_help = "\
Examples:
  tyrctl alerts webhook add https://pager.example.com/tyr
  tyrctl alerts webhook add https://hooks.slack.com/services/T0/B0/x \\
      --format slack --rule stale --rule loss
  pass show pager | tyrctl alerts webhook add --secret-stdin \\
      https://pager.example.com/tyr")]
    Add(WebhookAddArgs),
    /// All webhooks, and how they fare.
    #[command(
        visible_alias = "ls",
        after_long_help = "\
Examples:
  tyrctl alerts webhook list
  tyrctl alerts webhook list -o wide"
    )]
    List(ListArgs),
    /// Tell an address no longer; what waits for it is dropped.
    #[command(
        visible_alias = "rm",
        after_long_help = "\
Examples:
  tyrctl alerts webhook remove 8f21c0de
  tyrctl alerts webhook remove 8f21c0de --yes      for scripts"
    )]
    Remove {
        /// The webhook: its id, or the end of it as listed.
        #[arg(value_name = "ID", add = complete::webhooks())]
        id: String,
        /// Whether to ask.
        #[command(flatten)]
        change: ChangeArgs,
    },
    /// Send a message now and say what became of it. Exit code 1 when it was not taken.
    #[command(after_long_help = "\
Examples:
  tyrctl alerts webhook test 8f21c0de")]
    Test {
        /// The webhook: its id, or the end of it as listed.
        #[arg(value_name = "ID", add = complete::webhooks())]
        id: String,
    },
}

/// Flags of `alerts webhook add`.
#[derive(Clone, Debug, Args)]
pub struct WebhookAddArgs {
    /// Where to send to: https, or http on the server's own machine.
    #[arg(value_name = "URL", value_hint = ValueHint::Url)]
    pub url: String,
    /// How a message looks.
    #[arg(long, value_name = "FORMAT", default_value = "json", value_parser = format())]
    pub format: WebhookFormat,
    /// Only alerts of this rule; can be given several times.
    #[arg(long = "rule", value_name = "RULE", value_parser = rule())]
    pub rules: Vec<AlertRule>,
    /// Read the secret from the first line of standard input instead of having the server make one.
    #[arg(long)]
    pub secret_stdin: bool,
    /// Don't send anything yet.
    #[arg(long)]
    pub disabled: bool,
}
