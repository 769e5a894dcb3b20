//! What each action does to the state.

use jiff::tz::TimeZone;

use crate::tui::filter::Filter;
use crate::tui::input::{Action, Edit};
use crate::tui::state::State;
use crate::tui::state::copy::Form;
use crate::tui::state::drifts::GroupBy;
use crate::tui::state::line::Line;
use crate::tui::state::msg::Effect;
use crate::tui::state::order::Table;
use crate::tui::state::ui::{MenuKind, Page, Pane, Popup, PromptKind, Scroll, TimeForm, View, WINDOWS_S};
use crate::tui::theme::Role;

/// Stretch of time that charts cover until the operator wants another one, in seconds.
const WINDOW_S: usize = 300;

/// A call of the same method on whichever list has the focus.
macro_rules! focused {
    ($state:expr, $list:ident => $call:expr) => {
        match $state.focus() {
            Pane::Agents => {
                let $list = &mut $state.agents;
                $call;
            }
            Pane::Events => {
                let $list = &mut $state.events;
                $call;
            }
            Pane::Drift => {
                let $list = &mut $state.drifts;
                $call;
            }
            Pane::DriftTree => {
                let $list = &mut $state.groups;
                $call;
            }
            Pane::Alerts => {
                let $list = &mut $state.alerts;
                $call;
            }
            Pane::Log => {
                let $list = &mut $state.lines;
                $call;
            }
            Pane::Facts => {}
            pane @ (Pane::PageAi | Pane::PageEvents | Pane::PageDrift) => {
                if let Some(Page::Agent(page)) = $state.pages.last_mut() {
                    match pane {
                        Pane::PageAi => {
                            let $list = &mut page.ai;
                            $call;
                        }
                        Pane::PageEvents => {
                            let $list = &mut page.events;
                            $call;
                        }
                        _ => {
                            let $list = &mut page.drifts;
                            $call;
                        }
                    }
                }
            }
        }
    };
}
pub(super) use focused;

/// What an expression says of whichever list has the focus, or something else where there is none.
macro_rules! looked_at {
    ($state:expr, $list:ident => $call:expr, $otherwise:expr) => {{
        use $crate::tui::state::ui::{Page, Pane};
        match ($state.focus(), $state.pages.last()) {
            (Pane::Agents, _) => {
                let $list = &$state.agents;
                $call
            }
            (Pane::Events, _) => {
                let $list = &$state.events;
                $call
            }
            (Pane::Drift, _) => {
                let $list = &$state.drifts;
                $call
            }
            (Pane::DriftTree, _) => {
                let $list = &$state.groups;
                $call
            }
            (Pane::Alerts, _) => {
                let $list = &$state.alerts;
                $call
            }
            (Pane::Log, _) => {
                let $list = &$state.lines;
                $call
            }
            (Pane::PageAi, Some(Page::Agent(page))) => {
                let $list = &page.ai;
                $call
            }
            (Pane::PageEvents, Some(Page::Agent(page))) => {
                let $list = &page.events;
                $call
            }
            (Pane::PageDrift, Some(Page::Agent(page))) => {
                let $list = &page.drifts;
                $call
            }
            _ => $otherwise,
        }
    }};
}
pub(super) use looked_at;

impl State {
    /// The list that keys act on.
    pub fn focus(&self) -> Pane {
        match self.pages.last() {
            Some(Page::Agent(page)) => page.focus,
            _ => self.focus,
        }
    }

    /// The kind of list that has the focus; absent where text has it.
    pub fn table(&self) -> Option<Table> {
        match self.pages.last() {
            Some(Page::Event(_) | Page::Why(_)) => None,
            _ => Table::of(self.focus()),
        }
    }

    /// The text that has the focus.
    fn text(&self) -> Option<&Scroll> {
        match self.pages.last() {
            Some(Page::Event(page) | Page::Why(page)) => Some(&page.scroll),
            Some(Page::Agent(_)) => None,
            None => (self.focus == Pane::Facts).then_some(&self.facts_scroll),
        }
    }

