use std::time::{Duration, Instant};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use tyr_api::stream::Gap;

use super::State;
use super::msg::{Dirty, Effect, Msg};
use super::testing::{agent, agent_id, at, event, live, server_time, snapshot, stats};
use crate::tui::state::feed::{BATCH_EVENTS_MAX, Batch, Feed};
use crate::tui::state::fleet::Standing;
use crate::tui::state::link::Phase;
use crate::tui::state::ui::{Page, Pane, View};
use crate::tui::theme::Theme;

mod lists;
mod login;
mod mouse;
mod past;
mod prompts;

const THEME: Theme = Theme { color: true, ascii: false };

pub(super) fn press(state: &mut State, keys: &str, now: super::link::Now) -> Dirty {
    let mut dirty = Dirty::Clean;
    for c in keys.chars() {
        let code = match c {
            '\n' => KeyCode::Enter,
            '\x1b' => KeyCode::Esc,
            '\t' => KeyCode::Tab,
            '\x0b' => KeyCode::Up,
            '\x0c' => KeyCode::Down,
            '\x10' => KeyCode::Char('p'),
            c => KeyCode::Char(c),
        };
        let modifiers = if c == '\x10' { KeyModifiers::CONTROL } else { KeyModifiers::NONE };
        dirty = dirty.max(state.apply(Msg::Key(KeyEvent::new(code, modifiers)), now));
        state.prepare(now);
    }
    dirty
}

fn batch(state: &mut State, events: impl IntoIterator<Item = u32>, now: super::link::Now) {
    let mut batch = Batch { alive: true, ..Batch::default() };
    events.into_iter().for_each(|n| batch.event(event(n)));
    state.apply(Msg::Feed(Feed::Batch(Box::new(batch))), now);
    state.prepare(now);
}

fn standing(state: &State, n: u32) -> Standing {
    let fleet = &state.data().fleet;
    fleet.standing(fleet.get(agent_id(n)).unwrap(), state.clock.unwrap())
}

fn down(state: &mut State, start: Instant, seconds: u64) {
    let until = at(start, seconds + 3).mono;
    let cause = "connection refused".to_owned();
    state.apply(Msg::Feed(Feed::Waiting { attempt: 1, until, cause }), at(start, seconds));
}

#[test]
fn agents_turn_stale_by_age_while_live() {
    let start = Instant::now();
    let mut state = live(THEME, (80, 24), start);
    assert_eq!(standing(&state, 4), Standing::Well);
    state.prepare(at(start, 120));
    assert_eq!(standing(&state, 4), Standing::Stale);
    state.prepare(at(start, 400));
    assert_eq!(standing(&state, 4), Standing::Offline);
}

#[test]
fn no_agent_turns_stale_because_we_are_blind() {
    let start = Instant::now();
    let mut state = live(THEME, (80, 24), start);
    down(&mut state, start, 5);
    for later in [6, 100, 10_000] {
        assert_eq!(state.apply(Msg::Tick, at(start, later)), Dirty::Data, "the countdown moves");
        state.prepare(at(start, later));
        assert_eq!(state.clock, Some(server_time(0)), "frozen at the last frame, not at the moment we noticed");
        assert_eq!(standing(&state, 4), Standing::Well);
    }
    assert_eq!(state.link.down_for(at(start, 100)), Some(Duration::from_secs(95)));
}

#[test]
fn comes_back_with_what_was_missed_and_says_so() {
    let start = Instant::now();
    let mut state = live(THEME, (80, 24), start);
    let before = state.data().events.len();
    down(&mut state, start, 5);
    let mut again = snapshot();
    again.now = server_time(30);
    again.agents[3].last_seen = server_time(29);
    state.apply(Msg::Feed(Feed::Connecting), at(start, 29));
    assert!(matches!(state.link.phase(), Phase::Down { until: None, .. }));
    state.apply(Msg::Feed(Feed::Snapshot { snapshot: Box::new(again), resumed: true }), at(start, 30));
    assert_eq!(state.data().events.len(), before, "the stream brings the events, not the snapshot");
    state.apply(Msg::Feed(Feed::Open), at(start, 30));
    batch(&mut state, 600..603, at(start, 30));
    assert_eq!(state.link.phase(), &Phase::CatchingUp { events: 3 });
    let mut last = Batch { alive: true, ..Batch::default() };
    last.stats.push(stats(server_time(31), 1));
    state.apply(Msg::Feed(Feed::Batch(Box::new(last))), at(start, 31));
    state.prepare(at(start, 31));
    assert_eq!(state.link.phase(), &Phase::Live);
    assert_eq!(state.notice().unwrap().text, "reconnected after 26.0 s, replayed 3 events");
    assert_eq!(standing(&state, 4), Standing::Well);
    assert_eq!(state.clock, Some(server_time(31)));
}

