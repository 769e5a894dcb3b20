//! Every statement that a command of the fleet is answered by, and those of the manual word by word.

use super::{Fallback, Param, Statement};

/// Includes a text of the server.
macro_rules! text {
    ($name:literal) => {
        include_str!(concat!("../../../server/src/db/sql/", $name, ".sql"))
    };
}

const fn param(name: &'static str, default: Fallback) -> Param {
    Param { name, default }
}

const fn nothing(name: &'static str) -> Param {
    param(name, Fallback::Nothing)
}

/// All of them, in the order of `tyrctl sql list`.
pub static ALL: &[&Statement] = &[
    &AGENTS,
    &AI,
    &EVENTS,
    &RATE,
    &RATE_BY_VERDICT,
    &RATE_BY_KIND,
    &RATE_BY_MINUTE,
    &RATE_BY_AGENT,
    &AGENT_EVENTS,
    &DRIFT,
    &DRIFT_BY,
    &DRIFTS_SINCE,
    &ALERTS,
    &POLICIES,
    &TOKENS,
    &USERS,
    &AUDIT,
    &DATABASE,
    &CONNECTIONS,
    &TABLES,
    &PARTITIONS,
    &INDEXES,
    &APART,
    &M3,
    &M6,
    &M8,
    &M11,
];

/// Agents: what they say of themselves, and those that are stale or silent.
pub static AGENTS: Statement = Statement {
    name: "agents",
    documented: Some("M2, M4, M5"),
    command: "tyrctl agents",
    answers: "agents; those that are stale, online or silent",
    text: text!("agents"),
    params: &[
        param("archived", Fallback::No),
        nothing("agents"),
        nothing("after"),
        nothing("unheard_for_s"),
        nothing("heard_within_s"),
        nothing("silent_for_s"),
        nothing("limit"),
    ],
};

/// AI processes.
pub static AI: Statement = Statement {
    name: "ai",
    documented: None,
    command: "tyrctl ai",
    answers: "AI processes that agents found",
    text: text!("ai"),
    params: &[
        nothing("ids"),
        nothing("agent"),
        nothing("type"),
        nothing("alive_after"),
        nothing("before"),
        nothing("before_id"),
        nothing("limit"),
    ],
};

/// Events, newest first.
pub static EVENTS: Statement = Statement {
    name: "events",
    documented: Some("M7, M9"),
    command: "tyrctl events list, drift --events, why",
    answers: "events, newest first",
    text: text!("events"),
    params: &[
        nothing("agent"),
        nothing("event"),
        nothing("kind"),
        nothing("verdict"),
        nothing("severity"),
        nothing("type"),
        nothing("drift"),
        nothing("since"),
        nothing("until"),
        nothing("before"),
        nothing("before_id"),
        param("limit", Fallback::Rows(100)),
    ],
};

const SINCE_1H: &[Param] = &[param("since", Fallback::HoursAgo(1)), param("until", Fallback::Now)];

/// Events per minute, verdict and kind.
pub static RATE: Statement = Statement {
    name: "rate",
    documented: None,
    command: "tyrctl top",
    answers: "events per minute, verdict and kind, from the roll-up",
    text: text!("rate"),
    params: SINCE_1H,
};

/// Events per minute and verdict.
pub static RATE_BY_VERDICT: Statement = Statement {
    name: "rate_by_verdict",
    documented: None,
    command: "tyrctl events rate",
    answers: "events per minute and verdict, from the roll-up",
    text: text!("rate_by_verdict"),
    params: SINCE_1H,
};

/// Events per minute and kind.
pub static RATE_BY_KIND: Statement = Statement {
    name: "rate_by_kind",
    documented: None,
    command: "tyrctl events rate --by kind",
    answers: "events per minute and kind, from the roll-up",
    text: text!("rate_by_kind"),
    params: SINCE_1H,
};

/// Events per minute.
pub static RATE_BY_MINUTE: Statement = Statement {
    name: "rate_by_minute",
    documented: None,
    command: "tyrctl events rate --by minute",
    answers: "events per minute, from the roll-up",
    text: text!("rate_by_minute"),
    params: SINCE_1H,
};

/// Events per hour and agent.
pub static RATE_BY_AGENT: Statement = Statement {
    name: "rate_by_agent",
    documented: None,
    command: "tyrctl events rate --by agent",
    answers: "events per hour and agent, from the roll-up",
    text: text!("rate_by_agent"),
    params: &[
        param("since", Fallback::HoursAgo(1)),
        param("until", Fallback::Now),
        param("limit", Fallback::Rows(10_000)),
    ],
};

/// The busiest agents.
pub static AGENT_EVENTS: Statement = Statement {
    name: "agent_events",
    documented: None,
    command: "tyrctl events agents",
    answers: "the agents with most events, from the roll-up by hour",
    text: text!("agent_events"),
    params: &[
        param("since", Fallback::HoursAgo(24)),
        param("until", Fallback::Now),
        param("limit", Fallback::Rows(10_000)),
    ],
};

/// Drift by agent.
pub static DRIFT: Statement = Statement {
    name: "drift",
    documented: None,
    command: "tyrctl drift",
    answers: "drift by agent, sustained drift marked",
    text: text!("drift"),
    params: &[param("since", Fallback::HoursAgo(24)), param("until", Fallback::Now), nothing("agent")],
};

