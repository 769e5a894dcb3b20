use std::fmt::Write;
use std::time::Instant;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::style::Color;

use crate::tui::keymap::{KeyNames, Keymap};
use crate::tui::state::feed::{Batch, Feed};
use crate::tui::state::msg::Msg;
use crate::tui::state::order::Table;
use crate::tui::state::testing::{agent, at, event, live, snapshot};
use crate::tui::state::{Access, State};
use crate::tui::term::text_of;
use crate::tui::theme::Theme;
use crate::tui::views::draw;

const UTF8: Theme = Theme { color: true, ascii: false };
const ASCII: Theme = Theme { color: false, ascii: true };
const SIZES: [(u16, u16); 3] = [(40, 10), (80, 24), (160, 48)];

fn frame(state: &State) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(state.size.0, state.size.1)).unwrap();
    terminal.draw(|frame| draw(state, frame.buffer_mut())).unwrap();
    terminal.backend().buffer().clone()
}

fn press(state: &mut State, keys: &str, start: Instant) {
    for c in keys.chars() {
        let code = match c {
            '\n' => KeyCode::Enter,
            '\t' => KeyCode::Tab,
            '\x10' => KeyCode::Char('p'),
            c => KeyCode::Char(c),
        };
        let modifiers = if c == '\x10' { KeyModifiers::CONTROL } else { KeyModifiers::NONE };
        state.apply(Msg::Key(KeyEvent::new(code, modifiers)), at(start, 0));
        state.prepare(at(start, 0));
    }
}

/// Every screen, and the keys that lead there.
const SCREENS: [(&str, &str); 18] = [
    ("overview", ""),
    ("agents", "2"),
    ("events", "3"),
    ("drift", "4\n"),
    ("alerts", "5"),
    ("log", "6"),
    ("connection", "7"),
    ("agent", "\n"),
    ("process", "\n\t\t\n"),
    ("event", "3j\n"),
    ("why", "3j\n\n"),
    ("help", "?"),
    ("palette", "\x10sort"),
    ("sort", "2s"),
    ("columns", "2c"),
    ("filter", "3/kind=exec knid=x"),
    ("ask", ":s"),
    ("marks", "2mjmz"),
];

/// What the server does not tell and the tests must not depend on.
fn live_with_access(theme: Theme, size: (u16, u16), start: Instant) -> State {
    let mut state = live(theme, size, start);
    state.access = Access {
        ca_file: Some("/etc/tyr/ca.pem".into()),
        token: "/home/alice/.config/tyr/token".to_owned(),
        token_until: Some("2026-11-23T01:02:41Z".parse().unwrap()),
        username: Some("alice".to_owned()),
        role: Some("admin".to_owned()),
    };
    state.traffic.cursor = Some("42-019a0000".to_owned());
    state
}

/// Each screen at each size, in UTF-8 and in ASCII, compared with the committed picture.
#[test]
fn screens_look_as_committed() {
    for theme in [UTF8, ASCII] {
        for size in SIZES {
            for (name, keys) in SCREENS {
                let start = Instant::now();
                let mut state = live_with_access(theme, size, start);
                press(&mut state, keys, start);
                let flavour = if theme.ascii { "ascii" } else { "utf8" };
                insta::assert_snapshot!(format!("{name}_{}x{}_{flavour}", size.0, size.1), text_of(&frame(&state)));
            }
        }
    }
}

#[test]
fn a_text_is_scrolled_from_match_to_match() {
    let start = Instant::now();
    let mut state = live_with_access(UTF8, (60, 8), start);
    press(&mut state, "3/claude\nj\n", start);
    frame(&state);
    let mut seen = Vec::new();
    for keys in ["n", "n", "N"] {
        press(&mut state, keys, start);
        seen.push(text_of(&frame(&state)));
    }
    let top = seen[0].lines().nth(1).unwrap_or_default();
    assert!(top.contains("AI process   claude-code"), "{}", seen[0]);
    assert!(seen[1].contains("node /usr/bin/claude -p") && seen[0] != seen[1], "{}", seen[1]);
    assert_eq!(seen[2], seen[0]);
}

