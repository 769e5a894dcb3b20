//! Commands of the `:` prompt: each action by its word, and some that take an argument.

use crate::tui::filter::{Completion, Filter};
use crate::tui::input::{Action, BINDINGS};
use crate::tui::state::State;
use crate::tui::state::drifts::GroupBy;
use crate::tui::state::msg::Effect;
use crate::tui::state::order::{Order, Table};
use crate::tui::state::ui::{AgentPage, Page, TimeForm, WINDOWS_S};
use crate::tui::theme::{Palette, Role};
use crate::when;

/// A command that takes an argument.
#[derive(Clone, Copy, Debug)]
pub struct Verb {
    /// The word.
    pub word: &'static str,
    /// Its argument, as shown.
    pub argument: &'static str,
    /// What it does.
    pub help: &'static str,
}

const fn verb(word: &'static str, argument: &'static str, help: &'static str) -> Verb {
    Verb { word, argument, help }
}

/// Commands that take an argument; beside these each word of the key table is one.
pub const VERBS: &[Verb] = &[
    verb("agent", "NAME", "open an agent's page"),
    verb("filter", "FILTER", "show only what matches, e.g. kind=exec verdict=deny"),
    verb("sort", "COLUMN[:desc]", "sort the list, e.g. :sort AGE"),
    verb("columns", "COLUMN...", "show these columns, or take them away"),
    verb("group", "BY", "group drift by agent, kind, resource, rule or reason"),
    verb("at", "AGO", "freeze, and look at the picture of so long ago: :at 5m"),
    verb("window", "LENGTH", "stretch of time in the charts: 1m, 2m, 5m, 10m, 30m, 1h"),
    verb("time", "FORM", "times as utc, local, age or ms"),
    verb("theme", "NAME", "default, dark, light, high-contrast or mono"),
    verb("ctx", "NAME", "follow the server of another context"),
    verb("help", "[WORD]", "keys and commands with that word"),
];

/// Where in a command something is wrong (in characters), and what.
type Wrong = (usize, String);

/// `unknown …; did you mean …?`, or all there are.
fn unknown<'w>(what: &str, given: &str, words: impl Iterator<Item = &'w str>) -> String {
    let words: Vec<_> = words.collect();
    let lower = given.to_lowercase();
    let near = words
        .iter()
        .map(|word| (strsim::jaro_winkler(&word.to_lowercase(), &lower), *word))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .filter(|(nearness, _)| *nearness > 0.7);
    match near {
        Some((_, near)) => format!("unknown {what} {given}; did you mean {near}?"),
        None if words.len() <= 20 => format!("unknown {what} {given}; there are {}", words.join(", ")),
        None => format!("unknown {what} {given}"),
    }
}

fn words() -> impl Iterator<Item = &'static str> {
    let bound = BINDINGS.iter().map(|binding| binding.word);
    bound.chain(VERBS.iter().map(|verb| verb.word).filter(|word| BINDINGS.iter().all(|one| one.word != *word)))
}

impl State {
    /// Does what a command says.
    ///
    /// # Errors
    /// Says where what is wrong.
    pub(super) fn ask(&mut self, text: &str) -> Result<(), Wrong> {
        let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let argument = rest.trim();
        let at = text.chars().count() - rest.trim_start().chars().count();
        let (action, needs) = match word {
            "" => return Ok(()),
            "q" | "q!" | "exit" => (Some(Action::Quit), None),
            "h" => (Some(Action::Help), None),
            word => (
                BINDINGS.iter().find(|binding| binding.word == word).map(|binding| binding.action),
                VERBS.iter().find(|verb| verb.word == word),
            ),
        };
        match (action, needs) {
            (None, None) => Err((0, unknown("command", word, words()))),
            (Some(Action::Go(view)), _) => {
                let filter = if argument.is_empty() { None } else { Some(parse_filter(argument, at)?) };
                self.act(Action::Go(view));
                if let Some(filter) = filter {
                    self.filters.push(filter.text());
                    self.set_filter(filter);
                }
                Ok(())
            }
            (Some(action), _) if argument.is_empty() => {
                self.act(action);
                Ok(())
            }
            (Some(_), None) => Err((at, format!("{word} takes nothing more"))),
            (None, Some(verb)) if argument.is_empty() => {
                Err((text.chars().count(), format!("{} is missing: {}", verb.argument, verb.help)))
            }
            (_, Some(verb)) => self.ask_with(verb.word, argument, at),
        }
    }

