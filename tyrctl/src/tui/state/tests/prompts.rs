use std::time::Instant;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::{THEME, press};
use crate::tui::input::BINDINGS;
use crate::tui::state::State;
use crate::tui::state::ask::VERBS;
use crate::tui::state::drifts::GroupBy;
use crate::tui::state::menu::Deed;
use crate::tui::state::msg::{Effect, Msg, SqlText};
use crate::tui::state::order::{Order, Table};
use crate::tui::state::testing::{agent_id, at, live};
use crate::tui::state::ui::{MenuKind, Page, Popup, TimeForm, View};
use crate::tui::theme::Palette;

fn key(state: &mut State, code: KeyCode, start: Instant) {
    state.apply(Msg::Key(KeyEvent::new(code, KeyModifiers::NONE)), at(start, 1));
    state.prepare(at(start, 1));
}

fn typed(state: &State) -> &str {
    state.prompt.as_ref().unwrap().line.text()
}

#[test]
fn tab_completes_fields_and_values_and_the_filter_lives() {
    let start = Instant::now();
    let mut state = live(THEME, (80, 24), start);
    press(&mut state, "3/kin\t", at(start, 1));
    assert_eq!(typed(&state), "kind=");
    press(&mut state, "\t", at(start, 1));
    assert_eq!(typed(&state), "kind=file_read");
    press(&mut state, "\t\t\t", at(start, 1));
    assert_eq!(typed(&state), "kind=net_connect");
    assert_eq!(state.events.rows().len(), 1, "what was completed is in force");
    key(&mut state, KeyCode::BackTab, start);
    assert_eq!(typed(&state), "kind=exec");
    press(&mut state, " agent=bu\t", at(start, 1));
    assert_eq!(typed(&state), "kind=exec agent=build-017");
}

#[test]
fn the_last_good_filter_stays_in_force_while_an_error_is_mended() {
    let start = Instant::now();
    let mut state = live(THEME, (80, 24), start);
    press(&mut state, "3/kind=exec", at(start, 1));
    let rows = state.events.rows().len();
    press(&mut state, " |\n", at(start, 1));
    assert_eq!(state.prompt.as_ref().unwrap().error, Some((11, "something is missing here".to_owned())));
    assert_eq!((state.events.rows().len(), state.filter.text()), (rows, "kind=exec"));
    key(&mut state, KeyCode::Backspace, start);
    press(&mut state, "\n", at(start, 1));
    assert!(state.prompt.is_none());
    assert_eq!(state.filters.lines(), ["kind=exec"]);
}

#[test]
fn history_turns_back_and_forth() {
    let start = Instant::now();
    let mut state = live(THEME, (80, 24), start);
    press(&mut state, "/docs\n\x1b/build\n\x1b/x", at(start, 1));
    key(&mut state, KeyCode::Up, start);
    assert_eq!((typed(&state), state.filter.text()), ("build", "build"));
    key(&mut state, KeyCode::Up, start);
    assert_eq!(typed(&state), "docs");
    key(&mut state, KeyCode::Down, start);
    key(&mut state, KeyCode::Down, start);
    assert_eq!(typed(&state), "x");
}

#[test]
fn commands_do_what_they_say() {
    let start = Instant::now();
    let mut state = live(THEME, (80, 24), start);
    press(&mut state, ":agents stale\n", at(start, 1));
    assert_eq!((state.view, state.filter.text(), state.agents.rows().len()), (View::Agents, "stale", 1));
    press(&mut state, ":sort age:desc\n", at(start, 1));
    assert_eq!(state.layout.order(Table::Agents), Order { head: "AGE", reversed: true });
    press(&mut state, ":columns arch, kernel\n", at(start, 1));
    assert!(state.layout.shows(Table::Agents, "ARCH") && !state.layout.shows(Table::Agents, "KERNEL"));
    press(&mut state, ":drift since 1h\n", at(start, 1));
    assert_eq!((state.view, state.groups.rows().len()), (View::Drift, 1));
    press(&mut state, ":filter kind=exec\n", at(start, 1));
    assert_eq!(state.filter.text(), "kind=exec");
    press(&mut state, ":group rule\n:window 1h\n:time age\n:theme light\n", at(start, 1));
    assert_eq!(
        (state.grouped_by, state.window, state.times, state.palette),
        (GroupBy::Rule, Some(3_600), TimeForm::Age, Palette::Light)
    );
    press(&mut state, ":agent docs-102\n", at(start, 1));
    assert!(matches!(state.pages.last(), Some(Page::Agent(page)) if page.agent == agent_id(5)));
    press(&mut state, ":at 10s\n", at(start, 1));
    assert_eq!(state.stepped_back(), 10);
    press(&mut state, ":q\n", at(start, 1));
    assert_eq!(state.take_effects(), [Effect::Quit { keep: false }]);
    assert_eq!(state.asked.lines().last().map(String::as_str), Some("q"));
}

