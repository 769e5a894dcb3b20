//! What each action does to the state.

use std::cell::Cell;

use serde::Serialize;

use crate::output::sanitize::sanitize;
use crate::tui::filter::Filter;
use crate::tui::input::{Action, Edit};
use crate::tui::state::drifts::DriftLine;
use crate::tui::state::list::{Keyed, List};
use crate::tui::state::ring::Entry;
use crate::tui::state::ui::{AgentPage, EventPage, Page, Pane, Popup, Prompt, View};
use crate::tui::state::{Effect, Frozen, State};
use crate::tui::theme::Role;

/// Pages that can lie over one another.
const PAGES_MAX: usize = 8;

/// Groups of drift that are open at once.
pub(super) const OPEN_GROUPS_MAX: usize = 1_000;

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

impl State {
    /// The list that keys act on.
    pub fn focus(&self) -> Pane {
        match self.pages.last() {
            Some(Page::Agent(page)) => page.focus,
            _ => self.focus,
        }
    }

    pub(super) fn act(&mut self, action: Action) {
        if let Some(popup) = &self.popup {
            match (popup, action) {
                (Popup::Help { scroll }, Action::Move(by)) => {
                    return scroll.set(scroll.get().saturating_add_signed(by));
                }
                (Popup::Help { scroll }, Action::Page(by)) => {
                    return scroll.set(scroll.get().saturating_add_signed(by.saturating_mul(10)));
                }
                (Popup::Command(text), Action::Copy) => {
                    let text = text.clone();
                    self.popup = None;
                    return self.copy(text, "command");
                }
                (_, Action::Back | Action::Help | Action::Command | Action::Open) => {
                    self.popup = None;
                    return;
                }
                // Everything else does what it does, without the box in its way.
                _ => self.popup = None,
            }
        }
        match action {
            Action::Help => self.popup = Some(Popup::Help { scroll: Cell::new(0) }),
            Action::Quit => self.effects.push(Effect::Quit { keep: false }),
            Action::QuitKeep => self.effects.push(Effect::Quit { keep: true }),
            Action::Back => self.back(),
            Action::Go(view) => self.go(view),
            Action::NextPane => self.next_pane(1),
            Action::PreviousPane => self.next_pane(-1),
            Action::Move(by) => self.step(by),
            Action::Page(by) => self.page_by(by),
            Action::Top => match self.pages.last() {
                Some(Page::Event(page)) => page.scroll.set(0),
                _ => focused!(self, list => list.follow()),
            },
            Action::Bottom => match self.pages.last() {
                Some(Page::Event(page)) => page.scroll.set(usize::MAX),
                _ => focused!(self, list => list.go(usize::MAX)),
            },
            Action::Open => self.open(),
            Action::Left => self.fold(false),
            Action::Right => self.fold(true),
            Action::Filter => {
                let text = self.filter.text().to_owned();
                self.prompt = Some(Prompt { before: text.clone(), text, error: None });
            }
            Action::Freeze => self.freeze(),
            Action::Sort => {
                self.sort = self.sort.next();
                self.relist();
            }
            Action::Reverse => {
                self.sort_reversed = !self.sort_reversed;
                self.relist();
            }
            Action::Follow => focused!(self, list => if list.is_following() { list.pin() } else { list.follow() }),
            Action::DenyOnly => {
                self.deny_only = !self.deny_only;
                let text = if self.deny_only { "only denied and alerted events" } else { "all events" };
                self.say(text, Role::Normal);
            }
            Action::Copy => match self.copy_text() {
                Some(text) => self.copy(sanitize(&text).into_owned(), "text"),
                None => self.say("nothing selected to copy", Role::Warn),
            },
            Action::CopyJson => match self.copy_json() {
                Some(text) => self.copy(text, "row"),
                None => self.say("nothing selected to copy", Role::Warn),
            },
            Action::Acknowledge => self.acknowledge(),
            Action::Retry if self.link.is_live() => self.say("connected already", Role::Normal),
            Action::Retry => self.effects.push(Effect::Retry),
            Action::Login => self.ask_login(),
            Action::Zoom => self.zoom = !self.zoom,
            Action::Command => self.popup = Some(Popup::Command(self.command())),
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

    fn back(&mut self) {
        if self.zoom {
            self.zoom = false;
        } else if self.pages.pop().is_some() {
        } else if self.frozen.is_some() {
            self.freeze();
        } else if self.deny_only {
            self.deny_only = false;
        } else if !self.filter.is_empty() {
            self.filter = Filter::default();
            self.relist();
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
                let panes = AgentPage::PANES;
                let at = panes.iter().position(|pane| *pane == page.focus).unwrap_or(0);
                page.focus = panes[at.wrapping_add_signed(by).wrapping_add(panes.len()) % panes.len()];
            }
            Some(Page::Event(_)) => {}
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

    fn step(&mut self, by: isize) {
        match self.pages.last() {
            Some(Page::Event(page)) => page.scroll.set(page.scroll.get().saturating_add_signed(by)),
            _ => focused!(self, list => list.step(by)),
        }
    }

    fn page_by(&mut self, by: isize) {
        match self.pages.last() {
            Some(Page::Event(page)) => {
                let height = isize::try_from(page.height.get()).unwrap_or(1);
                page.scroll.set(page.scroll.get().saturating_add_signed(by.saturating_mul(height)));
            }
            _ => focused!(self, list => list.page(by)),
        }
    }

    /// Opens what is selected: an agent's page, an event's page, a group.
    fn open(&mut self) {
        let page = match self.selected() {
            Some(Selected::Agent(id)) => Page::Agent(Box::new(AgentPage::new(id))),
            Some(Selected::Alert(alert)) => Page::Agent(Box::new(AgentPage::new(alert.agent_id))),
            Some(Selected::Event(event)) => Page::Event(Box::new(EventPage::new(event))),
            Some(Selected::Group(id, open)) => {
                self.set_open(id, !open);
                return;
            }
            Some(Selected::Gap) => {
                self.say("these events did not reach this screen; `tyrctl events list` has them", Role::Normal);
                return;
            }
            Some(Selected::Process) | None => return,
        };
        if self.pages.len() < PAGES_MAX {
            self.pages.push(page);
            self.zoom = false;
        }
    }

    /// Tells the server that the selected alert is known.
    fn acknowledge(&mut self) {
        match self.selected() {
            Some(Selected::Alert(alert)) if !self.link.is_live() => {
                self.say(format!("{} can't be acknowledged while cut off", alert.rule), Role::Warn);
            }
            Some(Selected::Alert(alert)) => self.effects.push(Effect::Acknowledge(alert.alert_id)),
            _ => self.say("no alert is selected (5 lists them)", Role::Warn),
        }
    }

    /// Right opens, left closes; in a group's events left goes to their group.
    fn fold(&mut self, open: bool) {
        if self.focus() != Pane::DriftTree || !self.pages.is_empty() {
            return;
        }
        match self.groups.selected() {
            Some(DriftLine::Group(group)) => {
                let id = group.agent_id;
                self.set_open(id, open);
            }
            Some(DriftLine::Event(event)) if !open => {
                let id = event.agent_id;
                self.groups.select(id);
            }
            _ => {}
        }
    }

    fn set_open(&mut self, group: uuid::Uuid, open: bool) {
        if open {
            // Nobody opens that many by hand; groups that are gone don't add up over weeks.
            if self.open_groups.len() >= OPEN_GROUPS_MAX {
                self.open_groups.clear();
            }
            self.open_groups.insert(group);
        } else {
            self.open_groups.remove(&group);
        }
        self.groups.pin();
    }

    fn freeze(&mut self) {
        self.frozen = match self.frozen.take() {
            Some(_) => None,
            None => Some(Box::new(Frozen { data: self.live.clone(), clock: self.clock })),
        };
        self.relist();
    }

    pub(super) fn edit(&mut self, edit: Edit) {
        let Some(prompt) = &mut self.prompt else { return };
        match edit {
            Edit::Insert(c) => prompt.text.push(c),
            Edit::Backspace => {
                prompt.text.pop();
            }
            Edit::DeleteWord => {
                let kept = prompt.text.trim_end().rfind(' ').map_or(0, |space| space + 1);
                prompt.text.truncate(kept);
            }
            Edit::Clear => prompt.text.clear(),
            Edit::Accept => {
                // With an error in it, the last text that made sense stays in force; the prompt stays open to mend it.
                if prompt.error.is_none() {
                    self.prompt = None;
                }
                return;
            }
            Edit::Cancel => {
                let before = std::mem::take(&mut prompt.before);
                self.prompt = None;
                self.filter = Filter::parse(&before).unwrap_or_default();
                self.relist();
                return;
            }
        }
        match Filter::parse(&prompt.text) {
            Ok(filter) => {
                prompt.error = None;
                self.filter = filter;
                self.relist();
            }
            Err(error) => prompt.error = Some((error.at, error.message)),
        }
    }

    fn selected(&self) -> Option<Selected> {
        fn entry(list: &List<Entry>) -> Option<Selected> {
            Some(match list.selected()? {
                Entry::Event(event) => Selected::Event(event.clone()),
                Entry::Gap(..) => Selected::Gap,
            })
        }
        match self.pages.last() {
            Some(Page::Event(_)) => return None,
            Some(Page::Agent(page)) => {
                return match page.focus {
                    Pane::PageAi => page.ai.selected().map(|_| Selected::Process),
                    Pane::PageDrift => page.drifts.selected().cloned().map(Selected::Event),
                    _ => entry(&page.events),
                };
            }
            None => {}
        }
        match self.focus {
            Pane::Agents => self.agents.selected().map(|agent| Selected::Agent(agent.key())),
            Pane::Alerts => self.alerts.selected().cloned().map(Selected::Alert),
            Pane::Drift => self.drifts.selected().cloned().map(Selected::Event),
            Pane::DriftTree => self.groups.selected().map(|line| match line {
                DriftLine::Group(group) => Selected::Group(group.agent_id, group.open),
                DriftLine::Event(event) => Selected::Event(event.clone()),
            }),
            _ => entry(&self.events),
        }
    }

    fn copy(&mut self, text: String, what: &str) {
        self.effects.push(Effect::Copy(text));
        // Whether the terminal took it can't be known.
        self.say(format!("{what} sent to the terminal's clipboard"), Role::Good);
    }

    fn copy_text(&self) -> Option<String> {
        if let Some(Page::Event(page)) = self.pages.last() {
            return Some(page.event.resource.clone());
        }
        match self.selected()? {
            Selected::Agent(id) | Selected::Group(id, _) => self.data().fleet.get(id).map(|agent| agent.name.clone()),
            Selected::Event(event) => Some(event.resource.clone()),
            Selected::Alert(alert) => Some(alert.agent_name.clone()),
            Selected::Process => match self.pages.last() {
                Some(Page::Agent(page)) => page.ai.selected().map(|process| process.cmdline.clone()),
                _ => None,
            },
            Selected::Gap => None,
        }
    }

    fn copy_json(&self) -> Option<String> {
        if let Some(Page::Event(page)) = self.pages.last() {
            return json(&*page.event);
        }
        match self.selected()? {
            Selected::Agent(id) | Selected::Group(id, _) => json(&**self.data().fleet.get(id)?),
            Selected::Event(event) => json(&*event),
            Selected::Alert(alert) => json(&*alert),
            Selected::Process => match self.pages.last() {
                Some(Page::Agent(page)) => json(&**page.ai.selected()?),
                _ => None,
            },
            Selected::Gap => None,
        }
    }
}

/// What is selected in the list that has the focus.
enum Selected {
    Agent(uuid::Uuid),
    Event(std::sync::Arc<tyr_api::events::Event>),
    Alert(std::sync::Arc<tyr_api::alerts::Alert>),
    Group(uuid::Uuid, bool),
    Process,
    Gap,
}

fn json(row: &impl Serialize) -> Option<String> {
    serde_json::to_string(row).ok()
}