    fn ask_with(&mut self, word: &str, argument: &str, at: usize) -> Result<(), Wrong> {
        match word {
            "agent" => {
                let found = self.data().fleet.agents().find(|agent| agent.name == argument).map(|one| one.agent_id);
                let Some(id) = found else {
                    let names = self.data().fleet.agents().map(|agent| &*agent.name);
                    return Err((at, unknown("agent", argument, names)));
                };
                self.push_page(Page::Agent(Box::new(AgentPage::new(id))));
            }
            "filter" => {
                let filter = parse_filter(argument, at)?;
                self.filters.push(filter.text());
                self.set_filter(filter);
            }
            "sort" => {
                let table = self.table().ok_or((at, "there is no list to sort here".to_owned()))?;
                let (name, direction) = argument.split_once(':').unwrap_or((argument, ""));
                let head =
                    table.head(name).ok_or_else(|| (at, unknown("column", name, table.heads().iter().copied())))?;
                let reversed = match direction {
                    "" | "asc" => false,
                    "desc" | "reverse" => true,
                    other => return Err((at, unknown("direction", other, ["asc", "desc"].into_iter()))),
                };
                self.layout.set_order(table, Order { head, reversed });
                self.relist();
            }
            "columns" => {
                let table = self.table().filter(|table| table.has_columns());
                let table = table.ok_or((at, "there are no columns to choose here".to_owned()))?;
                let names = argument.split([',', ' ']).map(|name| name.trim_start_matches(['+', '-']));
                let heads = names.filter(|name| !name.is_empty()).map(|name| {
                    table.head(name).ok_or_else(|| (at, unknown("column", name, table.heads().iter().copied())))
                });
                for head in heads.collect::<Result<Vec<_>, _>>()? {
                    self.layout.toggle(table, head);
                }
            }
            "group" => {
                let by = GroupBy::ALL.into_iter().find(|by| by.word() == argument);
                let known = GroupBy::ALL.into_iter().map(GroupBy::word);
                self.group_by(by.ok_or_else(|| (at, unknown("grouping", argument, known)))?);
            }
            "at" => {
                let ago = argument.strip_prefix('-').unwrap_or(argument);
                let ago = when::parse_duration(ago.strip_suffix(" ago").unwrap_or(ago))
                    .map_err(|_| (at, format!("`{argument}` is no duration, e.g. 30s or 5m")))?;
                self.look_back(ago);
            }
            "window" => {
                let seconds =
                    when::parse_duration(argument).ok().and_then(|length| usize::try_from(length.as_secs()).ok());
                let known = seconds.filter(|seconds| WINDOWS_S.contains(seconds));
                self.window =
                    Some(known.ok_or_else(|| (at, format!("`{argument}` is none of 1m, 2m, 5m, 10m, 30m, 1h")))?);
            }
            "time" => {
                let form = TimeForm::ALL.into_iter().find(|form| form.word() == argument);
                let known = TimeForm::ALL.into_iter().map(TimeForm::word);
                self.times = form.ok_or_else(|| (at, unknown("form", argument, known)))?;
            }
            "theme" => {
                let known = Palette::ALL.into_iter().map(Palette::word);
                self.palette = Palette::named(argument).ok_or_else(|| (at, unknown("theme", argument, known)))?;
                if !self.theme.color && self.palette != Palette::Mono {
                    self.say("this terminal shows no colours (NO_COLOR, --color never)", Role::Warn);
                }
            }
            "ctx" => {
                if !self.contexts.iter().any(|name| name == argument) {
                    return Err((at, unknown("context", argument, self.contexts.iter().map(String::as_str))));
                }
                self.effects.push(Effect::Context(argument.to_owned()));
            }
            _ => self.open_help(Some(argument)),
        }
        Ok(())
    }

    /// What could be typed next in a command.
    pub(super) fn ask_offers(&self, before: &str) -> (usize, Vec<Completion>) {
        let Some((word, rest)) = before.trim_start().split_once(char::is_whitespace) else {
            let typed = before.trim_start();
            let at = before.chars().count() - typed.chars().count();
            let offers = words().filter(|word| word.starts_with(typed)).map(|word| {
                let verb = VERBS.iter().find(|verb| verb.word == word);
                let bound = BINDINGS.iter().find(|binding| binding.word == word);
                let about = bound.map(|bound| bound.help).filter(|help| !help.is_empty());
                let space = if verb.is_some() { " " } else { "" };
                Completion {
                    word: format!("{word}{space}"),
                    about: about.or(verb.map(|verb| verb.help)).unwrap_or_default().to_owned(),
                }
            });
            return (at, offers.collect());
        };
        let argument = rest.trim_start();
        let at = before.chars().count() - argument.chars().count();
        let is_view = BINDINGS.iter().any(|one| one.word == word && matches!(one.action, Action::Go(_)));
        if is_view || word == "filter" {
            let (start, offers) = self.filter_offers(argument);
            return (at + start, offers);
        }
        let choices: Vec<String> = match word {
            "agent" => {
                let mut names: Vec<_> = self.data().fleet.agents().map(|agent| agent.name.clone()).collect();
                names.sort_unstable();
                names
            }
            "sort" => self.table().map_or(&[][..], Table::heads).iter().map(|head| (*head).to_owned()).collect(),
            "columns" => {
                let heads = self.table().filter(|table| table.has_columns()).map_or(&[][..], Table::heads);
                let last = argument.rfind([',', ' ']).map_or(0, |place| place + 1);
                let offers = heads.iter().filter(|head| begins(head, &argument[last..]));
                let offers = offers.map(|head| Completion { word: (*head).to_owned(), about: String::new() });
                return (at + argument[..last].chars().count(), offers.collect());
            }
            "group" => GroupBy::ALL.into_iter().map(|by| by.word().to_owned()).collect(),
            "ctx" => self.contexts.clone(),
            "window" => ["1m", "2m", "5m", "10m", "30m", "1h"].map(str::to_owned).to_vec(),
            "time" => TimeForm::ALL.into_iter().map(|form| form.word().to_owned()).collect(),
            "theme" => Palette::ALL.into_iter().map(|palette| palette.word().to_owned()).collect(),
            _ => Vec::new(),
        };
        let fitting = choices.into_iter().filter(|choice| begins(choice, argument)).take(64);
        (at, fitting.map(|word| Completion { word, about: String::new() }).collect())
    }
}

fn begins(text: &str, begin: &str) -> bool {
    text.get(..begin.len()).is_some_and(|head| head.eq_ignore_ascii_case(begin))
}

fn parse_filter(text: &str, at: usize) -> Result<Filter, Wrong> {
    Filter::parse(text).map_err(|error| (at + error.at, error.message))
}
