//! Arguments of what is about this program itself: `doctor`, `config`, `keys`.

use std::time::Duration;

use clap::{Args, Subcommand};

use super::ListArgs;
use crate::when;

/// Flags of `doctor`.
#[derive(Clone, Debug, Args)]
pub struct DoctorArgs {
    /// How long to wait for a sign of life on the event stream; the server sends one each 10 s.
    #[arg(long, value_name = "DURATION", default_value = "12s", value_parser = when::parse_timeout)]
    pub wait: Duration,
}

/// Flags of `keys`.
#[derive(Clone, Debug, Args)]
pub struct KeysArgs {
    /// As a table of Markdown.
    #[arg(long)]
    pub markdown: bool,
    /// How the list looks.
    #[command(flatten)]
    pub list: ListArgs,
}

/// `config …`
#[derive(Clone, Debug, Subcommand)]
pub enum ConfigCommand {
    /// Where the configuration file is, whether or not there is one.
    #[command(after_long_help = "\
Examples:
  tyrctl config path
  ${EDITOR:-vi} \"$(tyrctl config path)\"")]
    Path,
    /// What is in force, from flags, environment and file.
    #[command(after_long_help = "\
Examples:
  tyrctl config show
  tyrctl config show --origin                  says where each value comes from
  tyrctl config show -o json")]
    Show {
        /// Say where each value comes from.
        #[arg(long)]
        origin: bool,
        /// How the list looks.
        #[command(flatten)]
        list: ListArgs,
    },
    /// The JSON Schema of the configuration file, for editors.
    #[command(after_long_help = "\
Examples:
  tyrctl config schema > tyr-config.schema.json")]
    Schema,
    /// Whether the configuration is right: known keys, addresses, certificate files, time zones, modes of files.
    #[command(after_long_help = "\
Exit code 1 when something is wrong.

Examples:
  tyrctl config check")]
    Check,
}
