//! Arguments of `why`.

use clap::Args;
use uuid::Uuid;

use super::SqlArg;

/// Flags of `why`.
#[derive(Clone, Debug, Args)]
pub struct WhyArgs {
    /// The event's id: `tyrctl events list -o name` shows ids, and so does `-o wide`.
    #[arg(value_name = "EVENT_ID")]
    pub event_id: Uuid,
    /// Whether to print SQL instead.
    #[command(flatten)]
    pub sql: SqlArg,
}