    pub(super) fn act(&mut self, action: Action) {
        if let Some(popup) = &self.popup {
            match (popup, action) {
                (Popup::Help { scroll, .. }, Action::Move(by)) => return scroll.step(by),
                (Popup::Help { scroll, .. }, Action::Page(by)) => return scroll.page(by),
                (Popup::Help { scroll, .. }, Action::Top) => return scroll.go(0),
                (Popup::Help { scroll, .. }, Action::Bottom) => return scroll.go(usize::MAX),
                (Popup::Help { .. }, Action::Filter) => return self.open_help(Some("")),
                (Popup::Command { copied, .. }, Action::Copy) => {
                    let text = copied.clone();
                    self.popup = None;
                    return self.copy(text, "command");
                }
                (_, Action::Back | Action::Help | Action::Command | Action::Sql | Action::Open | Action::Quit) => {
                    self.popup = None;
                    return;
                }
                // Everything else does what it does, without the box in its way.
                _ => self.popup = None,
            }
        }
        match action {
            Action::Help => self.open_help(None),
            Action::Palette => self.open_menu(MenuKind::Palette),
            Action::Ask => self.open_prompt(PromptKind::Ask),
            Action::Quit => self.effects.push(Effect::Quit { keep: false }),
            Action::QuitKeep => self.effects.push(Effect::Quit { keep: true }),
            Action::Back => self.back(),
            Action::Go(view) => self.go(view),
            Action::NextPane => self.next_pane(1),
            Action::PreviousPane => self.next_pane(-1),
            Action::Move(by) => self.step(by),
            Action::Page(by) => match self.text() {
                Some(text) => text.page(by),
                None => focused!(self, list => list.page(by)),
            },
            Action::Top => match self.text() {
                Some(text) => text.go(0),
                None => focused!(self, list => list.follow()),
            },
            Action::Bottom => match self.text() {
                Some(text) => text.go(usize::MAX),
                None => focused!(self, list => list.go(usize::MAX)),
            },
            Action::Open => self.open(),
            Action::Left => self.fold(false),
            Action::Right => self.fold(true),
            Action::Filter => self.open_prompt(PromptKind::Filter),
            Action::Freeze => self.freeze(),
            Action::Step(seconds) => self.step_time(seconds),
            Action::Sort => self.open_menu(MenuKind::Sort),
            Action::SortBeside(by) => self.sort_beside(by),
            Action::Reverse => {
                if let Some(table) = self.table() {
                    self.layout.reverse(table);
                    self.relist();
                }
            }
            Action::Columns => self.open_menu(MenuKind::Columns),
            Action::GroupBy => self.group_by(self.grouped_by.next()),
            Action::Follow => focused!(self, list => if list.is_following() { list.pin() } else { list.follow() }),
            Action::DenyOnly => {
                self.deny_only = !self.deny_only;
                let text = if self.deny_only { "only denied and alerted events" } else { "all events" };
                self.say(text, Role::Normal);
            }
            Action::Mark => self.mark(),
            Action::Copy => self.copy_rows(Form::Text),
            Action::CopyJson => self.copy_rows(Form::Json),
            Action::Acknowledge => self.acknowledge(),
            Action::Retry if self.link.is_live() => self.say("connected already", Role::Normal),
            Action::Retry => self.effects.push(Effect::Retry),
            Action::Login => self.ask_login(),
            Action::Zoom => self.zoom = !self.zoom,
            Action::Window(by) => {
                let at = WINDOWS_S.iter().position(|seconds| *seconds == self.window()).unwrap_or(0);
                self.window = Some(WINDOWS_S[at.saturating_add_signed(by).min(WINDOWS_S.len() - 1)]);
            }
            Action::TimeFormat => {
                self.times = self.times.next();
                // Without a zone of one's own both look the same.
                if self.times == TimeForm::Zone && self.zone == TimeZone::UTC {
                    self.times = self.times.next();
                }
                let text = match self.times {
                    TimeForm::Utc => "times in UTC".to_owned(),
                    TimeForm::Zone => format!("times in {}", self.zone.iana_name().unwrap_or("your zone")),
                    TimeForm::Age => "times as ages".to_owned(),
                    TimeForm::Millis => "times in UTC, to the millisecond".to_owned(),
                };
                self.say(text, Role::Normal);
            }
            Action::Privacy => {
                self.privacy = !self.privacy;
                let text = if self.privacy {
                    "names and paths are hidden; copies are not"
                } else {
                    "names and paths are shown"
                };
                self.say(text, Role::Normal);
            }
            Action::Command => self.show_command(),
            Action::Sql => self.ask_sql(),
            Action::Match(by) => self.next_match(by),
            Action::Suspend => self.effects.push(Effect::Suspend),
            Action::Redraw => self.effects.push(Effect::Redraw),
        }
    }

    /// Goes to a view at the start.
    pub fn start_with(&mut self, view: View) {
        self.go(view);
    }