#[test]
fn help_bar_and_titles_show_the_operators_keys() {
    let start = Instant::now();
    let mut state = live(UTF8, (160, 48), start);
    let wanted = [("filter", "F3"), ("acknowledge", "ctrl-k"), ("copy", "C")];
    let wanted = wanted.map(|(word, key)| (word.to_owned(), KeyNames::One(key.to_owned())));
    state.keys = Keymap::new(&wanted.into()).unwrap();
    press(&mut state, "5", start);
    let alerts = text_of(&frame(&state));
    assert!(alerts.contains("ctrl-k acknowledges") && alerts.contains("F3 filter"), "{alerts}");
    press(&mut state, "?", start);
    let help = text_of(&frame(&state));
    assert!(help.contains("F3            filter:") && help.contains("F3 searches"), "{help}");
    press(&mut state, "qo", start);
    assert!(text_of(&frame(&state)).contains("C copies, esc closes"));
}

/// Where there is no room for a list, the status line alone says what matters; one cell is enough to stay alive.
#[test]
fn tiny_screens_look_as_committed() {
    let mut pictures = String::new();
    for theme in [UTF8, ASCII] {
        for size in [(20, 4), (24, 4), (30, 6), (1, 1)] {
            for (name, keys) in SCREENS {
                let start = Instant::now();
                let mut state = live_with_access(theme, size, start);
                press(&mut state, keys, start);
                let flavour = if theme.ascii { "ascii" } else { "utf8" };
                writeln!(pictures, "{name} {}x{} {flavour}\n{}", size.0, size.1, text_of(&frame(&state))).unwrap();
            }
        }
    }
    insta::assert_snapshot!("tiny", pictures);
}

#[test]
fn every_column_of_the_screen_can_be_sorted_by_and_chosen() {
    fn heads<R>(columns: &[super::table::Column<R>]) -> Vec<&'static str> {
        columns.iter().map(|column| column.head).collect()
    }
    for (table, drawn) in [
        (Table::Agents, heads(super::columns::AGENTS)),
        (Table::Events, heads(super::columns::EVENTS)),
        (Table::Drift, heads(super::columns::DRIFT)),
        (Table::Alerts, heads(super::columns::ALERTS)),
        (Table::Ai, heads(super::columns::AI)),
        (Table::Log, heads(super::columns::LOG)),
    ] {
        let (mut drawn, mut known) = (drawn, table.heads().to_vec());
        drawn.sort_unstable();
        known.sort_unstable();
        assert_eq!(drawn, known, "{table:?}");
    }
}

/// Whatever names somebody or something, on every screen.
#[test]
fn privacy_hides_names_and_paths_everywhere() {
    let start = Instant::now();
    for (name, keys) in SCREENS {
        for size in SIZES {
            let mut state = live_with_access(UTF8, size, start);
            state.apply(Msg::Acknowledged(Err("no".to_owned())), at(start, 0));
            press(&mut state, keys, start);
            let shown = text_of(&frame(&state));
            state.privacy = true;
            state.prepare(at(start, 0));
            let hidden = text_of(&frame(&state));
            assert!(size.0 < 160 || shown != hidden, "{name}");
            for secret in [
                "prod",
                "tyr.example",
                "build-017",
                "review",
                "docs-",
                "triage",
                "/home",
                "/etc",
                "/usr",
                "cron",
                "sudo",
                "203.0.113.9",
                "claude -p",
                "alice",
                "kernel upgrade",
            ] {
                // The help has examples of paths.
                if !matches!((name, secret), ("help", "/etc")) {
                    assert!(!hidden.contains(secret), "{secret} is on the screen {name} at {size:?}:\n{hidden}");
                }
            }
        }
    }
}

#[test]
fn the_sorted_column_is_marked_without_colour() {
    let start = Instant::now();
    let mut state = live(ASCII, (80, 24), start);
    press(&mut state, "2:sort AGE\n", start);
    let screen = text_of(&frame(&state));
    assert!(screen.contains("AGEv") && screen.contains("sort AGEv"), "{screen}");
    press(&mut state, "S", start);
    assert!(text_of(&frame(&state)).contains("AGE^"));
}