#[test]
fn outage_at_the_start_has_no_clock_to_freeze() {
    let start = Instant::now();
    let mut state = State::new("prod", "https://x", THEME, at(start, 0));
    down(&mut state, start, 0);
    state.prepare(at(start, 1));
    assert_eq!(state.clock, None);
    state.apply(Msg::Feed(Feed::Stopped { cause: "token expired".to_owned(), login: true }), at(start, 2));
    assert!(matches!(state.link.phase(), Phase::Stopped { login: true, .. }));
    press(&mut state, "r", at(start, 3));
    assert_eq!(state.take_effects(), [Effect::Retry]);
}

#[test]
fn selection_follows_the_agent_when_the_order_changes() {
    let start = Instant::now();
    let mut state = live(THEME, (80, 24), start);
    press(&mut state, "jjj", at(start, 1));
    let name = |state: &State| state.selected_agent().unwrap().name.clone();
    assert_eq!(name(&state), "docs-102", "worst first, among them the one that runs an old policy");
    let mut update = Batch { alive: true, ..Batch::default() };
    update.agents.insert(agent_id(1), agent(1, "build-017", 0));
    update.agents.insert(agent_id(2), agent(2, "review-002", 0));
    state.apply(Msg::Feed(Feed::Batch(Box::new(update))), at(start, 2));
    state.prepare(at(start, 2));
    assert_eq!(state.agents.index(), 3, "no dance within two seconds of a key");
    state.prepare(at(start, 9));
    assert_eq!((name(&state).as_str(), state.agents.index()), ("docs-102", 1));
}

#[test]
fn freezing_holds_the_picture_and_counts_what_comes_in() {
    let start = Instant::now();
    let mut state = live(THEME, (80, 24), start);
    press(&mut state, "3", at(start, 1));
    let shown = state.events.rows().len();
    press(&mut state, " ", at(start, 1));
    let clock = state.clock;
    batch(&mut state, 700..712, at(start, 30));
    assert_eq!((state.frozen(), state.events.rows().len(), state.clock), (Some(12), shown, clock));
    assert_eq!(state.apply(Msg::Tick, at(start, 31)), Dirty::Clean, "a held picture needs no frame");
    press(&mut state, " ", at(start, 32));
    assert_eq!((state.frozen(), state.events.rows().len()), (None, shown + 12));
}

#[test]
fn moving_pauses_the_tail_and_following_goes_back_to_the_newest() {
    let start = Instant::now();
    let mut state = live(THEME, (80, 24), start);
    press(&mut state, "3j", at(start, 1));
    let selected = state.events.selected().unwrap().event().unwrap().event_id;
    batch(&mut state, 700..705, at(start, 2));
    assert_eq!(state.events.newer(), 5);
    assert_eq!(state.events.selected().unwrap().event().unwrap().event_id, selected);
    press(&mut state, "f", at(start, 3));
    assert!(state.events.is_following());
    assert_eq!(state.events.selected().unwrap().event().unwrap().event_id, event(704).event_id);
}

#[test]
fn a_gap_takes_its_place_among_the_events() {
    let start = Instant::now();
    let mut state = live(THEME, (80, 24), start);
    press(&mut state, "3", at(start, 1));
    let mut news = Batch::default();
    news.gap(Gap { missed: Some(120), since: server_time(0) });
    news.event(event(700));
    state.apply(Msg::Feed(Feed::Batch(Box::new(news))), at(start, 1));
    state.prepare(at(start, 1));
    let rows = state.events.rows();
    assert!(rows[0].event().is_some() && rows[1].event().is_none());
    assert_eq!(state.data().events.gaps(), (1, 120));
    press(&mut state, "3gj\n", at(start, 2));
    assert!(state.pages.is_empty(), "there is no event to open");
}

