//! The command line that prints what the screen shows: what is seen can be scripted.

use std::fmt::Write;

use jiff::SignedDuration;

use crate::tui::filter::Field;
use crate::tui::state::State;
use crate::tui::state::drifts::GroupBy;
use crate::tui::state::msg::{Effect, SqlText};
use crate::tui::state::ui::{Page, Pane, Popup};
use crate::tui::theme::Role;

/// A command as it's put together.
struct Line<'s> {
    state: &'s State,
    /// Whether names are hidden, as on the screen.
    hide: bool,
    text: String,
    /// Whether some of the filter has no flag.
    lossy: bool,
}

impl State {
    /// Opens the box with the command.
    pub(super) fn show_command(&mut self) {
        let (copied, lossy) = self.command(false);
        let (shown, _) = self.command(self.privacy);
        let note = if lossy { "The command has no flag for all of the filter: it prints more rows." } else { "" };
        let title = "The same on the command line";
        self.popup = Some(Popup::Command { title, shown, copied, note: note.to_owned() });
    }

    /// Asks for the SQL behind that command.
    pub(super) fn ask_sql(&mut self) {
        let ((copied, _), (shown, _)) = (self.command(false), self.command(self.privacy));
        // What follows the stream begins with what is stored.
        let stored = |command: String| command.replacen(" events tail", " events list", 1);
        self.effects.push(Effect::Sql { copied: stored(copied), shown: stored(shown) });
    }

    /// Opens the box with the SQL, or says why there is none.
    pub(super) fn show_sql(&mut self, answer: Result<SqlText, String>) {
        match answer {
            Ok(SqlText { copied, shown }) => {
                let (_, lossy) = self.command(false);
                let note =
                    if lossy { "The statement does not hold all of the filter: it finds more rows." } else { "" };
                let title = "The same in SQL, ready for psql";
                self.popup = Some(Popup::Command { title, shown, copied, note: note.to_owned() });
            }
            Err(why) => self.say(why, Role::Warn),
        }
    }

    /// The `tyrctl` command for the topmost page or the focused list, and whether it prints more than the filter lets through.
    pub fn command(&self, hide: bool) -> (String, bool) {
        let mut line = Line { state: self, hide, text: "tyrctl".to_owned(), lossy: false };
        if self.context != "default" {
            line.flag("--context", &self.context);
        }
        match self.pages.last() {
            Some(Page::Agent(page)) => {
                let id = page.agent.to_string();
                let name = self.data().fleet.get(page.agent).map_or(&*id, |agent| &agent.name);
                match page.focus {
                    Pane::PageAi => {
                        line.add("ai");
                        line.name(page.agent, name);
                        line.add("--all");
                    }
                    Pane::PageDrift => {
                        line.add("drift --since 1d --events");
                        line.name(page.agent, name);
                        line.rest(&[]);
                    }
                    _ => {
                        line.add("events list");
                        line.name(page.agent, name);
                        line.events(true);
                    }
                }
                // The command has no flag for one AI process.
                line.lossy |= page.process.is_some();
            }
            Some(Page::Event(page) | Page::Why(page)) => {
                let event = &page.event;
                line.add("events list");
                line.name(event.agent_id, &event.agent_name);
                let _ = write!(line.text, " --kind {} --verdict {}", event.kind, event.verdict);
                // Times have whole microseconds, and the end is not part of it.
                let until = event.ts.checked_add(SignedDuration::from_micros(1)).unwrap_or(event.ts);
                let _ = write!(line.text, " --since {} --until {until} -o json", event.ts);
            }
            None => match self.focus {
                Pane::Agents => line.agents(),
                Pane::Drift => {
                    line.add("drift --since 1d --events");
                    line.agent_of_filter(&[Field::Agent]);
                }
                Pane::DriftTree => {
                    match self.grouped_by {
                        GroupBy::Agent => line.add("drift --since 1d"),
                        // There are too many resources to count by.
                        GroupBy::Resource => line.add("drift --since 1d --events"),
                        by => {
                            line.add("drift --since 1d --by");
                            line.add(by.word());
                        }
                    }
                    line.agent_of_filter(&[Field::Agent]);
                }
                Pane::Alerts => {
                    line.add("alerts");
                    line.agent_of_filter(&[Field::Agent]);
                }
                Pane::Log | Pane::Facts => line.add("auth status"),
                _ => {
                    line.add("events tail");
                    line.events(false);
                }
            },
        }
        (line.text, line.lossy)
    }
}