#[test]
fn what_is_wrong_is_underlined_and_the_cursor_stays_in_sight() {
    let start = Instant::now();
    let mut state = live(UTF8, (80, 24), start);
    press(&mut state, "/kind=exec knid=x", start);
    let buffer = frame(&state);
    let underlined: String = (0..80)
        .filter(|x| buffer[(*x, 22)].modifier.contains(ratatui::style::Modifier::UNDERLINED))
        .map(|x| buffer[(x, 22)].symbol().to_owned())
        .collect();
    assert_eq!(underlined, "knid=x");
    let mut state = live(UTF8, (40, 10), start);
    press(&mut state, &format!("/{}end", "x".repeat(100)), start);
    let screen = text_of(&frame(&state));
    assert!(screen.lines().any(|line| line.trim_end().ends_with("end▏")), "{screen}");
}

#[test]
fn connection_states_look_as_committed() {
    let start = Instant::now();
    let mut pictures = String::new();
    let mut add = |what: &str, state: &State| {
        let text = text_of(&frame(state));
        let lines: Vec<_> = text.lines().collect();
        writeln!(pictures, "{what}\n{}\n{}\n", lines[0], lines[lines.len() - 2]).unwrap();
    };
    let mut fresh = State::new("prod", "https://tyr.example:7701", UTF8, at(start, 0));
    fresh.prepare(at(start, 0));
    add("connecting", &fresh);
    let mut state = live(UTF8, (80, 24), start);
    add("live", &state);
    state.prepare(at(start, 31));
    add("quiet", &state);
    let until = at(start, 48).mono;
    let cause = "TLS: unknown issuer - set --ca-file".to_owned();
    state.apply(Msg::Feed(Feed::Waiting { attempt: 4, until, cause }), at(start, 31));
    state.prepare(at(start, 45));
    add("down", &state);
    state.apply(Msg::Feed(Feed::Connecting), at(start, 48));
    state.prepare(at(start, 48));
    add("trying", &state);
    state.apply(Msg::Feed(Feed::Snapshot { snapshot: Box::new(snapshot()), resumed: true }), at(start, 49));
    state.apply(Msg::Feed(Feed::Open), at(start, 49));
    let mut batch = Batch::default();
    (600..1_412).for_each(|n| batch.event(event(n)));
    state.apply(Msg::Feed(Feed::Batch(Box::new(batch))), at(start, 49));
    state.prepare(at(start, 49));
    add("catching up", &state);
    let mut gap = Batch::default();
    gap.gap(tyr_api::stream::Gap { missed: Some(120), since: "2026-11-22T17:00:00Z".parse().unwrap() });
    gap.stats.push(crate::tui::state::testing::stats("2026-11-22T17:03:30Z".parse().unwrap(), 3));
    state.apply(Msg::Feed(Feed::Batch(Box::new(gap))), at(start, 50));
    state.prepare(at(start, 50));
    add("gap", &state);
    press(&mut state, " ", start);
    add("frozen", &state);
    state.apply(Msg::Feed(Feed::Stopped { cause: "the token has expired".to_owned(), login: true }), at(start, 60));
    state.prepare(at(start, 60));
    add("login", &state);
    insta::assert_snapshot!("connection_states", pictures);
}

#[test]
fn every_size_is_drawn_without_a_panic() {
    let start = Instant::now();
    for theme in [UTF8, ASCII] {
        for width in [1, 2, 10, 23, 24, 40, 59, 60, 99, 100, 139, 140, 300] {
            for height in [1, 3, 4, 5, 14, 15, 16, 39, 40] {
                for keys in SCREENS.iter().map(|(_, keys)| *keys).chain(["o", "z", "/kind=", "?/copy", "bz", "[", "pt"])
                {
                    let mut state = live(theme, (width, height), start);
                    press(&mut state, keys, start);
                    frame(&state);
                }
            }
        }
    }
}

#[test]
fn one_cell_is_enough_to_stay_alive() {
    let start = Instant::now();
    assert_eq!(text_of(&frame(&live(UTF8, (1, 1), start))), "\n");
    assert_eq!(text_of(&frame(&live(UTF8, (24, 3), start))).lines().next().unwrap().trim(), "● LIVE 0.0s  ▲stale 3");
}

