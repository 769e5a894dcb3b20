//! Flags of every verb that changes what others depend on.

use clap::Args;

/// How such a verb is let go on.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct ChangeArgs {
    /// Don't ask; needed where there is no terminal.
    #[arg(short, long)]
    pub yes: bool,
    /// Only say what would be changed.
    #[arg(long)]
    pub dry_run: bool,
}
