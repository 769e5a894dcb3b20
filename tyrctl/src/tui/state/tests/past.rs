use std::time::Instant;

use super::{THEME, batch, press};
use crate::tui::state::fleet::Standing;
use crate::tui::state::msg::{Dirty, Msg};
use crate::tui::state::testing::{at, event, live, server_time};

#[test]
fn steps_through_what_is_held_and_back_to_the_present() {
    let start = Instant::now();
    let mut state = live(THEME, (80, 24), start);
    let mut later = super::Batch::default();
    for n in 0..3 {
        later.event(tyr_api::events::Event { received_at: server_time(i64::from(n) + 1), ..event(700 + n) });
    }
    state.apply(Msg::Feed(super::Feed::Batch(Box::new(later))), at(start, 3));
    state.prepare(at(start, 3));
    press(&mut state, "3jj", at(start, 3));
    let all = state.events.rows().len();
    press(&mut state, "[", at(start, 3));
    assert!(state.events.is_following(), "the row that was selected may not be there yet");
    assert_eq!((state.frozen(), state.stepped_back(), state.clock), (Some(1), 1, Some(server_time(2))));
    assert_eq!(state.events.rows().len(), all - 1, "what came later is not there yet");
    press(&mut state, "[[", at(start, 3));
    assert_eq!((state.frozen(), state.events.rows().len()), (Some(3), all - 3));
    batch(&mut state, 800..805, at(start, 4));
    assert_eq!(state.frozen(), Some(8), "what comes in is counted");
    press(&mut state, "]]]", at(start, 4));
    assert_eq!((state.frozen(), state.stepped_back()), (Some(5), 0), "the held picture again");
    press(&mut state, "]", at(start, 4));
    assert_eq!((state.frozen(), state.clock), (Some(0), Some(server_time(4))), "and a newer one behind it");
    press(&mut state, "]", at(start, 4));
    assert!(state.notice().unwrap().text.starts_with("this is the newest"));
    press(&mut state, " ", at(start, 5));
    assert_eq!((state.frozen(), state.events.rows().len()), (None, all + 5));
}

#[test]
fn minutes_end_at_the_oldest_that_is_held() {
    let start = Instant::now();
    let mut state = live(THEME, (80, 24), start);
    press(&mut state, "{", at(start, 0));
    assert_eq!(state.clock, Some(server_time(-59)), "a minute of counters is held");
    assert!(state.notice().unwrap().text.starts_with("this is the oldest"));
    assert_eq!(state.data().rates.summary(600).unwrap().seconds, 1);
    press(&mut state, "\x1b", at(start, 1));
    assert_eq!(state.frozen(), None, "esc goes back to the present");
}

#[test]
fn an_agents_age_is_that_of_the_time_that_is_shown() {
    let start = Instant::now();
    let mut state = live(THEME, (80, 24), start);
    let standing = |state: &crate::tui::state::State, n| super::standing(state, n);
    assert_eq!(standing(&state, 3), Standing::Stale, "95 s");
    press(&mut state, "[[[[[[[[", at(start, 0));
    assert_eq!(standing(&state, 3), Standing::Well, "87 s: it was not stale then");
    assert_eq!(standing(&state, 1), Standing::Offline);
    assert_eq!(state.apply(Msg::Tick, at(start, 9)), Dirty::Clean, "a held picture needs no frame");
}

#[test]
fn there_is_nothing_to_look_back_at_before_the_first_word() {
    let start = Instant::now();
    let mut state = crate::tui::state::State::new("prod", "https://x", THEME, at(start, 0));
    press(&mut state, "[", at(start, 1));
    assert_eq!(state.frozen(), None);
    assert!(state.notice().is_some());
}