#[test]
fn wrong_commands_say_where_and_what_was_meant() {
    let start = Instant::now();
    for (text, place, message) in [
        ("agnets", 0, "unknown command agnets; did you mean agents?"),
        ("agents knid=x", 7, "unknown field knid; did you mean kind?"),
        ("zoom now", 5, "zoom takes nothing more"),
        ("sort AGEE", 5, "unknown column AGEE; did you mean AGE?"),
        ("sort AGE:down", 5, "unknown direction down; there are asc, desc"),
        ("theme drak", 6, "unknown theme drak; did you mean dark?"),
        ("agent build-018", 6, "unknown agent build-018; did you mean build-017?"),
        ("agent", 5, "NAME is missing: open an agent's page"),
        ("at noon", 3, "`noon` is no duration, e.g. 30s or 5m"),
        ("window 7m", 7, "`7m` is none of 1m, 2m, 5m, 10m, 30m, 1h"),
        ("columns AGE NOPE", 8, "unknown column NOPE"),
        ("ctx", 3, "NAME is missing: follow the server of another context"),
        ("ctx stagin", 4, "unknown context stagin; did you mean staging?"),
    ] {
        let mut state = live(THEME, (80, 24), start);
        state.contexts = vec!["prod".to_owned(), "staging".to_owned()];
        press(&mut state, &format!(":{text}\n"), at(start, 1));
        let prompt = state.prompt.as_ref().unwrap_or_else(|| panic!("{text} was accepted"));
        let (at, said) = prompt.error.clone().unwrap_or_default();
        assert!(at == place && said.starts_with(message), "{text}: {said} at {at}");
    }
}

#[test]
fn every_word_of_the_key_table_is_a_command_and_every_command_is_offered() {
    let start = Instant::now();
    for binding in BINDINGS {
        let mut state = live(THEME, (80, 24), start);
        assert_eq!(state.ask(binding.word), Ok(()), "{}", binding.word);
        state.prepare(at(start, 1));
    }
    let state = live(THEME, (80, 24), start);
    let (_, offers) = state.ask_offers("");
    let offered: Vec<_> = offers.iter().map(|offer| offer.word.trim()).collect();
    for word in BINDINGS.iter().map(|binding| binding.word).chain(VERBS.iter().map(|verb| verb.word)) {
        assert_eq!(offered.iter().filter(|offer| **offer == word).count(), 1, "{word}");
    }
    for (before, at, words) in [
        ("so", 0, "sort  sort-right sort-left"),
        ("sort A", 5, "AGENT AGE AI ARCH"),
        ("columns AGE,ke", 12, "KERNEL"),
        ("theme d", 6, "default dark"),
        ("agents sta", 7, "state="),
        ("agent docs", 6, "docs-009 docs-102"),
        ("time ", 5, "utc local age ms"),
    ] {
        let (start, offers) = state.ask_offers(before);
        let offered: Vec<_> = offers.into_iter().map(|offer| offer.word).collect();
        assert_eq!((start, &*offered.join(" ")), (at, words), "{before}");
    }
}

#[test]
fn another_context_and_the_sql_are_asked_for() {
    let start = Instant::now();
    let mut state = live(THEME, (80, 24), start);
    state.contexts = vec!["prod".to_owned(), "staging".to_owned()];
    assert_eq!(state.ask_offers("ctx st").1.len(), 1);
    press(&mut state, ":ctx staging\n", at(start, 1));
    assert_eq!(state.take_effects(), [Effect::Context("staging".to_owned())]);
    state.context = "prod".to_owned();
    press(&mut state, "2/state=stale\nO", at(start, 1));
    let line = "tyrctl --context prod agents --stale".to_owned();
    assert_eq!(state.take_effects(), [Effect::Sql { copied: line.clone(), shown: line }]);
    press(&mut state, "3:sql\n", at(start, 1));
    let [Effect::Sql { copied, .. }] = &state.take_effects()[..] else { panic!("no question for SQL") };
    assert!(copied.contains(" events list"), "what is stored, not what will come: {copied}");
    let text = |text: &str| text.to_owned();
    let answer = SqlText { copied: text("SELECT 'build-017'"), shown: text("SELECT 'agent-1'") };
    state.apply(Msg::Sql(Ok(answer)), at(start, 2));
    press(&mut state, "y", at(start, 2));
    assert_eq!(state.take_effects(), [Effect::Copy(text("SELECT 'build-017'"))]);
    state.apply(Msg::Sql(Err(text("no SQL answers what is shown here"))), at(start, 3));
    assert!(state.popup.is_none());
    assert_eq!(state.notice().unwrap().text, "no SQL answers what is shown here");
}

