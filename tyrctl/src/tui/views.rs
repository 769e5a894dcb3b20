//! Draws the state: one file per panel, and nothing here changes what is known.

pub mod agent;
pub mod canvas;
pub mod columns;
pub mod connection;
pub mod event;
pub mod format;
pub mod login;
pub mod overview;
pub mod panels;
pub mod popup;
pub mod rates;
pub mod status;
pub mod table;
pub mod why;

#[cfg(test)]
mod tests;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::tui::input::Action;
use crate::tui::state::State;
use crate::tui::state::order::Table;
use crate::tui::state::ui::{Page, Pane, View};
use crate::tui::theme::Role;
use crate::tui::views::canvas::{Canvas, span};
use crate::tui::views::panels::Heads;

/// Below this size there is the status line alone.
const TINY: (u16, u16) = (24, 4);
/// Below this size there is one list without a box.
const SMALL: (u16, u16) = (60, 15);

/// Draws a frame of a state that was prepared.
pub fn draw(state: &State, buffer: &mut Buffer) {
    let mut canvas = Canvas::new(buffer, state.theme);
    canvas.palette = state.palette;
    state.begin_drawing();
    let screen = canvas.area();
    if screen.is_empty() {
        return;
    }
    let line = |y: u16| Rect { y, height: 1, ..screen };
    let wide = screen.width >= 140;
    if screen.width < TINY.0 || screen.height < TINY.1 {
        // Keys go to the question: it must not be asked behind the scenes.
        if let Some(form) = &state.login {
            return login::draw(&mut canvas, state, form, screen);
        }
        return status::tiny(&mut canvas, state, screen);
    }
    status::status(&mut canvas, state, line(screen.y), wide);
    let bottom = screen.bottom() - 1;
    if screen.width < SMALL.0 || screen.height < SMALL.1 {
        // A prompt takes two lines: what is typed, and what there is to say about it.
        let below = if state.prompt.is_some() { 2 } else { 1 };
        let body = Rect { y: screen.y + 1, height: screen.height - 1 - below, ..screen };
        small(&mut canvas, state, body);
        if state.prompt.is_some() {
            status::message(&mut canvas, state, line(bottom - 1));
            status::keys(&mut canvas, state, line(bottom));
        } else if status::has_message(state) {
            status::message(&mut canvas, state, line(bottom));
        } else {
            status::keys(&mut canvas, state, line(bottom));
        }
    } else {
        status::tabs(&mut canvas, state, line(screen.y + 1));
        let body = Rect { y: screen.y + 2, height: screen.height - 4, ..screen };
        full(&mut canvas, state, body);
        status::message(&mut canvas, state, line(bottom - 1));
        status::keys(&mut canvas, state, line(bottom));
    }
    if let Some(popup) = &state.popup {
        popup::draw(&mut canvas, state, popup, screen);
    }
    if let Some(form) = &state.login {
        login::draw(&mut canvas, state, form, screen);
    }
}

fn small(canvas: &mut Canvas<'_>, state: &State, area: Rect) {
    match state.pages.last() {
        Some(Page::Agent(page)) => agent::page(canvas, state, page, area),
        Some(Page::Event(page)) => event::page(canvas, state, page, area),
        Some(Page::Why(page)) => why::page(canvas, state, page, area),
        None => match state.focus {
            Pane::Facts => connection::draw(canvas, state, area),
            Pane::Log => panels::log(canvas, state, area, true, Heads::Hidden),
            Pane::Agents => panels::agents(canvas, state, area, true, Heads::Hidden),
            Pane::Drift => panels::drift(canvas, state, &state.drifts, area, true, Heads::Hidden),
            Pane::DriftTree => panels::drift_tree(canvas, state, area, true, Heads::Hidden),
            Pane::Alerts => panels::alerts(canvas, state, area, true, Heads::Hidden),
            _ => panels::events(canvas, state, &state.events, area, true, Heads::Hidden),
        },
    }
}

fn full(canvas: &mut Canvas<'_>, state: &State, area: Rect) {
    match state.pages.last() {
        Some(Page::Agent(page)) => return agent::page(canvas, state, page, area),
        Some(Page::Event(page)) => return event::page(canvas, state, page, area),
        Some(Page::Why(page)) => return why::page(canvas, state, page, area),
        None => {}
    }
    if state.view == View::Overview && !state.zoom {
        return overview::draw(canvas, state, area);
    }
    match state.focus {
        Pane::Agents => overview::agents_panel(canvas, state, area),
        Pane::Drift => overview::drift_panel(canvas, state, area),
        Pane::Alerts => alerts_panel(canvas, state, area),
        Pane::DriftTree => {
            let height = area.height.saturating_sub(3);
            let note = panels::position(canvas, state, Table::Groups, &state.groups, height);
            let by = format!("Drift by {}, 1 d", state.grouped_by.word());
            let title = [
                span(by, Role::Accent),
                span(format!(" {} groups otherwise, enter opens", state.keys.first(Action::GroupBy)), Role::Dim),
            ];
            let inner = canvas.panel(area, &title, &note, true);
            panels::drift_tree(canvas, state, inner, true, Heads::Shown);
        }
        Pane::Log => {
            let note = panels::position(canvas, state, Table::Log, &state.lines, area.height.saturating_sub(3));
            let inner = canvas.panel(area, &[span("What this program did", Role::Accent)], &note, true);
            panels::log(canvas, state, inner, true, Heads::Shown);
        }
        Pane::Facts => connection::draw(canvas, state, area),
        _ => overview::events_panel(canvas, state, area),
    }
}

fn alerts_panel(canvas: &mut Canvas<'_>, state: &State, area: Rect) {
    let (firing, unknown) = state.data().alerts.firing();
    let mut title = vec![span("Alerts", Role::Accent)];
    if state.clock.is_some() {
        match (firing, unknown) {
            (0, _) => title.push(span(" none fires", Role::Good)),
            (_, 0) => title.push(span(format!(" {firing} firing, all acknowledged"), Role::Warn)),
            _ => title.push(span(format!(" {firing} firing, {unknown} not acknowledged"), Role::Bad)),
        }
    }
    title.push(span(format!(" {} acknowledges", state.keys.first(Action::Acknowledge)), Role::Dim));
    let note = panels::position(canvas, state, Table::Alerts, &state.alerts, area.height.saturating_sub(4));
    let inner = canvas.panel(area, &title, &note, true);
    // Columns are cut; the last line says all of what is selected.
    let about = u16::from(inner.height >= 4);
    let list = Rect { height: inner.height - about, ..inner };
    panels::alerts(canvas, state, list, true, Heads::Shown);
    if let Some(alert) = state.alerts.selected().filter(|_| about > 0) {
        let mut spans =
            vec![span(format!("{}: ", alert.rule), Role::Dim), span(state.shown(&alert.summary), Role::Normal)];
        if let Some(note) = &alert.note {
            spans.push(span(format!("  ({})", state.shown(note)), Role::Dim));
        }
        canvas.line(inner.x + 1, inner.bottom() - 1, inner.right(), &spans);
    }
}
