use std::time::Instant;

use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

use super::{THEME, press};
use crate::auth::Secret;
use crate::tui::state::login::LoggedIn;
use crate::tui::state::msg::{Dirty, Effect, Msg};
use crate::tui::state::testing::{at, live, server_time};
use crate::tui::state::ui::View;
use crate::tui::state::{Access, State};

fn asked() -> Effect {
    Effect::Login { username: "bob".to_owned(), password: Secret::new("pq") }
}

fn log(state: &State) -> Vec<String> {
    state.log.newest_first().map(|line| line.text.clone()).collect()
}

#[test]
fn the_key_the_command_and_the_palette_ask_for_the_same_login() {
    let start = Instant::now();
    for way in ["L", ":login\n", "\x10log in\n"] {
        let mut state = live(THEME, (80, 24), start);
        press(&mut state, way, at(start, 1));
        assert!(state.login.is_some() && state.popup.is_none() && state.prompt.is_none(), "{way}");
        press(&mut state, "bob\npq\n", at(start, 1));
        assert_eq!(state.take_effects(), [asked()], "{way}");
    }
}

#[test]
fn a_login_renews_what_is_known_of_the_token() {
    let start = Instant::now();
    let mut state = live(THEME, (80, 24), start);
    state.access.token_until = Some(server_time(-1));
    press(&mut state, "LbXo", at(start, 1));
    let form = state.login.clone().unwrap();
    // Tab and arrows change the field, a click changes nothing behind the question.
    press(&mut state, "\t\t\x0b\x0c", at(start, 1));
    assert_eq!(state.login, Some(form));
    let click =
        MouseEvent { kind: MouseEventKind::Down(MouseButton::Left), column: 3, row: 5, modifiers: KeyModifiers::NONE };
    assert_eq!(state.apply(Msg::Mouse(click), at(start, 1)), Dirty::Clean);
    let access = Access {
        token_until: Some(server_time(3_600)),
        username: Some("bob".to_owned()),
        role: Some("viewer".to_owned()),
        ..Access::default()
    };
    let answer = Ok(Box::new(LoggedIn { said: "logged in as bob".to_owned(), access }));
    assert_eq!(state.apply(Msg::LoggedIn(answer), at(start, 2)), Dirty::Input);
    assert!(state.login.is_none());
    assert_eq!(state.access.token_until, Some(server_time(3_600)));
    assert_eq!((state.access.role.as_deref(), state.username.as_deref()), (Some("viewer"), Some("bob")));
    assert_eq!(state.take_effects(), [Effect::Retry]);
    assert_eq!((log(&state)[0].as_str(), state.view), ("logged in as bob", View::Overview));
}