/// Drift by what it has in common.
pub static DRIFT_BY: Statement = Statement {
    name: "drift_by",
    documented: None,
    command: "tyrctl drift --by kind|policy|rule|reason|verdicts",
    answers: "drift by what it has in common",
    text: text!("drift_by"),
    params: &[
        param("since", Fallback::HoursAgo(24)),
        param("until", Fallback::Now),
        nothing("agent"),
        param("by", Fallback::Word("reason")),
    ],
};

/// How many events drifted.
pub static DRIFTS_SINCE: Statement = Statement {
    name: "drifts_since",
    documented: None,
    command: "tyrctl top",
    answers: "how many events drifted",
    text: text!("drifts_since"),
    params: &[param("since", Fallback::HoursAgo(24))],
};

/// What the server alerts on.
pub static ALERTS: Statement = Statement {
    name: "alerts",
    documented: None,
    command: "tyrctl alerts",
    answers: "alerts: firing ones first, then pending, then resolved",
    text: text!("alerts"),
    params: &[
        param("state", Fallback::Words(&["pending", "firing"])),
        nothing("rule"),
        nothing("agent"),
        nothing("agent_name"),
        nothing("ids"),
        nothing("after_revision"),
        nothing("up_to_revision"),
        nothing("changed_after"),
        param("unfired", Fallback::No),
        nothing("after_rank"),
        nothing("after_change"),
        nothing("after_id"),
        param("limit", Fallback::Rows(1_000)),
    ],
};

/// Policy versions.
pub static POLICIES: Statement = Statement {
    name: "policies",
    documented: None,
    command: "tyrctl policy list",
    answers: "policy versions, newest first",
    text: text!("policies"),
    params: &[nothing("below"), nothing("limit")],
};

/// Enrollment tokens.
pub static TOKENS: Statement = Statement {
    name: "tokens",
    documented: None,
    command: "tyrctl token list",
    answers: "enrollment tokens without their secrets, newest first",
    text: text!("tokens"),
    params: &[nothing("token"), nothing("after"), nothing("limit")],
};

/// Users.
pub static USERS: Statement = Statement {
    name: "users",
    documented: None,
    command: "tyrctl user list",
    answers: "users by name, without what their passwords are checked by",
    text: text!("users"),
    params: &[nothing("user"), nothing("after"), nothing("limit")],
};

/// What people did.
pub static AUDIT: Statement = Statement {
    name: "audit",
    documented: None,
    command: "tyrctl audit",
    answers: "what people did, newest first",
    text: text!("audit"),
    params: &[
        nothing("actor"),
        nothing("action"),
        nothing("area"),
        nothing("since"),
        nothing("until"),
        nothing("before"),
        nothing("before_id"),
        param("limit", Fallback::Rows(100)),
    ],
};

/// The database as a whole.
pub static DATABASE: Statement = Statement {
    name: "database",
    documented: None,
    command: "tyrctl db",
    answers: "the database: version, size, connections it takes",
    text: text!("database"),
    params: &[],
};

/// Connections.
pub static CONNECTIONS: Statement = Statement {
    name: "connections",
    documented: Some("M10"),
    command: "tyrctl db connections",
    answers: "connections to the database, by program and state",
    text: text!("connections"),
    params: &[],
};

/// Tables with sizes and growth.
pub static TABLES: Statement = Statement {
    name: "tables",
    documented: Some("M10"),
    command: "tyrctl db tables",
    answers: "tables with their sizes and growth per day",
    text: text!("tables"),
    params: &[],
};

/// Days of events.
pub static PARTITIONS: Statement = Statement {
    name: "partitions",
    documented: Some("M12"),
    command: "tyrctl db partitions",
    answers: "days of events, newest first",
    text: text!("partitions"),
    params: &[],
};

/// Indexes with bloat.
pub static INDEXES: Statement = Statement {
    name: "indexes",
    documented: Some("M10"),
    command: "tyrctl db indexes",
    answers: "indexes with an estimate of their bloat",
    text: text!("indexes"),
    params: &[param("limit", Fallback::Rows(1_000))],
};

/// What has no place among the events.
pub static APART: Statement = Statement {
    name: "apart",
    documented: None,
    command: "tyrctl db apart",
    answers: "what agents sent and is not among the events",
    text: text!("apart"),
    params: &[param("limit", Fallback::Rows(1_000))],
};

/// The manual's query of stale agents.
pub static M3: Statement = Statement {
    name: "documented_stale",
    documented: Some("M3"),
    command: "tyrctl agents --stale=2m",
    answers: "the manual's text: agents not heard from for two minutes",
    text: text!("documented/M3"),
    params: &[],
};

/// The manual's query of rates.
pub static M6: Statement = Statement {
    name: "documented_rate",
    documented: Some("M6"),
    command: "tyrctl events rate",
    answers: "the manual's text: events per minute and verdict; reads every event of the hour",
    text: text!("documented/M6"),
    params: &[],
};

/// The manual's query of drift.
pub static M8: Statement = Statement {
    name: "documented_drift",
    documented: Some("M8"),
    command: "tyrctl drift --since 1d",
    answers: "the manual's text: drift by agent over the last day",
    text: text!("documented/M8"),
    params: &[],
};

/// The manual's retention.
pub static M11: Statement = Statement {
    name: "documented_retention",
    documented: Some("M11"),
    command: "tyr-server db retention",
    answers: "the manual's text: deletes events older than 30 days; dropping whole days does it by itself",
    text: text!("documented/M11"),
    params: &[],
};
