//! What the mouse does. Drawing leaves behind where everything stands.

use std::time::{Duration, Instant};

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::{Position, Rect};

use crate::tui::input::Action;
use crate::tui::state::msg::Dirty;
use crate::tui::state::order::Table;
use crate::tui::state::ui::{Page, Pane, Popup, View};
use crate::tui::state::{State, focused};

/// Two clicks within that time are one double click.
const DOUBLE_CLICK: Duration = Duration::from_millis(400);
/// Rows that a step of the wheel moves.
const WHEEL_ROWS: isize = 3;

/// Something that can be clicked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A view's name.
    View(View),
    /// A list.
    Pane(Pane),
    /// A row of a list, by its place in it.
    Row(Pane, usize),
    /// A column's name.
    Head(Table, &'static str),
    /// A key of the bar.
    Act(Action),
    /// A box over the screen.
    Popup,
    /// An item of the menu, by its place in it.
    Item(usize),
    /// Text that scrolls.
    Text,
}

/// Where something that can be clicked was drawn.
#[derive(Clone, Copy, Debug)]
pub struct Hit {
    /// Where.
    pub area: Rect,
    /// What.
    pub target: Target,
}

/// The last click, for the next may make it a double one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Click {
    at: Instant,
    target: Target,
}

impl State {
    /// Remembers where something was drawn; what is drawn later lies above.
    pub fn drawn(&self, area: Rect, target: Target) {
        self.hits.borrow_mut().push(Hit { area, target });
    }

    /// Forgets what was drawn, for the next frame.
    pub fn begin_drawing(&self) {
        self.hits.borrow_mut().clear();
    }

    fn target(&self, column: u16, row: u16) -> Option<Target> {
        let at = Position { x: column, y: row };
        self.hits.borrow().iter().rev().find(|hit| hit.area.contains(at)).map(|hit| hit.target)
    }

    pub(super) fn mouse(&mut self, event: MouseEvent) -> Dirty {
        // The question for a password lies over everything, and is answered by keys.
        if self.login.is_some() {
            return Dirty::Clean;
        }
        let target = self.target(event.column, event.row);
        match event.kind {
            MouseEventKind::Down(MouseButton::Left) => self.click(target),
            MouseEventKind::ScrollDown => self.wheel(target, WHEEL_ROWS),
            MouseEventKind::ScrollUp => self.wheel(target, -WHEEL_ROWS),
            _ => Dirty::Clean,
        }
    }

    fn click(&mut self, target: Option<Target>) -> Dirty {
        let now = self.now.mono;
        let again = self.last_click.take().is_some_and(|click| {
            Some(click.target) == target && now.saturating_duration_since(click.at) < DOUBLE_CLICK
        });
        if let (false, Some(target)) = (again, target) {
            self.last_click = Some(Click { at: now, target });
        }
        if self.popup.is_some() {
            match target {
                Some(Target::Item(index)) => self.choose(index),
                Some(Target::Popup) => return Dirty::Clean,
                _ => self.popup = None,
            }
            return Dirty::Input;
        }
        match target {
            Some(Target::View(view)) => self.act(Action::Go(view)),
            Some(Target::Act(action)) => self.act(action),
            Some(Target::Head(table, head)) => {
                self.layout.sort_by(table, head);
                self.relist();
            }
            Some(Target::Pane(pane)) => self.set_focus(pane),
            Some(Target::Row(pane, index)) => {
                self.set_focus(pane);
                focused!(self, list => list.go(index));
                if again {
                    self.act(Action::Open);
                }
            }
            _ => return Dirty::Clean,
        }
        self.last_key = Some(now);
        Dirty::Input
    }

    fn wheel(&mut self, target: Option<Target>, by: isize) -> Dirty {
        match (&mut self.popup, target) {
            (Some(Popup::Help { scroll, .. }), _) => scroll.step(by),
            (Some(Popup::Menu(_)), _) => self.step_menu(by.signum()),
            (None, Some(Target::Row(pane, _) | Target::Pane(pane))) => {
                self.set_focus(pane);
                focused!(self, list => list.wheel(by));
                self.last_key = Some(self.now.mono);
            }
            (None, Some(Target::Text)) => self.step(by),
            _ => return Dirty::Clean,
        }
        Dirty::Input
    }

    /// Gives a list the focus, if it's on the screen.
    pub(super) fn set_focus(&mut self, pane: Pane) {
        match self.pages.last_mut() {
            Some(Page::Agent(page)) if page.panes().contains(&pane) => page.focus = pane,
            None if self.view.panes().contains(&pane) => self.focus = pane,
            _ => {}
        }
    }
}