#[test]
fn matches_are_gone_to_in_lists_and_in_texts() {
    let start = Instant::now();
    let mut state = live(THEME, (80, 24), start);
    let notice = |state: &State| state.notice().map(|notice| notice.text.clone()).unwrap_or_default();
    press(&mut state, "3n", at(start, 1));
    assert_eq!(notice(&state), "nothing is looked for (/ says what)");
    press(&mut state, "/file1\nnn", at(start, 1));
    assert_eq!((state.events.index(), state.events.is_following()), (2, false));
    press(&mut state, "NNN", at(start, 1));
    assert_eq!((state.events.index(), &*notice(&state)), (0, "no match before this"));
    press(&mut state, "Gn", at(start, 1));
    assert_eq!(notice(&state), "no further match");
}

#[test]
fn the_palette_finds_actions_columns_and_agents() {
    let start = Instant::now();
    let mut state = live(THEME, (80, 24), start);
    press(&mut state, "\x10connection\n", at(start, 1));
    assert_eq!(state.view, View::Connection);
    press(&mut state, "1\x10docs-102\n", at(start, 1));
    assert!(matches!(state.pages.last(), Some(Page::Agent(page)) if page.agent == agent_id(5)));
    press(&mut state, "\x1b\x10sort age\n", at(start, 1));
    assert_eq!(state.layout.order(Table::Agents).head, "AGE");
    press(&mut state, "\x10theme NAME\n", at(start, 1));
    assert_eq!(typed(&state), "theme ", "what needs an argument asks for it");
    press(&mut state, "\x1b\x10", at(start, 1));
    let Some(Popup::Menu(menu)) = &state.popup else { panic!("no palette") };
    let deeds: Vec<_> = state.items(menu).into_iter().map(|item| item.deed).collect();
    for binding in BINDINGS.iter().filter(|binding| !binding.help.is_empty() && binding.word != "palette") {
        assert!(deeds.contains(&Deed::Act(binding.action)), "{}", binding.word);
    }
    press(&mut state, "no such thing\n\x1b", at(start, 1));
    assert!(state.popup.is_none());
}

#[test]
fn help_is_searched_and_closed_step_by_step() {
    let start = Instant::now();
    let mut state = live(THEME, (80, 24), start);
    press(&mut state, "?/clip", at(start, 1));
    assert!(matches!(&state.popup, Some(Popup::Help { search: Some(line), .. }) if line.text() == "clip"));
    press(&mut state, "\x1b", at(start, 1));
    assert!(matches!(&state.popup, Some(Popup::Help { search: None, .. })));
    press(&mut state, "q", at(start, 1));
    assert!(state.popup.is_none() && state.take_effects().is_empty(), "q closes the box, not the program");
    press(&mut state, ":help sort\n", at(start, 1));
    assert!(matches!(&state.popup, Some(Popup::Help { search: Some(line), .. }) if line.text() == "sort"));
}

#[test]
fn menus_stay_within_their_items() {
    let start = Instant::now();
    let mut state = live(THEME, (80, 24), start);
    for (open, kind) in [("s", MenuKind::Sort), ("c", MenuKind::Columns)] {
        press(&mut state, open, at(start, 1));
        press(&mut state, "G", at(start, 1));
        let Some(Popup::Menu(menu)) = &state.popup else { panic!("no menu") };
        assert_eq!((menu.kind, menu.index), (kind, Table::Agents.heads().len() - 1));
        press(&mut state, "\x0c", at(start, 1));
        assert!(matches!(&state.popup, Some(Popup::Menu(menu)) if menu.index == 0), "the end leads to the beginning");
        press(&mut state, "\x1b", at(start, 1));
    }
    press(&mut state, "7s", at(start, 1));
    assert!(state.popup.is_none(), "there is no list to sort");
}