#[test]
fn a_full_batch_counts_all_and_keeps_denials() {
    let mut batch = Batch::default();
    let mut denial = event(1);
    denial.verdict = tyr_api::events::Verdict::Deny;
    batch.event(denial.clone());
    let limit = u32::try_from(BATCH_EVENTS_MAX).unwrap();
    for n in 10..10 + limit + 49 {
        batch.event(event(n));
    }
    assert_eq!((batch.arrivals.len(), batch.dropped), (BATCH_EVENTS_MAX, 50));
    assert_eq!(batch.counts.values().map(super::feed::Counts::total).sum::<u32>(), limit + 50);
    let first = batch.arrivals.front();
    assert!(matches!(first, Some(super::feed::Arrival::Event(event)) if event.event_id == denial.event_id));
}

#[test]
fn opens_and_goes_back_step_by_step() {
    let start = Instant::now();
    let mut state = live(THEME, (80, 24), start);
    press(&mut state, "\n", at(start, 1));
    assert!(matches!(state.pages.last(), Some(Page::Agent(page)) if page.agent == agent_id(1)));
    press(&mut state, "\t\n", at(start, 2));
    assert!(matches!(state.pages.last(), Some(Page::Event(page)) if page.event.drift_detected));
    press(&mut state, "\x1b\x1b", at(start, 3));
    assert!(state.pages.is_empty());
    press(&mut state, "2\x1b", at(start, 4));
    assert_eq!(state.view, View::Overview);
}

#[test]
fn tab_walks_over_all_lists_and_back() {
    let start = Instant::now();
    let mut state = live(THEME, (80, 24), start);
    let mut seen = Vec::new();
    for _ in 0..9 {
        seen.push((state.view, state.focus()));
        press(&mut state, "\t", at(start, 1));
    }
    assert_eq!(
        seen[..4].iter().map(|(_, pane)| *pane).collect::<Vec<_>>(),
        [Pane::Agents, Pane::Drift, Pane::Events, Pane::Agents]
    );
    assert_eq!((state.view, state.focus()), (View::Overview, Pane::Agents));
    state.apply(Msg::Key(KeyEvent::new(KeyCode::BackTab, KeyModifiers::SHIFT)), at(start, 2));
    assert_eq!(state.view, View::Connection);
}

#[test]
fn groups_of_drift_open_and_close() {
    let start = Instant::now();
    let mut state = live(THEME, (80, 24), start);
    press(&mut state, "4", at(start, 1));
    assert_eq!(state.groups.rows().len(), 2);
    press(&mut state, "\n", at(start, 2));
    assert_eq!(state.groups.rows().len(), 5);
    press(&mut state, "jj", at(start, 3));
    press(&mut state, "h", at(start, 4));
    assert_eq!(state.groups.index(), 0, "left goes to the group");
    press(&mut state, "h", at(start, 5));
    assert_eq!(state.groups.rows().len(), 2);
}

#[test]
fn a_filter_is_live_and_an_error_keeps_the_last_good_one() {
    let start = Instant::now();
    let mut state = live(THEME, (80, 24), start);
    press(&mut state, "/kind=net_connect", at(start, 1));
    assert_eq!(state.events.rows().len(), 1);
    assert_eq!(state.agents.rows().len(), 6, "says nothing about agents");
    press(&mut state, " knid=x", at(start, 2));
    let prompt = state.prompt.as_ref().unwrap();
    assert_eq!(prompt.error.as_ref().unwrap().0, 17);
    press(&mut state, "\n", at(start, 3));
    assert!(state.prompt.is_some(), "an error is not accepted");
    press(&mut state, "\x1b", at(start, 4));
    assert!(state.prompt.is_none() && state.filter.is_empty());
    press(&mut state, "/docs\n", at(start, 5));
    assert_eq!(state.agents.rows().len(), 2);
    press(&mut state, "\x1b", at(start, 6));
    assert_eq!(state.agents.rows().len(), 6);
}

