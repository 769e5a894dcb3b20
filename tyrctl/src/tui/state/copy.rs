//! What a row becomes when it's copied.

use std::sync::Arc;

use serde::Serialize;
use tyr_api::agents::DiscoveredAgent;
use tyr_api::alerts::Alert;
use tyr_api::events::Event;

use crate::output::sanitize::sanitize;
use crate::tui::state::drifts::DriftLine;
use crate::tui::state::list::{AgentKey, Keyed, List};
use crate::tui::state::log::LogLine;
use crate::tui::state::msg::Effect;
use crate::tui::state::ring::Entry;
use crate::tui::state::ui::Page;
use crate::tui::state::{Data, State, looked_at};
use crate::tui::theme::Role;

/// Most text that is given to the terminal at once: many take no more, and what is cut is of no use.
const COPY_BYTES_MAX: usize = 64 * 1024;

/// A row that can be copied.
pub(super) trait Copied {
    /// Its name or resource, among that data.
    fn text(&self, data: &Data) -> Option<String>;
    /// All of it.
    fn json(&self, data: &Data) -> Option<String>;
}

fn json(row: &impl Serialize) -> Option<String> {
    serde_json::to_string(row).ok()
}

impl Copied for AgentKey {
    fn text(&self, data: &Data) -> Option<String> {
        data.fleet.get(self.0).map(|agent| agent.name.clone())
    }

    fn json(&self, data: &Data) -> Option<String> {
        data.fleet.get(self.0).and_then(|agent| json(&**agent))
    }
}

impl Copied for Arc<Event> {
    fn text(&self, _: &Data) -> Option<String> {
        Some(self.resource.clone())
    }

    fn json(&self, _: &Data) -> Option<String> {
        json(&**self)
    }
}

impl Copied for Entry {
    fn text(&self, _: &Data) -> Option<String> {
        self.event().map(|event| event.resource.clone())
    }

    fn json(&self, _: &Data) -> Option<String> {
        self.event().and_then(|event| json(&*event))
    }
}

impl Copied for DriftLine {
    fn text(&self, _: &Data) -> Option<String> {
        match self {
            Self::Group(group) => Some(group.name.clone()),
            Self::Event(event) => Some(event.resource.clone()),
        }
    }

    fn json(&self, _: &Data) -> Option<String> {
        match self {
            Self::Group(group) => json(&serde_json::json!({
                "by": group.by.word(), "name": group.name, "events": group.events, "first": group.first, "last": group.last,
            })),
            Self::Event(event) => json(&**event),
        }
    }
}

impl Copied for Arc<Alert> {
    fn text(&self, _: &Data) -> Option<String> {
        Some(self.agent_name.clone())
    }

    fn json(&self, _: &Data) -> Option<String> {
        json(&**self)
    }
}

impl Copied for Arc<DiscoveredAgent> {
    fn text(&self, _: &Data) -> Option<String> {
        Some(self.cmdline.clone())
    }

    fn json(&self, _: &Data) -> Option<String> {
        json(&**self)
    }
}

impl Copied for Arc<LogLine> {
    fn text(&self, _: &Data) -> Option<String> {
        Some(format!("{} {}{}", self.at, self.text, self.about))
    }

    fn json(&self, _: &Data) -> Option<String> {
        json(&serde_json::json!({"at": self.at, "text": format!("{}{}", self.text, self.about)}))
    }
}

/// What to copy of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Its name or resource, made harmless.
    Text,
    /// All of it, as JSON.
    Json,
}

impl Form {
    fn of(self, row: &impl Copied, data: &Data) -> Option<String> {
        match self {
            Self::Text => row.text(data).map(|text| sanitize(&text).into_owned()),
            Self::Json => row.json(data),
        }
    }
}

impl State {
    /// Marks the selected row or takes its mark away, and goes on to the next.
    pub(super) fn mark(&mut self) {
        let key = match self.table() {
            Some(_) => looked_at!(self, list => list.selected().map(Keyed::key), None),
            None => None,
        };
        let Some(key) = key else {
            self.say("nothing selected to mark", Role::Warn);
            return;
        };
        if !self.marked.remove(&key) {
            self.marked.insert(key);
        }
        self.step(1);
    }

    /// Copies the marked rows of the list that has the focus; without any, the selected one.
    pub(super) fn copy_rows(&mut self, form: Form) {
        let copied = if let Some(Page::Event(page) | Page::Why(page)) = self.pages.last() {
            form.of(&page.event, self.data()).into_iter().collect()
        } else {
            looked_at!(self, list => self.chosen(list, form), Vec::new())
        };
        match &copied[..] {
            [] => self.say("nothing selected to copy", Role::Warn),
            [one] => self.copy(one.clone(), if form == Form::Text { "text" } else { "row" }),
            many => self.copy(many.join("\n"), &format!("{} rows", many.len())),
        }
    }

    fn chosen<R: Keyed + Copied>(&self, list: &List<R>, form: Form) -> Vec<String> {
        let data = self.data();
        let marked = list.rows().iter().filter(|row| self.marked.contains(&row.key()));
        let marked: Vec<String> = marked.filter_map(|row| form.of(row, data)).collect();
        if marked.is_empty() {
            list.selected().and_then(|row| form.of(row, data)).into_iter().collect()
        } else {
            marked
        }
    }

    pub(super) fn copy(&mut self, text: String, what: &str) {
        if text.len() > COPY_BYTES_MAX {
            let bytes = text.len();
            let key = self.keys.first(crate::tui::input::Action::Command);
            let text = format!("{bytes} bytes are too many for a terminal's clipboard; {key} shows the command");
            self.say(text, Role::Warn);
            return;
        }
        self.effects.push(Effect::Copy(text));
        // Whether the terminal took it can't be known.
        self.tell(format!("{what} sent to the terminal's clipboard"), "", Role::Good);
    }
}
