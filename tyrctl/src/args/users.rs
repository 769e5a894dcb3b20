//! Arguments of what is about people: users, one's own password, and the audit log.

use clap::{Args, Subcommand, ValueEnum};

use super::{ChangeArgs, ListArgs, SqlArg, SqlListArgs, Window};
use crate::complete;

/// What a user may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RoleArg {
    /// Reads agents, policies and events.
    Viewer,
    /// Everything.
    Admin,
}

/// `user …`
#[derive(Clone, Debug, Subcommand)]
pub enum UserCommand {
    /// All users.
    #[command(
        visible_alias = "ls",
        after_long_help = "\
Examples:
  tyrctl user list
  tyrctl user list --sort last_login_at:desc
  tyrctl user list -o name
  tyrctl user list --sql                       the SQL that answers it, for psql"
    )]
    List(SqlListArgs),
    /// One user in detail.
    #[command(after_long_help = "\
Examples:
  tyrctl user show alice
  tyrctl user show alice -o json")]
    Show {
        /// Name or id.
        #[arg(value_name = "NAME", add = complete::users())]
        name: String,
    },
    /// Make a user.
    #[command(after_long_help = "\
Examples:
  tyrctl user create bob --role viewer
  pwgen 20 1 | tyrctl user create bob --role viewer --password-stdin")]
    Create(UserCreateArgs),
    /// Give a user another role; its sessions end.
    #[command(after_long_help = "\
The last admin stays one.

Examples:
  tyrctl user set-role bob admin
  tyrctl user set-role bob viewer --yes        for scripts")]
    SetRole {
        /// Name or id.
        #[arg(value_name = "NAME", add = complete::users())]
        name: String,
        /// What it may do from now on.
        #[arg(value_name = "ROLE")]
        role: RoleArg,
        /// Whether to ask.
        #[command(flatten)]
        change: ChangeArgs,
    },
    /// Give a user another password; its sessions end.
    #[command(after_long_help = "\
Your own password is changed by `tyrctl passwd`, which ends no session that you
need.

Examples:
  tyrctl user reset-password bob
  pwgen 20 1 | tyrctl user reset-password bob --password-stdin --yes")]
    ResetPassword {
        /// Name or id.
        #[arg(value_name = "NAME", add = complete::users())]
        name: String,
        /// Read the password from the first line of standard input instead of asking for it.
        #[arg(long)]
        password_stdin: bool,
        /// Whether to ask.
        #[command(flatten)]
        change: ChangeArgs,
    },
    /// Remove a user; its sessions end. What it did stays in the audit log.
    #[command(
        visible_alias = "rm",
        after_long_help = "\
The last admin can't be removed.

Examples:
  tyrctl user delete bob
  tyrctl user delete bob --yes                 for scripts"
    )]
    Delete {
        /// Name or id.
        #[arg(value_name = "NAME", add = complete::users())]
        name: String,
        /// Whether to ask.
        #[command(flatten)]
        change: ChangeArgs,
    },
}

/// Flags of `user create`.
#[derive(Clone, Debug, Args)]
pub struct UserCreateArgs {
    /// Its name: 1-64 letters, digits and `. _ - @ +`, beginning with a letter or digit.
    #[arg(value_name = "NAME")]
    pub name: String,
    /// What it may do.
    #[arg(long, value_name = "ROLE")]
    pub role: RoleArg,
    /// Read the password from the first line of standard input instead of asking for it.
    #[arg(long)]
    pub password_stdin: bool,
}

/// Flags of `passwd`.
#[derive(Clone, Debug, Args)]
pub struct PasswdArgs {
    /// Read the passwords from standard input instead of asking: the current one on the first line, the new one on the second.
    #[arg(long)]
    pub password_stdin: bool,
}

/// Flags of `audit`.
#[derive(Clone, Debug, Args)]
pub struct AuditArgs {
    /// Only what this user did.
    #[arg(long, value_name = "NAME", add = complete::users())]
    pub actor: Option<String>,
    /// Only this action, e.g. user.create, or all of an area, e.g. user.
    #[arg(long, value_name = "ACTION")]
    pub action: Option<String>,
    /// Which stretch of time.
    #[command(flatten)]
    pub window: Window,
    /// Whether to print SQL instead.
    #[command(flatten)]
    pub sql: SqlArg,
    /// How to print the list.
    #[command(flatten)]
    pub list: ListArgs,
}
