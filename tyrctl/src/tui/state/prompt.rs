//! What typing into a prompt does: the filter lives while it's typed, commands wait for enter.

use std::collections::BTreeSet;

use crate::tui::filter::{self, Field, Filter};
use crate::tui::input::Edit;
use crate::tui::state::State;
use crate::tui::state::held::Glance;
use crate::tui::state::ui::{Prompt, PromptKind};

impl State {
    pub(super) fn open_prompt(&mut self, kind: PromptKind) {
        let text = match kind {
            PromptKind::Filter => self.filter.text().to_owned(),
            PromptKind::Ask => String::new(),
        };
        self.prompt = Some(Prompt::new(kind, &text));
        self.offer();
    }

    /// An edit of the open prompt; false if it changes nothing.
    pub(super) fn edit(&mut self, edit: Edit) -> bool {
        let Some(prompt) = &mut self.prompt else { return false };
        let history = match prompt.kind {
            PromptKind::Filter => &mut self.filters,
            PromptKind::Ask => &mut self.asked,
        };
        match edit {
            Edit::Accept => self.accept(),
            Edit::Cancel => {
                history.leave();
                let (kind, before) = (prompt.kind, std::mem::take(&mut prompt.before));
                self.prompt = None;
                if kind == PromptKind::Filter {
                    self.set_filter(Filter::parse(&before).unwrap_or_default());
                }
            }
            Edit::Previous | Edit::Next => {
                let Some(text) = history.turn(edit == Edit::Previous, prompt.line.text()) else { return false };
                prompt.line = crate::tui::state::line::Line::new(text);
                self.typed();
                self.offer();
            }
            Edit::Complete | Edit::CompleteBack => return self.complete(edit == Edit::Complete),
            // An empty command has nothing to take away but itself.
            Edit::Backspace if prompt.kind == PromptKind::Ask && prompt.line.text().is_empty() => self.prompt = None,
            edit => {
                let cursor = prompt.line.cursor();
                let changed = prompt.line.edit(edit);
                if !changed && prompt.line.cursor() == cursor {
                    return false;
                }
                if changed {
                    history.leave();
                    self.typed();
                }
                self.offer();
            }
        }
        true
    }

    fn accept(&mut self) {
        let Some(prompt) = &mut self.prompt else { return };
        let text = prompt.line.text().trim().to_owned();
        match prompt.kind {
            // With an error in it, the last text that made sense stays in force; the prompt stays open to mend it.
            PromptKind::Filter if prompt.error.is_some() => {}
            PromptKind::Filter => {
                self.filters.push(&text);
                self.prompt = None;
            }
            PromptKind::Ask => {
                // A command may open a prompt or a box of its own.
                let prompt = self.prompt.take();
                let indent = prompt
                    .as_ref()
                    .map_or(0, |prompt| prompt.line.text().chars().take_while(|c| c.is_whitespace()).count());
                match self.ask(&text) {
                    Ok(()) => self.asked.push(&text),
                    Err((at, message)) => {
                        self.prompt = prompt.map(|prompt| Prompt { error: Some((at + indent, message)), ..prompt });
                    }
                }
            }
        }
    }

    /// The text of the prompt is another one now.
    fn typed(&mut self) {
        let Some(prompt) = &mut self.prompt else { return };
        prompt.error = None;
        if prompt.kind == PromptKind::Filter {
            match Filter::parse(prompt.line.text()) {
                Ok(filter) => self.set_filter(filter),
                Err(error) => prompt.error = Some((error.at, error.message)),
            }
        }
    }

    /// Finds what could be typed next.
    fn offer(&mut self) {
        let Some(prompt) = &self.prompt else { return };
        let before = prompt.line.before();
        let (at, mut offers) = match prompt.kind {
            PromptKind::Filter => self.filter_offers(before),
            PromptKind::Ask => self.ask_offers(before),
        };
        // What stands there already is no offer.
        let typed: String = before.chars().skip(at).collect();
        offers.retain(|offer| offer.word.trim_end() != typed);
        if let Some(prompt) = &mut self.prompt {
            (prompt.offers_at, prompt.offers, prompt.offer) = (at, offers, None);
        }
    }

    pub(super) fn filter_offers(&self, before: &str) -> (usize, Vec<filter::Completion>) {
        filter::complete(before, &|field| self.values(field))
    }

    /// Values of a field that only the data can tell.
    fn values(&self, field: Field) -> Vec<String> {
        let data = self.data();
        let of_events = |value: &dyn Fn(&Glance<'_>) -> Option<String>| {
            let held = data.events.newest_first().filter_map(|entry| entry.held());
            held.filter_map(|held| held.glance(|event| value(&event))).collect::<BTreeSet<_>>()
        };
        let mut values: Vec<String> = match field {
            Field::Agent => data.fleet.agents().map(|agent| agent.name.clone()).collect(),
            Field::Kernel => data.fleet.agents().map(|agent| agent.kernel.clone()).collect(),
            Field::Type => {
                let known = data.fleet.ai_types().into_iter().map(str::to_owned);
                known.chain(of_events(&|event| event.agent_type.map(str::to_owned))).collect()
            }
            Field::Rule => of_events(&|event| event.rule.map(str::to_owned)).into_iter().collect(),
            Field::Exe => of_events(&|event| Some(event.process_exe.to_owned())).into_iter().collect(),
            _ => Vec::new(),
        };
        values.sort_unstable();
        values.dedup();
        values
    }

    /// Puts the next word that fits (or the one before) at the cursor.
    fn complete(&mut self, forward: bool) -> bool {
        let Some(prompt) = &mut self.prompt else { return false };
        let count = prompt.offers.len();
        if count == 0 {
            return false;
        }
        let next = match (prompt.offer, forward) {
            (None, true) => 0,
            (None, false) => count - 1,
            (Some(at), true) => (at + 1) % count,
            (Some(at), false) => (at + count - 1) % count,
        };
        let word = prompt.offers[next].word.clone();
        prompt.line.complete(prompt.offers_at, &word);
        prompt.offer = Some(next);
        self.typed();
        if count == 1 {
            // Nothing to choose from: the next tab is about what follows.
            self.offer();
        }
        true
    }

    pub(super) fn set_filter(&mut self, filter: Filter) {
        self.filter = filter;
        self.relist();
    }
}