#[test]
fn hostile_text_never_reaches_the_screen_raw() {
    let start = Instant::now();
    let hostile = "\x1b[2J\x1b]0;x\x07\r\n\t\u{9b}31m\u{202e}evil\u{200b}\u{feff}\u{e0041}e\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}";
    for theme in [UTF8, ASCII] {
        for size in SIZES {
            for keys in SCREENS.iter().map(|(_, keys)| *keys).chain(["4\nj\n", "bb", "bbb\n", "o", "\x10", "2myo"]) {
                let mut state = live(theme, size, start);
                state.context = hostile.to_owned();
                state.server = hostile.to_owned();
                let mut evil = event(900);
                for field in [&mut evil.agent_name, &mut evil.resource, &mut evil.process_exe, &mut evil.cmdline] {
                    *field = hostile.to_owned();
                }
                evil.agent_type = Some(hostile.to_owned());
                evil.rule = Some(hostile.to_owned());
                evil.policy_id = Some(hostile.to_owned());
                evil.metadata.insert(hostile.to_owned(), hostile.to_owned());
                evil.server_verdict = Some(tyr_api::events::Verdict::Deny);
                evil.drift_detected = true;
                let mut host = agent(1, hostile, 0);
                for field in [
                    &mut host.kernel,
                    &mut host.arch,
                    &mut host.agent_version,
                    &mut host.posture_reason,
                    &mut host.scope,
                ] {
                    *field = hostile.to_owned();
                }
                host.hooks = vec![hostile.to_owned()];
                host.tables_digest = hostile.to_owned();
                host.policy_error = hostile.to_owned();
                host.policy_id = Some(hostile.to_owned());
                let mut process = snapshot().discovered_agents.remove(0);
                for field in [&mut process.agent_type, &mut process.cmdline, &mut process.found_by] {
                    *field = hostile.to_owned();
                }
                let mut batch = Batch::default();
                let mut raised = snapshot().alerts.remove(0);
                for field in [&mut raised.agent_name, &mut raised.summary] {
                    *field = hostile.to_owned();
                }
                raised.note = Some(hostile.to_owned());
                raised.acknowledged_by = Some(hostile.to_owned());
                raised.details.insert("posture".to_owned(), hostile.to_owned());
                batch.alerts.insert(raised.alert_id, raised);
                batch.event(evil);
                batch.agents.insert(host.agent_id, host);
                batch.ai.insert(process.id, process);
                state.apply(Msg::Feed(Feed::Batch(Box::new(batch))), at(start, 5));
                state.prepare(at(start, 5));
                press(&mut state, keys, start);
                let until = at(start, 9).mono;
                state.apply(Msg::Feed(Feed::Waiting { attempt: 1, until, cause: hostile.to_owned() }), at(start, 6));
                state.prepare(at(start, 6));
                let buffer = frame(&state);
                for cell in buffer.content() {
                    for c in cell.symbol().chars() {
                        let acts = c.is_control()
                            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{200b}'..='\u{200f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}');
                        assert!(!acts, "{c:?} on the screen of {keys:?} at {size:?}");
                        assert!(!theme.ascii || c.is_ascii(), "{c:?} on an ASCII screen of {keys:?} at {size:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn colours_carry_state_and_are_absent_without_colour() {
    let start = Instant::now();
    let colours = |theme| {
        let buffer = frame(&live(theme, (80, 24), start));
        let of = |text: &str| {
            let all = text_of(&buffer);
            let (y, line) = all.lines().enumerate().find(|(_, line)| line.contains(text)).unwrap();
            let x = line[..line.find(text).unwrap()].chars().count();
            buffer[(u16::try_from(x).unwrap(), u16::try_from(y).unwrap())].fg
        };
        (of("LIVE"), of("STALE"))
    };
    assert_eq!(colours(UTF8), (Color::Cyan, Color::LightRed));
    assert_eq!(colours(Theme { color: false, ascii: false }), (Color::Reset, Color::Reset));
}

#[test]
fn ascii_screens_hold_nothing_else() {
    let start = Instant::now();
    for keys in SCREENS.iter().map(|(_, keys)| *keys).chain(["o", "m", "/kind="]) {
        let mut state = live(ASCII, (160, 48), start);
        press(&mut state, keys, start);
        let text = text_of(&frame(&state));
        assert!(text.is_ascii(), "{:?}", text.chars().find(|c| !c.is_ascii()));
    }
}
