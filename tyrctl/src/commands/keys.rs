//! `tyrctl keys`: the keys of the dashboard, from the table that it reads them by.

use std::borrow::Cow;

use serde::Serialize;

use super::Outcome;
use crate::app::App;
use crate::args::KeysArgs;
use crate::error::Failure;
use crate::output::rows::{Column, View};
use crate::output::value::Value;
use crate::tui::input::BINDINGS;
use crate::tui::keymap::Keymap;

/// One line of the table.
#[derive(Debug, Serialize)]
pub(crate) struct Key {
    keys: Cow<'static, str>,
    action: &'static str,
    word: &'static str,
}

pub(crate) const VIEW: View<Key> = View {
    noun: "keys",
    name: |key| key.word.to_owned(),
    columns: &[
        Column::new("keys", |key| Value::text(&*key.keys)),
        Column::flexible("action", |key| Value::text(key.action)),
        Column::wide("word", |key| Value::text(key.word)),
    ],
};

/// `keys [--markdown]`.
pub(super) fn run(app: &App, args: &KeysArgs) -> Result<Outcome, Failure> {
    if args.markdown {
        app.out.text(&markdown())?;
        return Ok(Outcome::Done);
    }
    let map = Keymap::new(&app.config.keys)?;
    let keys = BINDINGS
        .iter()
        .filter(|binding| !binding.help.is_empty())
        .map(|binding| Key { keys: map.shown(binding, app.out.ascii), action: binding.help, word: binding.word })
        .collect();
    VIEW.print(&app.out, &args.list, keys, "no keys")
}

/// The table for documents.
pub fn markdown() -> String {
    let mut text = "| keys | action |\n|---|---|\n".to_owned();
    for binding in BINDINGS.iter().filter(|binding| !binding.help.is_empty()) {
        text.extend(["| `", binding.shown, "` | ", &binding.help.replace('|', "\\|"), " |\n"]);
    }
    text
}
