//! Which key means what for this operator: the table of [`crate::tui::input`], with what the configuration says otherwise.
//!
//! ```toml
//! [keys]
//! freeze = "F2"
//! deny-only = ["e", "ctrl-e"]
//! privacy = []
//! ```

use std::borrow::Cow;
use std::collections::BTreeMap;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use serde::{Deserialize, Serialize};

use crate::error::Failure;
use crate::output::nearest;
use crate::tui::input::{Action, BINDINGS, Binding, Key};

/// Keys of one action, as the configuration names them; none at all takes the action off the keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum KeyNames {
    /// One.
    One(String),
    /// Several, or none.
    Many(Vec<String>),
}

impl KeyNames {
    fn names(&self) -> &[String] {
        match self {
            Self::One(name) => std::slice::from_ref(name),
            Self::Many(names) => names,
        }
    }
}

/// Keys that always mean the same, so that there is always a way on and a way out.
const FIXED: [(Key, Action); 3] = [
    (Key { code: KeyCode::Esc, control: false }, Action::Back),
    (Key { code: KeyCode::Enter, control: false }, Action::Open),
    (Key { code: KeyCode::Char('c'), control: true }, Action::Quit),
];

/// Names of keys that are no characters.
const NAMED: [(&str, KeyCode); 16] = [
    ("space", KeyCode::Char(' ')),
    ("enter", KeyCode::Enter),
    ("esc", KeyCode::Esc),
    ("tab", KeyCode::Tab),
    ("shift-tab", KeyCode::BackTab),
    ("backspace", KeyCode::Backspace),
    ("delete", KeyCode::Delete),
    ("insert", KeyCode::Insert),
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("pageup", KeyCode::PageUp),
    ("pagedown", KeyCode::PageDown),
];

/// Keys of each line of the table.
#[derive(Clone, Debug)]
pub struct Keymap(Vec<Vec<Key>>);

impl Default for Keymap {
    fn default() -> Self {
        Self(BINDINGS.iter().map(|binding| binding.keys.to_vec()).collect())
    }
}

impl Keymap {
    /// The table with these actions' keys instead of their own.
    ///
    /// # Errors
    /// When there is no such action or key, or when a key would mean two things.
    pub fn new(wanted: &BTreeMap<String, KeyNames>) -> Result<Self, Failure> {
        let mut map = Self::default();
        for (word, names) in wanted {
            let Some(place) = BINDINGS.iter().position(|binding| binding.word == word) else {
                let words = BINDINGS.iter().map(|binding| binding.word);
                return Err(Failure::failed(format!("[keys] {word}: there is no such action")).hint(nearest(
                    word,
                    words,
                    "`tyrctl keys -o wide` names them all",
                )));
            };
            let keys = names.names().iter().map(|name| {
                named(name).ok_or_else(|| {
                    Failure::failed(format!("[keys] {word}: there is no key `{name}`")).hint(
                        "a character, F1 to F12, ctrl- and a letter, space, tab, shift-tab, backspace, delete, insert, up, down, \
                         left, right, home, end, pageup, pagedown",
                    )
                })
            });
            let action = BINDINGS[place].action;
            let mut keys = keys.collect::<Result<Vec<_>, _>>()?;
            for (key, _) in FIXED.iter().filter(|(_, fixed)| *fixed == action) {
                if !keys.contains(key) {
                    keys.push(*key);
                }
            }
            map.0[place] = keys;
        }
        map.check()?;
        Ok(map)
    }

