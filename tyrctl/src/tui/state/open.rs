//! What is opened: pages over the view, groups of drift; and what is done with the selected row.

use tyr_api::agents::DiscoveredAgent;

use crate::tui::input::Action;
use crate::tui::state::State;
use crate::tui::state::drifts::DriftLine;
use crate::tui::state::list::{Keyed, List};
use crate::tui::state::msg::Effect;
use crate::tui::state::ring::Entry;
use crate::tui::state::ui::{AgentPage, EventPage, Page, Pane, View};
use crate::tui::theme::Role;

/// Pages that can lie over one another.
const PAGES_MAX: usize = 8;

/// Groups of drift that are open at once.
pub(super) const OPEN_GROUPS_MAX: usize = 1_000;

impl State {
    /// Opens what is selected: an agent's page, an AI process's, an event's, why it was judged so; a group.
    pub(super) fn open(&mut self) {
        let page = match self.pages.last() {
            Some(Page::Event(page)) => Some(Page::Why(Box::new(EventPage::new(page.event.clone())))),
            Some(Page::Why(_)) => None,
            _ => match self.selected() {
                Some(Selected::Agent(id)) => Some(Page::Agent(Box::new(AgentPage::new(id)))),
                Some(Selected::Alert(alert)) => Some(Page::Agent(Box::new(AgentPage::new(alert.agent_id)))),
                Some(Selected::Process(process)) => Some(Page::Agent(Box::new(AgentPage::of_process(&process)))),
                Some(Selected::Event(event)) => Some(Page::Event(Box::new(EventPage::new(event)))),
                Some(Selected::Group(id, open)) => {
                    self.set_open(id, !open);
                    None
                }
                Some(Selected::Gap) => {
                    self.say("these events did not reach this screen; `tyrctl events list` has them", Role::Normal);
                    None
                }
                None => None,
            },
        };
        if let Some(page) = page {
            self.push_page(page);
        }
    }

    pub(super) fn push_page(&mut self, page: Page) {
        if self.pages.len() < PAGES_MAX {
            self.pages.push(page);
            self.zoom = false;
        }
    }

    /// Tells the server that the selected alert is known.
    pub(super) fn acknowledge(&mut self) {
        match self.selected() {
            Some(Selected::Alert(alert)) if !self.link.is_live() => {
                self.say(format!("{} can't be acknowledged while cut off", alert.rule), Role::Warn);
            }
            Some(Selected::Alert(alert)) => self.effects.push(Effect::Acknowledge(alert.alert_id)),
            _ => {
                let key = self.keys.first(Action::Go(View::Alerts));
                self.say(format!("no alert is selected ({key} lists them)"), Role::Warn);
            }
        }
    }

    /// Right opens, left closes; in a group's events left goes to their group.
    pub(super) fn fold(&mut self, open: bool) {
        if self.focus() != Pane::DriftTree || !self.pages.is_empty() {
            return;
        }
        match self.groups.selected() {
            Some(DriftLine::Group(group)) => {
                let id = group.id;
                self.set_open(id, open);
            }
            Some(DriftLine::Event(_)) if !open => {
                let above = self.groups.rows()[..self.groups.index()].iter().rposition(is_group);
                if let Some(group) = above {
                    self.groups.go(group);
                }
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

    fn selected(&self) -> Option<Selected> {
        fn entry(list: &List<Entry>) -> Option<Selected> {
            Some(match list.selected()? {
                Entry::Event(_, held) => Selected::Event(held.event()),
                Entry::Gap(..) => Selected::Gap,
            })
        }
        match self.pages.last() {
            Some(Page::Event(_) | Page::Why(_)) => return None,
            Some(Page::Agent(page)) => {
                return match page.focus {
                    Pane::PageAi => page.ai.selected().cloned().map(Selected::Process),
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
                DriftLine::Group(group) => Selected::Group(group.id, group.open),
                DriftLine::Event(event) => Selected::Event(event.clone()),
            }),
            Pane::Log | Pane::Facts => None,
            _ => entry(&self.events),
        }
    }
}

fn is_group(line: &DriftLine) -> bool {
    matches!(line, DriftLine::Group(_))
}

/// What is selected in the list that has the focus.
enum Selected {
    Agent(uuid::Uuid),
    Event(std::sync::Arc<tyr_api::events::Event>),
    Alert(std::sync::Arc<tyr_api::alerts::Alert>),
    Process(std::sync::Arc<DiscoveredAgent>),
    Group(uuid::Uuid, bool),
    Gap,
}
