use std::time::Instant;

use super::{THEME, batch, press};
use crate::tui::state::drifts::{DriftLine, GroupBy};
use crate::tui::state::list::Keyed;
use crate::tui::state::msg::Effect;
use crate::tui::state::order::{Order, Table};
use crate::tui::state::ring::Entry;
use crate::tui::state::testing::{at, live};
use crate::tui::state::ui::{Page, Pane, Popup, TimeForm, View};

#[test]
fn every_column_sorts_and_the_other_way_round_is_the_other_way_round() {
    let start = Instant::now();
    for table in Table::ALL {
        for head in table.heads() {
            for view in ["1", "2", "3", "4\n", "5", "6", "\n"] {
                for reversed in [false, true] {
                    let mut state = live(THEME, (160, 48), start);
                    state.layout.set_order(table, Order { head, reversed });
                    press(&mut state, view, at(start, 1));
                }
            }
        }
    }
    let mut state = live(THEME, (160, 48), start);
    press(&mut state, "2", at(start, 1));
    let mut first = |head, reversed| {
        state.layout.set_order(Table::Agents, Order { head, reversed });
        press(&mut state, "2", at(start, 1));
        state.listed_agents().next().unwrap().name.clone()
    };
    assert_eq!([first("AGE", false), first("AGE", true)], ["build-017", "review-101"]);
    assert_eq!([first("AGENT", false), first("AGENT", true)], ["build-017", "triage-103"]);
    assert_eq!([first("KERNEL", false), first("POLICY", false)], ["review-002", "docs-102"]);
    assert_eq!([first("EV/S", false), first("LAST_SEEN", true)], ["review-101", "review-101"]);
    press(&mut state, "3", at(start, 1));
    state.layout.set_order(Table::Events, Order { head: "VERDICT", reversed: false });
    press(&mut state, "3", at(start, 1));
    let verdicts: Vec<_> = state.events.rows().iter().filter_map(Entry::event).map(|event| event.verdict).collect();
    assert_eq!(verdicts[0], tyr_api::events::Verdict::Deny, "what needs a look comes first");
}

#[test]
fn the_sort_menu_chooses_and_reverses() {
    let start = Instant::now();
    let mut state = live(THEME, (80, 24), start);
    press(&mut state, "2sj\n", at(start, 1));
    assert_eq!(state.layout.order(Table::Agents), Order { head: "AGE", reversed: false });
    press(&mut state, "s\n", at(start, 1));
    assert_eq!(state.layout.order(Table::Agents), Order { head: "AGE", reversed: true });
    press(&mut state, "S", at(start, 1));
    assert!(!state.layout.order(Table::Agents).reversed);
    press(&mut state, "sS", at(start, 1));
    assert!(state.popup.is_some() && state.layout.order(Table::Agents).reversed, "the box stays");
    press(&mut state, "\x1b>", at(start, 1));
    assert_eq!(state.layout.order(Table::Agents), Order { head: "LAST_SEEN", reversed: false });
    press(&mut state, "<<<<<", at(start, 1));
    assert_eq!(state.layout.order(Table::Agents).head, "AGENT");
    assert_eq!(state.layout.order(Table::Events).head, "TIME", "other lists keep their order");
}

#[test]
fn columns_are_chosen_and_taken_back() {
    let start = Instant::now();
    let mut state = live(THEME, (160, 48), start);
    press(&mut state, "2cj ", at(start, 1));
    assert!(!state.layout.shows(Table::Agents, "STATE") && matches!(state.popup, Some(Popup::Menu(_))));
    assert_eq!(state.layout.toggled().collect::<Vec<_>>(), [(Table::Agents, "STATE")]);
    press(&mut state, "r\x1b", at(start, 1));
    assert!(state.layout.shows(Table::Agents, "STATE") && state.popup.is_none());
}