    /// Refuses keys that mean two things.
    fn check(&self) -> Result<(), Failure> {
        let mut meant: Vec<(Key, &Binding)> = Vec::new();
        for (binding, keys) in BINDINGS.iter().zip(&self.0) {
            for key in keys {
                if let Some((_, action)) =
                    FIXED.iter().find(|(fixed, action)| fixed == key && *action != binding.action)
                {
                    let word = BINDINGS.iter().find(|one| one.action == *action).map_or("", |one| one.word);
                    return Err(Failure::failed(format!(
                        "[keys] {}: the key `{}` always means {word}",
                        binding.word,
                        name(*key)
                    ))
                    .hint("esc, enter and ctrl-c can't be given to other actions"));
                }
                if let Some((_, other)) = meant.iter().find(|(one, _)| one == key) {
                    let of = (other.word, binding.word, name(*key));
                    return Err(Failure::failed(format!("[keys] the key `{}` means both {} and {}", of.2, of.0, of.1))
                        .hint(format!("give one of them another key, or none: `{} = []`", of.0)));
                }
                meant.push((*key, binding));
            }
        }
        Ok(())
    }

    /// What a key means, while nothing is being typed.
    pub fn action(&self, event: &KeyEvent) -> Option<Action> {
        if event.kind == KeyEventKind::Release || event.modifiers.contains(KeyModifiers::ALT) {
            return None;
        }
        let pressed = Key { code: event.code, control: event.modifiers.contains(KeyModifiers::CONTROL) };
        BINDINGS.iter().zip(&self.0).find(|(_, keys)| keys.contains(&pressed)).map(|(binding, _)| binding.action)
    }

