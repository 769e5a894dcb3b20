use std::time::Instant;

use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{THEME, press};
use crate::tui::state::State;
use crate::tui::state::msg::{Dirty, Msg};
use crate::tui::state::order::{Order, Table};
use crate::tui::state::testing::{at, live};
use crate::tui::state::ui::{MenuKind, Page, Pane, Popup, View};
use crate::tui::term::text_of;
use crate::tui::views::draw;

/// Draws, and finds a text on the screen.
fn place(state: &mut State, text: &str, start: Instant) -> (u16, u16) {
    state.prepare(at(start, 1));
    let mut buffer = Buffer::empty(Rect::new(0, 0, state.size.0, state.size.1));
    draw(state, &mut buffer);
    let screen = text_of(&buffer);
    let found =
        screen.lines().enumerate().find_map(|(y, line)| line.find(text).map(|byte| (line[..byte].chars().count(), y)));
    let (x, y) = found.unwrap_or_else(|| panic!("{text} is not on the screen:\n{screen}"));
    (u16::try_from(x).unwrap(), u16::try_from(y).unwrap())
}

fn mouse(state: &mut State, kind: MouseEventKind, (column, row): (u16, u16), start: Instant) -> Dirty {
    let dirty = state.apply(Msg::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }), at(start, 1));
    state.prepare(at(start, 1));
    dirty
}

fn click(state: &mut State, text: &str, start: Instant) -> Dirty {
    let place = place(state, text, start);
    mouse(state, MouseEventKind::Down(MouseButton::Left), place, start)
}

#[test]
fn clicks_select_open_sort_and_switch() {
    let start = Instant::now();
    let mut state = live(THEME, (160, 48), start);
    assert_eq!(click(&mut state, "review-002", start), Dirty::Input);
    assert_eq!(state.selected_agent().unwrap().name, "review-002");
    assert!(state.pages.is_empty());
    click(&mut state, "review-002", start);
    assert!(matches!(state.pages.last(), Some(Page::Agent(_))), "the second click opens");
    click(&mut state, "3 Events", start);
    assert_eq!((state.view, state.pages.len()), (View::Events, 0));
    click(&mut state, "KIND", start);
    assert_eq!(state.layout.order(Table::Events), Order { head: "KIND", reversed: false });
    // The note of the box says it too, with one space before it.
    let (x, y) = place(&mut state, "  KIND", start);
    mouse(&mut state, MouseEventKind::Down(MouseButton::Left), (x + 2, y), start);
    assert!(state.layout.order(Table::Events).reversed);
    click(&mut state, "1 Overview", start);
    click(&mut state, "/etc/cron.d/x", start);
    assert_eq!(state.focus(), Pane::Drift);
    click(&mut state, "command", start);
    assert!(state.prompt.is_some(), "the bar's keys can be clicked");
}

#[test]
fn boxes_take_clicks_and_let_go_outside() {
    let start = Instant::now();
    let mut state = live(THEME, (80, 24), start);
    press(&mut state, "2s", at(start, 1));
    click(&mut state, "WAITING", start);
    assert_eq!(state.layout.order(Table::Agents).head, "WAITING");
    assert!(state.popup.is_none());
    press(&mut state, "s", at(start, 1));
    assert_eq!(click(&mut state, "Sort agents by", start), Dirty::Clean, "the box itself");
    assert!(matches!(&state.popup, Some(Popup::Menu(menu)) if menu.kind == MenuKind::Sort));
    click(&mut state, "1 Overview", start);
    assert!(state.popup.is_none() && state.view == View::Agents, "outside closes the box and does nothing else");
}

#[test]
fn the_wheel_moves_what_is_below_it_and_motion_is_nothing() {
    let start = Instant::now();
    let mut state = live(THEME, (80, 24), start);
    let list = place(&mut state, "build-017", start);
    mouse(&mut state, MouseEventKind::ScrollDown, list, start);
    assert_eq!(state.agents.index(), 3);
    mouse(&mut state, MouseEventKind::ScrollUp, list, start);
    assert_eq!(state.agents.index(), 0);
    assert_eq!(mouse(&mut state, MouseEventKind::Moved, list, start), Dirty::Clean);
    assert_eq!(mouse(&mut state, MouseEventKind::Down(MouseButton::Right), list, start), Dirty::Clean);
    assert_eq!(mouse(&mut state, MouseEventKind::ScrollDown, (0, 0), start), Dirty::Clean);
}

#[test]
fn clicks_before_the_first_frame_and_beyond_the_screen_are_nothing() {
    let start = Instant::now();
    let mut state = live(THEME, (80, 24), start);
    for place in [(0, 0), (500, 500), (u16::MAX, u16::MAX)] {
        assert_eq!(mouse(&mut state, MouseEventKind::Down(MouseButton::Left), place, start), Dirty::Clean);
    }
}