#[test]
fn marked_rows_are_copied_together() {
    let start = Instant::now();
    let mut state = live(THEME, (80, 24), start);
    press(&mut state, "2mjmy", at(start, 1));
    assert_eq!(state.take_effects(), [Effect::Copy("build-017\ndocs-009".to_owned())]);
    press(&mut state, "Y", at(start, 1));
    let effects = state.take_effects();
    let [Effect::Copy(json)] = &effects[..] else { panic!("{effects:?}") };
    let rows: Vec<serde_json::Value> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.iter().map(|row| &row["name"]).collect::<Vec<_>>(), ["build-017", "docs-009"]);
    press(&mut state, "km", at(start, 1));
    assert_eq!(state.marked.len(), 1, "a mark is taken away as it was made");
    press(&mut state, "\x1b", at(start, 1));
    assert!(state.marked.is_empty() && state.view == View::Agents, "esc takes the marks first");
    press(&mut state, "gy", at(start, 1));
    assert_eq!(state.take_effects(), [Effect::Copy("build-017".to_owned())]);
    let logged: Vec<_> = state.log.newest_first().map(|line| line.text.clone()).collect();
    assert_eq!(logged[0], "text sent to the terminal's clipboard");
}

#[test]
fn too_much_is_not_copied() {
    let start = Instant::now();
    let mut state = live(THEME, (80, 24), start);
    batch(&mut state, 1_000..1_400, at(start, 1));
    press(&mut state, "3", at(start, 1));
    let keys: Vec<_> = state.events.rows().iter().map(Keyed::key).collect();
    state.marked.extend(keys);
    press(&mut state, "Y", at(start, 1));
    assert!(state.take_effects().is_empty());
    assert!(state.notice().unwrap().text.contains("too many for a terminal's clipboard"));
}

#[test]
fn drift_is_grouped_by_each_thing() {
    let start = Instant::now();
    let mut state = live(THEME, (80, 24), start);
    press(&mut state, "4", at(start, 1));
    for (by, groups) in [
        (GroupBy::Agent, ["build-017 3", "review-002 1"].as_slice()),
        (GroupBy::Kind, &["exec 1", "file_read 1", "file_write 1", "net_connect 1"]),
        (GroupBy::Resource, &["/etc/cron.d/x 1", "/home/a/proj/.env 1", "/usr/bin/sudo 1", "203.0.113.9:443 1"]),
        (GroupBy::Rule, &["deny-system 4"]),
        (GroupBy::Reason, &["stale policy 3", "not enforced here 1"]),
    ] {
        assert_eq!(state.grouped_by, by);
        let found: Vec<_> = state
            .groups
            .rows()
            .iter()
            .map(|line| match line {
                DriftLine::Group(group) => format!("{} {}", group.name, group.events),
                DriftLine::Event(event) => panic!("{} although all are closed", event.resource),
            })
            .collect();
        assert_eq!(found, groups);
        press(&mut state, "\n", at(start, 1));
        assert!(state.groups.rows().len() > groups.len(), "opens");
        press(&mut state, "b", at(start, 1));
    }
    assert_eq!(state.grouped_by, GroupBy::Agent);
}

#[test]
fn drills_down_from_agent_to_why() {
    let start = Instant::now();
    let mut state = live(THEME, (80, 24), start);
    press(&mut state, "\n\t\t", at(start, 1));
    assert_eq!(state.focus(), Pane::PageAi);
    press(&mut state, "\n", at(start, 1));
    let Some(Page::Agent(page)) = state.pages.last() else { panic!("no page") };
    assert!(page.process.is_some() && !page.events.rows().is_empty(), "the AI process and its events");
    press(&mut state, "\n", at(start, 1));
    assert!(matches!(state.pages.last(), Some(Page::Event(_))));
    press(&mut state, "\n", at(start, 1));
    assert!(matches!(state.pages.last(), Some(Page::Why(_))));
    press(&mut state, "\n", at(start, 1));
    assert_eq!(state.pages.len(), 4, "there is nothing behind why");
    press(&mut state, "\x1b\x1b\x1b\x1b", at(start, 1));
    assert!(state.pages.is_empty());
}