impl Line<'_> {
    fn add(&mut self, words: &str) {
        self.text.push(' ');
        self.text.push_str(words);
    }

    fn flag(&mut self, flag: &str, value: &str) {
        let value = if self.hide { self.state.shown(value).into_owned() } else { value.to_owned() };
        self.add(flag);
        self.add(&quote(&value));
    }

    fn name(&mut self, id: uuid::Uuid, name: &str) {
        let name = if self.hide { self.state.name_of(id, name).into_owned() } else { name.to_owned() };
        self.add("--agent");
        self.add(&quote(&name));
    }

    /// What of the filter no flag can say.
    fn rest(&mut self, said: &[Field]) {
        let (terms, whole) = self.state.filter.exact();
        self.lossy |= !whole || terms.iter().any(|(field, _)| !said.contains(field));
    }

    fn agent_of_filter(&mut self, said: &[Field]) {
        self.rest(said);
        let (terms, _) = self.state.filter.exact();
        for (field, words) in terms {
            if let (Field::Agent, [name]) = (field, &words[..]) {
                self.flag("--agent", name);
            } else if field == Field::Agent {
                self.lossy = true;
            }
        }
    }

    fn agents(&mut self) {
        self.add("agents");
        let (terms, whole) = self.state.filter.exact();
        for (field, words) in &terms {
            match (field, &words[..]) {
                (Field::Agent, names) => {
                    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
                    for name in names {
                        let name = if self.hide { self.state.shown(&name).into_owned() } else { name };
                        self.add(&quote(&name));
                    }
                }
                (Field::State, ["stale"]) => self.add("--stale"),
                (Field::State, ["offline"]) => self.add("--offline"),
                (Field::State, ["online"]) => self.add("--online"),
                _ => self.lossy = true,
            }
        }
        self.lossy |= !whole;
    }

    /// Flags for what is wanted of events.
    fn events(&mut self, one_agent: bool) {
        let mut said = vec![Field::Kind, Field::Verdict];
        let (terms, _) = self.state.filter.exact();
        let mut verdicts = false;
        for (field, words) in &terms {
            match (field, &words[..]) {
                (Field::Kind, words) => self.flag_of_words("--kind", words),
                (Field::Verdict, words) => {
                    verdicts = true;
                    self.flag_of_words("--verdict", words);
                }
                (Field::Type, [one]) => {
                    said.push(Field::Type);
                    self.flag("--type", one);
                }
                (Field::Agent, [one]) if !one_agent => {
                    said.push(Field::Agent);
                    self.flag("--agent", one);
                }
                _ => {}
            }
        }
        let hides_allowed = if one_agent { self.state.deny_only } else { self.state.hides_allowed() };
        if hides_allowed && !verdicts {
            self.add("--verdict deny,alert");
        }
        self.rest(&said);
    }

    fn flag_of_words(&mut self, flag: &str, words: &[&str]) {
        self.add(flag);
        self.add(&quote(&words.join(",").to_ascii_lowercase()));
    }
}

/// The words of a command line as [`quote`] made it.
pub fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted, mut escaped) = (Vec::new(), None::<String>, false, false);
    for c in line.chars() {
        match c {
            '\'' if !escaped => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            '\\' if !quoted && !escaped => {
                escaped = true;
                continue;
            }
            ' ' if !quoted && !escaped => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
        escaped = false;
    }
    words.extend(word);
    words
}

/// A word for the shell.
fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::{quote, words};

    #[test]
    fn words_survive_the_shell() {
        assert_eq!(quote("build-017"), "build-017");
        assert_eq!(quote("a b'; rm -rf ~"), r"'a b'\''; rm -rf ~'");
        assert_eq!(quote(""), "''");
        let hostile = ["", "a", "a b", "it's '' \\", "\n", "'", "$(x)", "é"];
        let line: Vec<String> = hostile.iter().map(|word| quote(word)).collect();
        assert_eq!(words(&line.join(" ")), hostile);
    }
}