    /// The keys of a line of the help, as shown: those of the lines without a help of their own behind it too.
    pub fn shown(&self, binding: &'static Binding, ascii: bool) -> Cow<'static, str> {
        let from = BINDINGS.iter().position(|one| one.action == binding.action).unwrap_or(0);
        let more = BINDINGS[from + 1..].iter().take_while(|one| one.help.is_empty()).count();
        let lines = from..=from + more;
        if lines.clone().all(|line| self.0[line] == BINDINGS[line].keys) {
            return Cow::Borrowed(if ascii { binding.shown_ascii } else { binding.shown });
        }
        let keys: Vec<_> = lines.flat_map(|line| &self.0[line]).map(|key| name(*key)).collect();
        Cow::Owned(if keys.is_empty() { format!(":{}", binding.word) } else { keys.join(" ") })
    }

    /// The first key of an action, as shown; its command where it has no key.
    pub fn first(&self, action: Action) -> String {
        let line = BINDINGS.iter().position(|one| one.action == action);
        match line.map(|line| (&BINDINGS[line], self.0[line].first())) {
            Some((_, Some(key))) => name(*key),
            Some((binding, None)) => format!(":{}", binding.word),
            None => String::new(),
        }
    }
}

/// The key of that name.
fn named(text: &str) -> Option<Key> {
    let (control, rest) = match text.get(..5) {
        Some(head) if head.eq_ignore_ascii_case("ctrl-") => (true, &text[5..]),
        _ => (false, text),
    };
    let mut chars = rest.chars();
    let code = match (chars.next(), chars.next()) {
        (Some(c), None) if control => KeyCode::Char(c.to_ascii_lowercase()),
        (Some(c), None) if !c.is_control() && c != ' ' => KeyCode::Char(c),
        _ => {
            let name = rest.to_ascii_lowercase();
            let function = name.strip_prefix('f').and_then(|number| number.parse().ok());
            match function.filter(|number| (1..=12).contains(number)) {
                Some(number) => KeyCode::F(number),
                None => NAMED.iter().find(|(known, _)| *known == name)?.1,
            }
        }
    };
    Some(Key { code, control })
}

/// Its name.
fn name(key: Key) -> String {
    let code = match (NAMED.iter().find(|(_, code)| *code == key.code), key.code) {
        (Some((name, _)), _) => (*name).to_owned(),
        (None, KeyCode::Char(c)) => c.to_string(),
        (None, KeyCode::F(number)) => format!("F{number}"),
        (None, other) => format!("{other:?}"),
    };
    if key.control { format!("ctrl-{code}") } else { code }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

    use super::{KeyNames, Keymap, name, named};
    use crate::error::Failure;
    use crate::tui::input::{Action, BINDINGS, binding};

    fn map(text: &str) -> Result<Keymap, Failure> {
        let wanted: BTreeMap<String, KeyNames> = toml::from_str(text).unwrap();
        Keymap::new(&wanted)
    }

    fn press(map: &Keymap, code: KeyCode, modifiers: KeyModifiers) -> Option<Action> {
        map.action(&KeyEvent::new(code, modifiers))
    }

    #[test]
    fn each_key_of_the_table_has_a_name_that_finds_it() {
        for key in BINDINGS.iter().flat_map(|binding| binding.keys) {
            assert_eq!(named(&name(*key)), Some(*key), "{key:?}");
        }
        for nonsense in ["", "ctrl-", "F0", "F13", "shift-a", "ab", "\n", " ", "ctrl-ab"] {
            assert_eq!(named(nonsense), None, "{nonsense:?}");
        }
    }

    #[test]
    fn control_and_shift_tell_keys_apart() {
        let map = Keymap::default();
        assert_eq!(press(&map, KeyCode::Char('c'), KeyModifiers::CONTROL), Some(Action::Quit));
        assert_eq!(press(&map, KeyCode::Char('c'), KeyModifiers::NONE), Some(Action::Columns));
        assert_eq!(press(&map, KeyCode::Char('G'), KeyModifiers::SHIFT), Some(Action::Bottom));
        assert_eq!(press(&map, KeyCode::BackTab, KeyModifiers::SHIFT), Some(Action::PreviousPane));
        assert_eq!(press(&map, KeyCode::Char('q'), KeyModifiers::ALT), None);
    }

    #[test]
    fn the_operators_keys_replace_those_of_the_table() {
        let map = map("freeze = \"F2\"\ndeny-only = [\"e\", \"ctrl-E\"]\nprivacy = []\nquit = \"x\"").unwrap();
        assert_eq!(press(&map, KeyCode::F(2), KeyModifiers::NONE), Some(Action::Freeze));
        assert_eq!(press(&map, KeyCode::Char(' '), KeyModifiers::NONE), None);
        assert_eq!(press(&map, KeyCode::Char('e'), KeyModifiers::CONTROL), Some(Action::DenyOnly));
        assert_eq!(press(&map, KeyCode::Char('p'), KeyModifiers::NONE), None);
        assert_eq!(press(&map, KeyCode::Char('x'), KeyModifiers::NONE), Some(Action::Quit));
        assert_eq!(
            press(&map, KeyCode::Char('c'), KeyModifiers::CONTROL),
            Some(Action::Quit),
            "there is always a way out"
        );
        let shown = |action| map.shown(binding(action).unwrap(), false).into_owned();
        assert_eq!(
            [Action::Freeze, Action::DenyOnly, Action::Privacy, Action::Quit, Action::Move(1)].map(shown),
            ["F2", "e ctrl-e", ":privacy", "x ctrl-c Q", "↑↓ jk"]
        );
        assert_eq!((map.first(Action::Freeze), map.first(Action::Privacy)), ("F2".to_owned(), ":privacy".to_owned()));
    }

    #[test]
    fn what_is_wrong_is_named_with_a_remedy() {
        let cases = [
            ("freze = \"x\"", "[keys] freze: there is no such action", "did you mean `freeze`?"),
            ("freeze = \"spaec\"", "[keys] freeze: there is no key `spaec`", "a character"),
            ("freeze = \"e\"", "[keys] the key `e` means both deny-only and freeze", "`deny-only = []`"),
            ("freeze = \"esc\"", "[keys] freeze: the key `esc` always means back", "can't be given"),
            ("freeze = [\"x\", \"x\"]", "[keys] the key `x` means both freeze and freeze", "another key"),
        ];
        for (text, message, hint) in cases {
            let failure = map(text).unwrap_err();
            assert_eq!(failure.message, message);
            assert!(failure.hints.iter().any(|one| one.contains(hint)), "{:?}", failure.hints);
        }
        assert!(map("freeze = \"e\"\ndeny-only = []").is_ok());
    }
}
