//! Menus: the palette of all actions, columns to sort by, columns to show.

use crate::tui::input::{Action, BINDINGS, Edit};
use crate::tui::state::State;
use crate::tui::state::ask::VERBS;
use crate::tui::state::drifts::GroupBy;
use crate::tui::state::order::Table;
use crate::tui::state::ui::{Menu, MenuKind, Popup, PromptKind, TimeForm};
use crate::tui::theme::{Palette, Role};

/// Items that are offered at most.
const ITEMS_MAX: usize = 200;

/// What choosing an item does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// An action of the key table.
    Act(Action),
    /// A command.
    Ask(String),
    /// Opens the prompt with the beginning of a command.
    Begin(&'static str),
    /// Sorts by that column.
    Sort(Table, &'static str),
    /// Shows that column, or takes it away.
    Toggle(Table, &'static str),
}

/// Something to choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Its name.
    pub label: String,
    /// What it does.
    pub about: String,
    /// Its key, or its state.
    pub note: String,
    /// What it does.
    pub deed: Deed,
}

impl State {
    pub(super) fn open_menu(&mut self, kind: MenuKind) {
        let index = match (kind, self.table()) {
            (MenuKind::Palette, _) => 0,
            (MenuKind::Sort, Some(table)) => {
                let head = self.layout.order(table).head;
                table.heads().iter().position(|one| *one == head).unwrap_or(0)
            }
            (MenuKind::Columns, Some(table)) if table.has_columns() => 0,
            _ => {
                self.say("there is no list here", Role::Warn);
                return;
            }
        };
        self.popup = Some(Popup::Menu(Menu::new(kind, index)));
    }

    /// What a menu offers now, best first.
    pub fn items(&self, menu: &Menu) -> Vec<Item> {
        match (menu.kind, self.table()) {
            (MenuKind::Palette, _) => self.palette_items(menu.line.text()),
            (MenuKind::Sort, Some(table)) => {
                let order = self.layout.order(table);
                let item = |head: &'static str| Item {
                    label: head.to_owned(),
                    about: String::new(),
                    note: match (head == order.head, order.reversed) {
                        (false, _) => "",
                        (true, false) => "now",
                        (true, true) => "now, reversed",
                    }
                    .to_owned(),
                    deed: Deed::Sort(table, head),
                };
                table.heads().iter().copied().map(item).collect()
            }
            (MenuKind::Columns, Some(table)) => {
                let item = |head: &'static str| Item {
                    label: head.to_owned(),
                    about: String::new(),
                    note: if self.layout.shows(table, head) { "shown" } else { "" }.to_owned(),
                    deed: Deed::Toggle(table, head),
                };
                table.heads().iter().copied().map(item).collect()
            }
            _ => Vec::new(),
        }
    }

    fn palette_items(&self, wanted: &str) -> Vec<Item> {
        let bound =
            BINDINGS.iter().filter(|one| !one.help.is_empty() && one.action != Action::Palette).map(|one| Item {
                label: one.word.to_owned(),
                about: one.help.to_owned(),
                note: self.keys.shown(one, self.theme.ascii).into_owned(),
                deed: Deed::Act(one.action),
            });
        let mut items: Vec<Item> = bound.collect();
        let ask = |word: &str, argument: &str, about: &str| Item {
            label: format!("{word} {argument}"),
            about: about.to_owned(),
            note: String::new(),
            deed: Deed::Ask(format!("{word} {argument}")),
        };
        for verb in VERBS.iter().filter(|verb| BINDINGS.iter().all(|one| one.word != verb.word)) {
            items.push(Item {
                label: format!("{} {}", verb.word, verb.argument),
                about: verb.help.to_owned(),
                note: String::new(),
                deed: Deed::Begin(verb.word),
            });
        }
        items.extend(Palette::ALL.iter().map(|palette| ask("theme", palette.word(), "colours")));
        items.extend(TimeForm::ALL.iter().map(|form| ask("time", form.word(), "how times are shown")));
        items.extend(GroupBy::ALL.iter().map(|by| ask("group", by.word(), "what drift is grouped by")));
        if let Some(table) = self.table() {
            let about = format!("sort {}", table.name());
            items.extend(table.heads().iter().map(|head| ask("sort", head, &about)));
            if table.has_columns() {
                let about = format!("a column of {}, shown or not", table.name());
                items.extend(table.heads().iter().map(|head| ask("columns", head, &about)));
            }
        }
        if wanted.trim().is_empty() {
            return items;
        }
        let agents = self.data().fleet.agents().map(|agent| Item {
            label: format!("agent {}", self.name_of(agent.agent_id, &agent.name)),
            about: "open its page".to_owned(),
            note: String::new(),
            deed: Deed::Ask(format!("agent {}", agent.name)),
        });
        items.extend(agents);
        let mut scored: Vec<(i32, Item)> = items
            .into_iter()
            .filter_map(|item| {
                // The name weighs more than what is said about it.
                let by_name = likeness(wanted, &item.label).map(|score| score + 50);
                let by_all = likeness(wanted, &format!("{} {}", item.label, item.about));
                by_name.max(by_all).map(|score| (score, item))
            })
            .collect();
        scored.sort_by(|(a, x), (b, y)| b.cmp(a).then_with(|| x.label.len().cmp(&y.label.len())));
        scored.truncate(ITEMS_MAX);
        scored.into_iter().map(|(_, item)| item).collect()
    }

    /// Moves a menu's selection, not beyond its ends.
    pub(super) fn step_menu(&mut self, by: isize) {
        let Some(Popup::Menu(menu)) = &self.popup else { return };
        let last = self.items(menu).len().saturating_sub(1);
        if let Some(Popup::Menu(menu)) = &mut self.popup {
            menu.index = menu.index.saturating_add_signed(by).min(last);
        }
    }

    /// A key while a menu is open.
    pub(super) fn edit_menu(&mut self, edit: Edit) {
        let Some(Popup::Menu(menu)) = &self.popup else { return };
        let kind = menu.kind;
        let last = self.items(menu).len().saturating_sub(1);
        let Some(Popup::Menu(menu)) = &mut self.popup else { return };
        let step = |index: usize, by: isize| index.saturating_add_signed(by).min(last);
        match edit {
            Edit::Cancel => self.popup = None,
            Edit::Accept => {
                let index = menu.index;
                self.choose(index);
            }
            Edit::Previous if menu.index == 0 => menu.index = last,
            Edit::Previous | Edit::CompleteBack => menu.index = step(menu.index, -1),
            Edit::Next | Edit::Complete if menu.index >= last => menu.index = 0,
            Edit::Next | Edit::Complete => menu.index = step(menu.index, 1),
            Edit::Page(by) => menu.index = step(menu.index, by * 10),
            edit if kind == MenuKind::Palette => {
                menu.index = if menu.line.edit(edit) { 0 } else { menu.index };
            }
            Edit::Insert('j') => menu.index = step(menu.index, 1),
            Edit::Insert('k') => menu.index = step(menu.index, -1),
            Edit::Insert('g') | Edit::Home => menu.index = 0,
            Edit::Insert('G') | Edit::End => menu.index = last,
            Edit::Insert(' ') => {
                let index = menu.index;
                self.choose(index);
            }
            Edit::Insert('S') if kind == MenuKind::Sort => self.act_behind(Action::Reverse),
            Edit::Insert('r') if kind == MenuKind::Columns => {
                if let Some(table) = self.table() {
                    self.layout.reset_columns(table);
                }
            }
            Edit::Insert('q' | 's' | 'c') => self.popup = None,
            _ => {}
        }
    }

    /// Does what the item at that place says.
    pub(super) fn choose(&mut self, index: usize) {
        let Some(Popup::Menu(menu)) = &self.popup else { return };
        let Some(item) = self.items(menu).into_iter().nth(index) else { return };
        match item.deed {
            Deed::Sort(table, head) => {
                self.layout.sort_by(table, head);
                self.popup = None;
                self.relist();
            }
            // The box stays: columns are seldom chosen one alone.
            Deed::Toggle(table, head) => {
                self.layout.toggle(table, head);
                if let Some(Popup::Menu(menu)) = &mut self.popup {
                    menu.index = index;
                }
            }
            Deed::Act(action) => {
                self.popup = None;
                self.act(action);
            }
            Deed::Begin(word) => {
                self.popup = None;
                self.open_prompt(PromptKind::Ask);
                for c in word.chars().chain([' ']) {
                    self.edit(Edit::Insert(c));
                }
            }
            Deed::Ask(text) => {
                self.popup = None;
                if let Err((_, message)) = self.ask(&text) {
                    self.say(message, Role::Bad);
                }
            }
        }
    }

    /// An action that leaves the open box where it is.
    fn act_behind(&mut self, action: Action) {
        let popup = self.popup.take();
        self.act(action);
        self.popup = popup;
    }
}

