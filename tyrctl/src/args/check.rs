//! Arguments of `check`.

use clap::{Args, ValueEnum};
use jiff::SignedDuration;

use crate::complete;
use crate::threshold::Range;
use crate::when::{self, Moment};

/// Flags of `check`.
#[derive(Clone, Debug, Args)]
pub struct CheckArgs {
    /// What to look at; several may be named.
    #[arg(value_name = "WHAT", default_value = "all")]
    pub what: Vec<CheckWhat>,
    /// WARNING when a count is outside of this range, e.g. 0 for more than none [default: 0 for deny and drift].
    #[arg(short, long, value_name = "RANGE")]
    pub warning: Option<Range>,
    /// CRITICAL when a count is outside of this range [default: 0 for stale, silent and sustained].
    #[arg(short, long, value_name = "RANGE")]
    pub critical: Option<Range>,
    /// How long an agent may not be heard from.
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = when::parse_duration)]
    pub stale_after: SignedDuration,
    /// Count drift from this time on.
    #[arg(long, value_name = "TIME", default_value = "1d", value_parser = when::parse_moment, add = complete::moments())]
    pub since: Moment,
    /// Only this agent, by name or id.
    #[arg(long, value_name = "AGENT", add = complete::agents())]
    pub agent: Option<String>,
}

/// What can be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CheckWhat {
    /// Everything below.
    All,
    /// Agents that were not heard from for more than --stale-after.
    Stale,
    /// Agents that were online for long without any event: the server's alert `silent`.
    Silent,
    /// Agents that deny far more than they used to: the server's alert `deny_spike`.
    Deny,
    /// Events on which agent and server disagree.
    Drift,
    /// Agents whose drift goes on: the server's alert `sustained_drift`.
    Sustained,
}
