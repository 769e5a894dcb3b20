//! What lists are sorted by, and which of their columns are shown.

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeSet;
use std::sync::Arc;

use tyr_api::agents::DiscoveredAgent;
use tyr_api::alerts::Alert;
use tyr_api::events::{Event, Verdict};

use crate::tui::state::drifts::{Group, reason_text};
use crate::tui::state::ui::Pane;

/// A kind of list: what is chosen for it holds wherever it's shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Table {
    /// Agents.
    Agents,
    /// Events.
    Events,
    /// Drifting events.
    Drift,
    /// Groups of drift.
    Groups,
    /// Alerts.
    Alerts,
    /// AI processes.
    Ai,
    /// What this program did.
    Log,
}

impl Table {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Agents, Self::Events, Self::Drift, Self::Groups, Self::Alerts, Self::Ai, Self::Log];

    /// The list of a pane; the facts of a connection are none.
    pub const fn of(pane: Pane) -> Option<Self> {
        Some(match pane {
            Pane::Agents => Self::Agents,
            Pane::Events | Pane::PageEvents => Self::Events,
            Pane::Drift | Pane::PageDrift => Self::Drift,
            Pane::DriftTree => Self::Groups,
            Pane::Alerts => Self::Alerts,
            Pane::PageAi => Self::Ai,
            Pane::Log => Self::Log,
            Pane::Facts => return None,
        })
    }

    /// Its name in titles.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Agents => "agents",
            Self::Events => "events",
            Self::Drift => "drift",
            Self::Groups => "groups of drift",
            Self::Alerts => "alerts",
            Self::Ai => "AI processes",
            Self::Log => "log",
        }
    }

    /// Its name in files.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Agents => "agents",
            Self::Events => "events",
            Self::Drift => "drift",
            Self::Groups => "groups",
            Self::Alerts => "alerts",
            Self::Ai => "ai",
            Self::Log => "log",
        }
    }

    /// Its columns, in order; each can be sorted by.
    pub const fn heads(self) -> &'static [&'static str] {
        match self {
            Self::Agents => &[
                "AGENT",
                "STATE",
                "AGE",
                "LAST_SEEN",
                "EV/S",
                "DENY%",
                "POLICY",
                "POSTURE",
                "AI",
                "LOST",
                "RATE_60S",
                "KERNEL",
                "TYRD",
                "ARCH",
                "SKEW",
                "WAITING",
                "SCOPE",
                "CERT",
            ],
            Self::Events => &[
                "TIME", "AGENT", "AI", "KIND", "VERDICT", "SEVERITY", "RESOURCE", "N", "RULE", "PID", "PROGRAM",
                "SERVER", "POLICY",
            ],
            Self::Drift => {
                &["TIME", "AGENT", "AI", "KIND", "VERDICTS", "WHY", "POLICY", "RESOURCE", "N", "RULE", "PROGRAM"]
            }
            Self::Groups => &["GROUP", "EVENTS", "LAST"],
            Self::Alerts => &["STATE", "RULE", "AGE", "AGENT", "VALUE", "ACK", "WHAT", "NOTE"],
            Self::Ai => &["TYPE", "PID", "STATE", "FOUND_BY", "COMMAND", "NAME"],
            Self::Log => &["TIME", "WHAT"],
        }
    }

    /// Whether a column is shown only when it's asked for.
    pub fn is_unusual(self, head: &str) -> bool {
        self.unusual().contains(&head)
    }

    const fn unusual(self) -> &'static [&'static str] {
        match self {
            Self::Agents => &["ARCH", "SKEW", "WAITING", "SCOPE", "CERT"],
            Self::Events => &["PROGRAM", "SERVER", "POLICY"],
            Self::Drift => &["RULE", "PROGRAM"],
            Self::Ai => &["NAME"],
            Self::Groups | Self::Alerts | Self::Log => &[],
        }
    }

    /// Whether columns can be chosen.
    pub const fn has_columns(self) -> bool {
        !matches!(self, Self::Groups | Self::Log)
    }

    /// The column that it's sorted by until the operator wants something else.
    pub const fn natural(self) -> &'static str {
        match self {
            Self::Agents | Self::Alerts | Self::Ai => "STATE",
            Self::Groups => "EVENTS",
            Self::Events | Self::Drift | Self::Log => "TIME",
        }
    }

    /// What it's sorted by until the operator wants something else: the newest first, where the time decides.
    pub const fn usual(self) -> Order {
        Order { head: self.natural(), reversed: false }
    }

    /// The column of that name, whatever its case.
    pub fn head(self, name: &str) -> Option<&'static str> {
        self.heads().iter().copied().find(|head| head.eq_ignore_ascii_case(name))
    }
}

/// What a list is sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// The column.
    pub head: &'static str,
    /// Whether the other way round than that column is usually wanted.
    pub reversed: bool,
}

impl Order {
    /// Whether it's by how many events there are: what that takes to find out is worth it only then.
    pub fn is_by_rate(self) -> bool {
        matches!(self.head, "EV/S" | "RATE_60S" | "DENY%")
    }

    fn apply(self, order: Ordering) -> Ordering {
        if self.reversed { order.reverse() } else { order }
    }
}

/// What was chosen for each kind of list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    orders: [Order; Table::ALL.len()],
    /// Columns that are shown although they usually are not, or the other way round.
    toggled: BTreeSet<(Table, &'static str)>,
}

impl Default for Layout {
    fn default() -> Self {
        Self { orders: Table::ALL.map(Table::usual), toggled: BTreeSet::new() }
    }
}