/// How well a text answers what is looked for: each word of it as a part, or at least its letters in order. Absent if it doesn't.
pub fn likeness(wanted: &str, text: &str) -> Option<i32> {
    let text: Vec<char> = text.chars().flat_map(char::to_lowercase).collect();
    wanted
        .split_whitespace()
        .map(|word| {
            let word: Vec<char> = word.chars().flat_map(char::to_lowercase).collect();
            let begins = |at: usize| at == 0 || !text[at - 1].is_alphanumeric();
            let parts = text.windows(word.len().max(1)).enumerate().filter(|(_, part)| *part == &word[..]);
            let whole = parts.map(|(at, _)| {
                let found = if begins(at) { 100 } else { 60 };
                found - i32::try_from(at.min(30)).unwrap_or(30)
            });
            let whole = whole.max();
            whole.or_else(|| {
                let (mut score, mut from, mut last) = (0, 0, None);
                for c in &word {
                    let at = from + text[from..].iter().position(|one| one == c)?;
                    score += match last {
                        Some(before) if at == before + 1 => 3,
                        _ if begins(at) => 2,
                        _ => -1,
                    };
                    last = Some(at);
                    from = at + 1;
                }
                // Letters strewn over a long line are no answer.
                (score > 0).then_some(score)
            })
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::likeness;

    #[test]
    fn finds_by_parts_of_words_and_by_their_letters() {
        assert!(likeness("cop", "copy name") > likeness("cop", "scope"));
        assert!(likeness("sort ag", "sort AGE").is_some());
        assert!(likeness("ag sort", "sort AGE").is_some());
        assert!(likeness("cj", "copy-json").is_some());
        assert_eq!(likeness("xyz", "copy-json"), None);
        assert_eq!(likeness("sort xyz", "sort AGE"), None);
        assert!(likeness("copy", "copy") > likeness("cpy", "copy"));
        assert_eq!(likeness("", "anything"), Some(0));
    }
}
