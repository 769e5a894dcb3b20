//! The overview as plain text, for pipes and `--once`: everything, uncut, with heads.

use std::fmt::Write;
use std::sync::Arc;

use tyr_api::events::{EventKind, Verdict};

use crate::tui::state::State;
use crate::tui::state::drifts::DriftLine;
use crate::tui::state::list::Keyed;
use crate::tui::state::order::Table;
use crate::tui::state::ring::Entry;
use crate::tui::state::ui::View;
use crate::tui::views::canvas::{Canvas, columns};
use crate::tui::views::columns::{AGENTS, ALERTS, DRIFT, EVENTS};
use crate::tui::views::format;
use crate::tui::views::table::Column;

/// Events that an overview prints at most; the view of events prints all that the snapshot has.
const OVERVIEW_EVENTS_MAX: usize = 20;

/// A prepared state as text.
pub fn text(state: &State) -> String {
    let mut out = String::new();
    head(&mut out, state);
    if matches!(state.view, View::Overview | View::Agents) {
        let agents: Vec<_> = state.listed_agents().cloned().collect();
        section(&mut out, state, "AGENTS", (Table::Agents, AGENTS), &agents, "no agents");
    }
    if state.view == View::Overview {
        rates(&mut out, state);
        section(&mut out, state, "DRIFT, LAST 24 H", (Table::Drift, DRIFT), state.drifts.rows(), "no drift");
    }
    if state.view == View::Drift {
        let events: Vec<_> = state
            .groups
            .rows()
            .iter()
            .filter_map(|line| match line {
                DriftLine::Event(event) => Some(Arc::clone(event)),
                DriftLine::Group(_) => None,
            })
            .collect();
        section(&mut out, state, "DRIFT, LAST 24 H, BY AGENT", (Table::Drift, DRIFT), &events, "no drift");
    }
    if state.view == View::Alerts || (state.view == View::Overview && !state.data().alerts.is_empty()) {
        section(&mut out, state, "ALERTS", (Table::Alerts, ALERTS), &state.data().alerts.rows(), "no alerts");
    }
    if matches!(state.view, View::Overview | View::Events) {
        let limit = if state.view == View::Overview { OVERVIEW_EVENTS_MAX } else { usize::MAX };
        let events: Vec<_> = state.events.rows().iter().filter_map(Entry::event).take(limit).collect();
        section(&mut out, state, "EVENTS, NEWEST FIRST", (Table::Events, EVENTS), &events, "no events");
    }
    out
}

fn head(out: &mut String, state: &State) {
    let data = state.data();
    let clock = state.clock.map(format::date_ms).unwrap_or_default();
    let _ = writeln!(out, "tyr {} at {}, tyr-server {}, {clock}", state.context, state.server, data.version);
    let _ = writeln!(
        out,
        "agents {}, {} need attention; AI processes {}; drift {} in 24 h; lost {}",
        format::count(data.fleet.len() as u64),
        format::count(state.census().attention as u64),
        format::count(data.fleet.ai_alive() as u64),
        format::count(data.drifts.last_day),
        format::count(data.lost),
    );
    if !state.filter.is_empty() {
        let _ = writeln!(out, "filter {}", state.filter.text());
    }
}

/// The last full minute of the roll-up: a single look has no seconds of its own.
fn rates(out: &mut String, state: &State) {
    let rates = &state.data().rates;
    let _ = writeln!(out, "\nEVENTS OF THE LAST HOUR");
    let _ = writeln!(out, "{:<12} {:>10} {:>10} {:>10} {:>10}", "KIND", "ALLOW", "ALERT", "DENY", "DRIFT");
    for kind in EventKind::ALL {
        let of = |verdict| format::count(rates.hour(*kind, Some(verdict)).0);
        let drift = format::count(rates.hour(*kind, None).1);
        let _ = writeln!(
            out,
            "{:<12} {:>10} {:>10} {:>10} {:>10}",
            kind.as_str(),
            of(Verdict::Allow),
            of(Verdict::Alert),
            of(Verdict::Deny),
            drift
        );
    }
}

fn section<R: Keyed>(
    out: &mut String,
    state: &State,
    title: &str,
    (kind, columns_of): (Table, &[Column<R>]),
    rows: &[R],
    empty: &str,
) {
    let _ = writeln!(out, "\n{title}");
    if rows.is_empty() {
        let _ = writeln!(out, "{empty}");
        return;
    }
    let mut buffer = ratatui::buffer::Buffer::empty(ratatui::layout::Rect::ZERO);
    let canvas = Canvas::new(&mut buffer, state.theme);
    let columns_of: Vec<&Column<R>> = columns_of
        .iter()
        .filter(|column| {
            // A single look has no seconds to make bars of.
            state.layout.shows(kind, column.head) && column.head != "RATE_60S"
        })
        .collect();
    let mut lines: Vec<Vec<String>> = vec![columns_of.iter().map(|column| column.head.to_owned()).collect()];
    lines.extend(
        rows.iter().map(|row| {
            columns_of.iter().map(|column| canvas.plain(&(column.cell)(state, row).text)).collect::<Vec<_>>()
        }),
    );
    let widths: Vec<u16> =
        (0..columns_of.len()).map(|n| lines.iter().map(|line| columns(&line[n])).max().unwrap_or(0)).collect();
    for line in lines {
        let mut text = String::new();
        for ((cell, column), width) in line.iter().zip(&columns_of).zip(&widths) {
            let pad = " ".repeat(usize::from(width.saturating_sub(columns(cell))));
            if column.right {
                text.push_str(&pad);
                text.push_str(cell);
            } else {
                text.push_str(cell);
                text.push_str(&pad);
            }
            text.push_str("  ");
        }
        let _ = writeln!(out, "{}", text.trim_end());
    }
}