    /// Opens all groups of drift, for lists that can't be opened by hand.
    pub fn open_all_groups(&mut self) {
        self.open_groups = self.live.drifts.rows().map(|event| event.agent_id).collect();
    }

    /// Seconds that charts cover.
    pub fn window(&self) -> usize {
        self.window.unwrap_or(WINDOW_S)
    }

    /// Opens the help; with a text, searching for it.
    pub(super) fn open_help(&mut self, search: Option<&str>) {
        self.popup = Some(Popup::Help { scroll: Scroll::default(), search: search.map(Line::new) });
    }

    /// A key while somebody searches in the help.
    pub(super) fn edit_help(&mut self, edit: Edit) {
        let Some(Popup::Help { scroll, search }) = &mut self.popup else { return };
        match edit {
            Edit::Cancel => *search = None,
            Edit::Accept => self.popup = None,
            Edit::Previous => scroll.step(-1),
            Edit::Next => scroll.step(1),
            Edit::Page(by) => scroll.page(by),
            edit => {
                if let Some(line) = search
                    && line.edit(edit)
                {
                    scroll.go(0);
                }
            }
        }
    }

    fn sort_beside(&mut self, by: isize) {
        let Some(table) = self.table() else { return };
        let heads: Vec<_> = table.heads().iter().copied().filter(|head| self.layout.shows(table, head)).collect();
        let now = self.layout.order(table).head;
        let at = heads.iter().position(|head| *head == now).unwrap_or(0);
        let next = heads[at.saturating_add_signed(by).min(heads.len() - 1)];
        if next != now {
            self.layout.sort_by(table, next);
            self.relist();
        }
        let reversed = if self.layout.order(table).reversed { ", reversed" } else { "" };
        self.say(format!("{} sorted by {next}{reversed}", table.name()), Role::Normal);
    }

    pub(super) fn group_by(&mut self, by: GroupBy) {
        self.grouped_by = by;
        self.open_groups.clear();
        self.groups.follow();
        if self.view != View::Drift || !self.pages.is_empty() {
            self.go(View::Drift);
        }
    }

    fn back(&mut self) {
        if self.zoom {
            self.zoom = false;
        } else if self.pages.pop().is_some() {
        } else if !self.marked.is_empty() {
            self.marked.clear();
        } else if self.frozen.is_some() {
            self.freeze();
        } else if self.deny_only {
            self.deny_only = false;
        } else if !self.filter.is_empty() {
            self.set_filter(Filter::default());
        } else if self.view != View::Overview {
            self.go(View::Overview);
        }
    }

    fn go(&mut self, view: View) {
        self.pages.clear();
        self.zoom = false;
        self.view = view;
        self.focus = view.panes()[0];
        self.relist();
    }

    fn next_pane(&mut self, by: isize) {
        match self.pages.last_mut() {
            Some(Page::Agent(page)) => {
                let panes = page.panes();
                let at = panes.iter().position(|pane| *pane == page.focus).unwrap_or(0);
                page.focus = panes[at.wrapping_add_signed(by).wrapping_add(panes.len()) % panes.len()];
            }
            Some(Page::Event(_) | Page::Why(_)) => {}
            None => {
                let all: Vec<(View, Pane)> =
                    View::ALL.into_iter().flat_map(|view| view.panes().iter().map(move |pane| (view, *pane))).collect();
                let at = all.iter().position(|place| *place == (self.view, self.focus)).unwrap_or(0);
                let (view, pane) = all[(at + all.len()).saturating_add_signed(by) % all.len()];
                if view != self.view {
                    self.go(view);
                }
                self.focus = pane;
            }
        }
    }

    pub(super) fn step(&mut self, by: isize) {
        match self.text() {
            Some(text) => text.step(by),
            None => focused!(self, list => list.step(by)),
        }
    }

    /// Goes to the next row or line that the filter looks for, or the one before.
    fn next_match(&mut self, by: isize) {
        if self.filter.is_empty() {
            let key = self.keys.first(Action::Filter);
            return self.say(format!("nothing is looked for ({key} says what)"), Role::Warn);
        }
        let found = if let Some(text) = self.text() {
            text.go_to_mark(by)
        } else {
            // A list has no other rows than those that match.
            let (index, len) = looked_at!(self, list => (list.index(), list.rows().len()), (0, 0));
            let next = index.checked_add_signed(by).filter(|next| *next < len);
            if let Some(next) = next {
                focused!(self, list => list.go(next));
            }
            next.is_some()
        };
        if !found {
            self.say(if by > 0 { "no further match" } else { "no match before this" }, Role::Normal);
        }
    }
}