#[test]
fn pasted_text_is_never_keys() {
    let start = Instant::now();
    let mut state = live(THEME, (80, 24), start);
    assert_eq!(state.apply(Msg::Paste("q\nq".to_owned()), at(start, 1)), Dirty::Clean);
    press(&mut state, "/", at(start, 1));
    state.apply(Msg::Paste("do\ncs".to_owned()), at(start, 1));
    assert_eq!(state.prompt.as_ref().unwrap().line.text(), "docs");
    assert!(state.take_effects().is_empty());
}

#[test]
fn copies_harmless_text() {
    let start = Instant::now();
    let mut state = live(THEME, (80, 24), start);
    let mut hostile = event(900);
    hostile.resource = "/tmp/a\nrm -rf ~\x1b[2J".to_owned();
    let mut news = Batch::default();
    news.event(hostile);
    state.apply(Msg::Feed(Feed::Batch(Box::new(news))), at(start, 1));
    state.prepare(at(start, 1));
    press(&mut state, "3y", at(start, 2));
    assert_eq!(state.take_effects(), [Effect::Copy("/tmp/a⏎rm -rf ~␛[2J".to_owned())]);
    press(&mut state, "2o", at(start, 3));
    press(&mut state, "y", at(start, 3));
    assert_eq!(state.take_effects(), [Effect::Copy("tyrctl --context prod agents".to_owned())]);
}

#[test]
fn deny_only_and_the_overview_leave_allowed_events_out() {
    let start = Instant::now();
    let mut state = live(THEME, (80, 24), start);
    assert_eq!(state.events.rows().len(), 1);
    press(&mut state, "3e", at(start, 1));
    assert_eq!(state.events.rows().len(), 1);
    press(&mut state, "e", at(start, 2));
    assert_eq!(state.events.rows().len(), 21);
}

#[test]
fn alerts_are_counted_opened_and_acknowledged() {
    use tyr_api::alerts::AlertState;

    let start = Instant::now();
    let mut state = live(THEME, (80, 24), start);
    assert_eq!(state.data().alerts.firing(), (2, 1));
    press(&mut state, "a", at(start, 0));
    assert_eq!(state.take_effects(), [], "no alert is selected in the overview");
    press(&mut state, "5", at(start, 1));
    let listed: Vec<_> = state.alerts.rows().iter().map(|alert| alert.rule.as_str()).collect();
    assert_eq!(listed, ["stale", "posture_fell", "deny_spike"], "what nobody knows of yet comes first");
    press(&mut state, "a", at(start, 1));
    let first = state.alerts.rows()[0].clone();
    assert_eq!(state.take_effects(), [Effect::Acknowledge(first.alert_id)]);
    let mut known = (*first).clone();
    known.acknowledged_by = Some("alice".to_owned());
    state.apply(Msg::Acknowledged(Ok(Box::new(known.clone()))), at(start, 2));
    assert_eq!(state.data().alerts.firing(), (2, 0));
    assert!(
        state
            .notice()
            .is_some_and(|notice| (&*notice.text, &*notice.about) == ("acknowledged: stale on ", "build-017"))
    );
    state.apply(Msg::Acknowledged(Err("only an admin may do this".to_owned())), at(start, 2));
    assert!(state.notice().is_some_and(|notice| notice.text.ends_with("only an admin may do this")));
    // The stream says that it is over.
    let mut news = Batch::default();
    known.state = AlertState::Resolved;
    news.alerts.insert(known.alert_id, known);
    state.apply(Msg::Feed(Feed::Batch(Box::new(news))), at(start, 3));
    state.prepare(at(start, 3));
    assert_eq!(state.data().alerts.firing(), (1, 0));
    assert_eq!(state.alerts.rows().len(), 2);
    press(&mut state, "\n", at(start, 4));
    assert!(matches!(state.pages.last(), Some(Page::Agent(page)) if page.agent == agent_id(3)));
}
