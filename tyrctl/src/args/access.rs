//! Arguments of what decides whom and as whom we talk to: setup, login, contexts, enrollment tokens.

use clap::{Args, Subcommand};

use super::{ChangeArgs, ListArgs, SqlListArgs};
use crate::complete;

/// Flags of `setup`.
#[derive(Clone, Debug, Args)]
pub struct SetupArgs {
    /// Name of the first admin, 1-64 characters.
    #[arg(long, value_name = "NAME")]
    pub username: String,
    /// Read the password from the first line of standard input instead of asking for it.
    #[arg(long)]
    pub password_stdin: bool,
}

/// Flags of `login`.
#[derive(Clone, Debug, Args)]
pub struct LoginArgs {
    /// Your name on the server.
    #[arg(long, value_name = "NAME")]
    pub username: Option<String>,
    /// Read the password from the first line of standard input instead of asking for it.
    #[arg(long)]
    pub password_stdin: bool,
}

/// Flags of `logout`.
#[derive(Clone, Debug, Args)]
pub struct LogoutArgs {
    /// The sessions of all contexts.
    #[arg(long)]
    pub all: bool,
    /// All your sessions on the server, those of other machines too.
    #[arg(long)]
    pub everywhere: bool,
}

/// `auth …`
#[derive(Clone, Debug, Subcommand)]
pub enum AuthCommand {
    /// Where the access token lies, for whom it is, and how long it works.
    #[command(after_long_help = "\
Exit code 4 when not logged in.

Examples:
  tyrctl auth status
  tyrctl auth status -o json")]
    Status,
    /// Replace the key that signs sessions, without a restart.
    #[command(after_long_help = "\
Sessions go on: the key before stays good for checking until it is replaced in
turn. For when the key may have leaked, `--end-sessions` ends all sessions but
yours.

Examples:
  tyrctl auth rotate-key
  tyrctl auth rotate-key --end-sessions --yes  for scripts")]
    RotateKey(RotateKeyArgs),
}

/// Flags of `auth rotate-key`.
#[derive(Clone, Debug, Args)]
pub struct RotateKeyArgs {
    /// Take no token of the key before: everybody has to log in again.
    #[arg(long)]
    pub end_sessions: bool,
    /// Whether to ask.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// `context …`
#[derive(Clone, Debug, Subcommand)]
pub enum ContextCommand {
    /// All contexts.
    #[command(
        visible_alias = "ls",
        after_long_help = "\
Examples:
  tyrctl context list
  tyrctl context list -o name"
    )]
    List(ListArgs),
    /// Work with this context from now on.
    #[command(after_long_help = "\
Examples:
  tyrctl context use staging")]
    Use {
        /// Its name.
        #[arg(value_name = "NAME", add = complete::contexts())]
        name: String,
    },
    /// One context; without a name the one in use.
    #[command(after_long_help = "\
Examples:
  tyrctl context show
  tyrctl context show staging -o json")]
    Show {
        /// Its name.
        #[arg(value_name = "NAME", add = complete::contexts())]
        name: Option<String>,
    },
    /// Add a context, or change one.
    #[command(after_long_help = "\
Examples:
  tyrctl --server https://staging.example.com:7701 --ca-file ca.pem \\
      context add staging
  tyrctl context add prod --server https://tyr.example.com:7701 --use
  tyrctl context add prod --read-only          refuses changes there
  tyrctl context add prod --read-only=false    takes that back")]
    Add(ContextAddArgs),
    /// Remove a context and its access token.
    #[command(
        visible_alias = "rm",
        after_long_help = "\
Examples:
  tyrctl context remove staging
  tyrctl context remove staging --yes          for scripts"
    )]
    Remove {
        /// Its name.
        #[arg(value_name = "NAME", add = complete::contexts())]
        name: String,
        /// Whether to ask.
        #[command(flatten)]
        change: ChangeArgs,
    },
}

/// Flags of `context add`; server and CA file are the global ones.
#[derive(Clone, Debug, Args)]
pub struct ContextAddArgs {
    /// Its name: letters, digits, `-`, `_` and `.`.
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Work with it from now on.
    #[arg(long = "use")]
    pub use_it: bool,
    /// Refuse everything that changes something on the server.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub read_only: Option<bool>,
}

/// `token …`
#[derive(Clone, Debug, Subcommand)]
pub enum TokenCommand {
    /// Make a token with which new agents enroll. It is shown only once.
    #[command(after_long_help = "\
Examples:
  tyrctl token create --label laptops
  tyrctl token create --label build-farm --max-uses 200 --expires-hours 72
  tyrctl token create --label ci -o json | jq -r .token")]
    Create(TokenCreateArgs),
    /// All tokens, without their secrets.
    #[command(
        visible_alias = "ls",
        after_long_help = "\
Examples:
  tyrctl token list
  tyrctl token list --sort expires_at
  tyrctl token list --sql                      the SQL that answers it, for psql"
    )]
    List(SqlListArgs),
    /// Make a token useless; agents that enrolled with it stay.
    #[command(after_long_help = "\
Examples:
  tyrctl token revoke 7f3k9q2m
  tyrctl token revoke 7f3k9q2m --yes           for scripts")]
    Revoke {
        /// Public part of the token, as listed.
        #[arg(value_name = "TOKEN_ID", add = complete::tokens())]
        token_id: String,
        /// Whether to ask.
        #[command(flatten)]
        change: ChangeArgs,
    },
}

/// Flags of `token create`.
#[derive(Clone, Debug, Args)]
pub struct TokenCreateArgs {
    /// What it is for, 1-128 characters.
    #[arg(long, value_name = "TEXT")]
    pub label: String,
    /// How many agents may enroll with it.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub max_uses: u32,
    /// When it stops working.
    #[arg(long, value_name = "HOURS", default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=8760))]
    pub expires_hours: u32,
}