impl Layout {
    /// What a list is sorted by.
    pub const fn order(&self, table: Table) -> Order {
        self.orders[table as usize]
    }

    /// Sorts by a column; by the one that it's sorted by already, the other way round.
    pub fn sort_by(&mut self, table: Table, head: &'static str) {
        let order = &mut self.orders[table as usize];
        *order = Order { head, reversed: order.head == head && !order.reversed };
    }

    /// Sorts by a column, in that direction.
    pub fn set_order(&mut self, table: Table, order: Order) {
        self.orders[table as usize] = order;
    }

    /// Sorts the other way round.
    pub fn reverse(&mut self, table: Table) {
        let order = &mut self.orders[table as usize];
        order.reversed = !order.reversed;
    }

    /// Whether a column is wanted; whether it's seen depends on the room too.
    pub fn shows(&self, table: Table, head: &'static str) -> bool {
        table.is_unusual(head) == self.toggled.contains(&(table, head))
    }

    /// Shows a column or takes it away.
    pub fn toggle(&mut self, table: Table, head: &'static str) {
        if !self.toggled.remove(&(table, head)) {
            self.toggled.insert((table, head));
        }
    }

    /// Columns that differ from what is usual.
    pub fn toggled(&self) -> impl Iterator<Item = (Table, &'static str)> {
        self.toggled.iter().copied()
    }

    /// Takes all choices about a list's columns back.
    pub fn reset_columns(&mut self, table: Table) {
        self.toggled.retain(|(of, _)| *of != table);
    }
}

/// What needs a look first.
const fn gravity(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Deny => 0,
        Verdict::Alert => 1,
        Verdict::Allow => 2,
    }
}

/// How often a merged event happened.
pub fn times(event: &Event) -> u64 {
    event.metadata.get("count").and_then(|count| count.parse().ok()).unwrap_or(1)
}

/// Compares events by a column; equal ones stay as they are, newest first.
pub fn events(order: Order, a: &Event, b: &Event) -> Ordering {
    // What a row lacks comes last, not first.
    fn known<T: Ord>(a: Option<&T>, b: Option<&T>) -> Ordering {
        a.is_none().cmp(&b.is_none()).then_with(|| a.cmp(&b))
    }
    let by = match order.head {
        "AGENT" => a.agent_name.cmp(&b.agent_name),
        "AI" => known(a.agent_type.as_ref(), b.agent_type.as_ref()),
        "KIND" => a.kind.as_str().cmp(b.kind.as_str()),
        "VERDICT" | "VERDICTS" => gravity(a.verdict)
            .cmp(&gravity(b.verdict))
            .then_with(|| known(a.server_verdict.map(gravity).as_ref(), b.server_verdict.map(gravity).as_ref())),
        "SEVERITY" => b.severity.cmp(&a.severity),
        "RESOURCE" => a.resource.cmp(&b.resource),
        "N" => times(b).cmp(&times(a)),
        "RULE" => known(a.rule.as_ref(), b.rule.as_ref()),
        "PID" => a.pid.cmp(&b.pid),
        "PROGRAM" => a.process_exe.cmp(&b.process_exe),
        "SERVER" => known(a.server_verdict.map(gravity).as_ref(), b.server_verdict.map(gravity).as_ref()),
        "POLICY" => known(a.policy_version.map(Reverse).as_ref(), b.policy_version.map(Reverse).as_ref()),
        "WHY" => known(a.drift_reason.map(reason_text).as_ref(), b.drift_reason.map(reason_text).as_ref()),
        _ => b.ts.cmp(&a.ts),
    };
    order.apply(by)
}

/// Sorts alerts; natural order is how they come, so equal ones stay in it.
pub fn alerts(rows: &mut [Arc<Alert>], order: Order) {
    if order.head == Table::Alerts.natural() {
        if order.reversed {
            rows.reverse();
        }
        return;
    }
    rows.sort_by(|a, b| {
        order.apply(match order.head {
            "RULE" => a.rule.as_str().cmp(b.rule.as_str()),
            "AGE" => a.since.cmp(&b.since),
            "AGENT" => a.agent_name.cmp(&b.agent_name),
            "VALUE" => b.value.total_cmp(&a.value),
            "ACK" => a.acknowledged_by.cmp(&b.acknowledged_by),
            "WHAT" => a.summary.cmp(&b.summary),
            _ => b.note.cmp(&a.note),
        })
    });
}

/// Sorts AI processes; they come with those that live first, newest first.
pub fn ai(rows: &mut [Arc<DiscoveredAgent>], order: Order) {
    if order.head == Table::Ai.natural() {
        if order.reversed {
            rows.reverse();
        }
        return;
    }
    rows.sort_by(|a, b| {
        order.apply(match order.head {
            "TYPE" => a.agent_type.cmp(&b.agent_type),
            "PID" => a.pid.cmp(&b.pid),
            "FOUND_BY" => a.found_by.cmp(&b.found_by),
            "NAME" => a.display_name.cmp(&b.display_name),
            _ => a.cmdline.cmp(&b.cmdline),
        })
    });
}

/// Compares groups of drift: most events first, newest first, or by name.
pub fn groups(order: Order, a: &Group, b: &Group) -> Ordering {
    let by = match order.head {
        "GROUP" => Ordering::Equal,
        "LAST" => b.last.cmp(&a.last),
        _ => b.events.cmp(&a.events),
    };
    let names = a.name.cmp(&b.name);
    order.apply(if order.head == "GROUP" { names } else { by }).then(names)
}