#[test]
fn the_command_says_what_the_filter_says_and_tells_what_it_cannot() {
    let start = Instant::now();
    let command = |keys: &str| {
        let mut state = live(THEME, (80, 24), start);
        press(&mut state, keys, at(start, 1));
        state.command(false)
    };
    let tail = "tyrctl --context prod events tail";
    assert_eq!(command("3"), (tail.to_owned(), false));
    assert_eq!(
        command("3/kind=exec,net_connect type=cursor\n").0,
        format!("{tail} --kind exec,net_connect --type cursor")
    );
    assert_eq!(command("3e").0, format!("{tail} --verdict deny,alert"));
    assert_eq!(command("3e/verdict=deny\n"), (format!("{tail} --verdict deny"), false));
    assert_eq!(command("3/agent='a b'\n"), (format!("{tail} --agent 'a b'"), false));
    assert_eq!(command("3/kind=exec resource:x\n"), (format!("{tail} --kind exec"), true));
    assert_eq!(command("2/state=stale\n"), ("tyrctl --context prod agents --stale".to_owned(), false));
    assert_eq!(command("2/age>5m\n"), ("tyrctl --context prod agents".to_owned(), true));
    assert_eq!(command("4bb").0, "tyrctl --context prod drift --since 1d --events");
    assert_eq!(command("4bbb").0, "tyrctl --context prod drift --since 1d --by rule");
    let (event, lossy) = command("3j\n");
    assert!(event.contains(" --since 2026-11-22T17:02:4") && event.ends_with(" -o json") && !lossy, "{event}");
}

#[test]
fn windows_times_and_names_change_by_key() {
    let start = Instant::now();
    let mut state = live(THEME, (80, 24), start);
    press(&mut state, "--------", at(start, 1));
    assert_eq!(state.window(), 60);
    press(&mut state, "++++++++", at(start, 1));
    assert_eq!(state.window(), 3_600);
    press(&mut state, "t", at(start, 1));
    assert_eq!(state.times, TimeForm::Age, "UTC has no second form");
    state.zone = jiff::tz::TimeZone::fixed(jiff::tz::offset(2));
    press(&mut state, "ttt", at(start, 1));
    assert_eq!(state.times, TimeForm::Zone);
    let id = state.agents.rows()[0].0;
    press(&mut state, "p", at(start, 1));
    assert_eq!(state.name_of(id, "build-017"), "host-000001");
    let (shown, _) = state.command(true);
    assert!(!shown.contains("prod"), "{shown}");
    press(&mut state, "p", at(start, 1));
    assert_eq!(state.name_of(id, "build-017"), "build-017");
}

#[test]
fn the_log_tells_what_happened() {
    let start = Instant::now();
    let mut state = live(THEME, (80, 24), start);
    super::down(&mut state, start, 5);
    press(&mut state, "6", at(start, 6));
    let text: Vec<_> = state.lines.rows().iter().map(|line| format!("{}{}", line.text, line.about)).collect();
    assert_eq!(
        text,
        [
            "cut off, try 1 in 3 s: connection refused",
            "stream open",
            "snapshot of tyr-server 0.1.0: 6 agents, 20 events",
        ]
    );
    press(&mut state, "/refused\n", at(start, 6));
    assert_eq!(state.lines.rows().len(), 1);
}

#[test]
fn a_sorted_tail_takes_new_rows_in_their_place() {
    let start = Instant::now();
    for (head, reversed) in [("TIME", false), ("TIME", true), ("RESOURCE", false), ("VERDICT", true)] {
        let mut state = live(THEME, (80, 24), start);
        state.layout.set_order(Table::Events, Order { head, reversed });
        press(&mut state, "3", at(start, 1));
        let keys = |state: &crate::tui::state::State| state.events.rows().iter().map(Keyed::key).collect::<Vec<_>>();
        let mut before = keys(&state);
        for n in [700, 710, 720] {
            batch(&mut state, n..n + 3, at(start, 1));
            let moved = keys(&state);
            assert_ne!(moved, before);
            // The same view again makes the list anew.
            press(&mut state, "3", at(start, 1));
            assert_eq!(keys(&state), moved, "{head} {reversed}");
            before = moved;
        }
    }
}
