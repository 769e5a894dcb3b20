//! Keys and what they mean: one table feeds the keys themselves, the bar at the bottom and the help.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use crate::tui::state::ui::View;

/// What the operator wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Show all keys.
    Help,
    /// Leave.
    Quit,
    /// Leave, and leave the last screen in the scrollback.
    QuitKeep,
    /// One step back.
    Back,
    /// Go to a view.
    Go(View),
    /// Next list, then next view.
    NextPane,
    /// The other way round.
    PreviousPane,
    /// Move the selection by rows.
    Move(isize),
    /// Move the selection by screens.
    Page(isize),
    /// Open or close what is selected, or go left and right.
    Left,
    /// See [`Action::Left`].
    Right,
    /// To the newest or first row, and stay there.
    Top,
    /// To the last row.
    Bottom,
    /// Open what is selected.
    Open,
    /// Type a filter.
    Filter,
    /// Hold the picture, or go on.
    Freeze,
    /// Sort by the next column.
    Sort,
    /// Sort the other way round.
    Reverse,
    /// Follow the newest.
    Follow,
    /// Only denied and alerted events, or all.
    DenyOnly,
    /// Copy the selected row's name or resource.
    Copy,
    /// Copy the selected row as JSON.
    CopyJson,
    /// Say that the selected alert is known.
    Acknowledge,
    /// Connect now.
    Retry,
    /// Log in again.
    Login,
    /// Give the focused list the whole screen, or take it back.
    Zoom,
    /// Show the command that prints the same.
    Command,
    /// Suspend.
    Suspend,
    /// Draw everything anew.
    Redraw,
}

/// A key of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    code: KeyCode,
    control: bool,
}

const fn key(code: KeyCode) -> Key {
    Key { code, control: false }
}

const fn chr(c: char) -> Key {
    Key { code: KeyCode::Char(c), control: false }
}

const fn ctrl(c: char) -> Key {
    Key { code: KeyCode::Char(c), control: true }
}

/// One line of the table.
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    /// Keys that mean it.
    pub keys: &'static [Key],
    /// What they mean.
    pub action: Action,
    /// The keys as shown.
    pub shown: &'static str,
    /// The keys as shown where only ASCII can be.
    pub shown_ascii: &'static str,
    /// A word for the bar; empty for what the bar leaves out.
    pub label: &'static str,
    /// A line for the help; empty where the line before covers it.
    pub help: &'static str,
}

macro_rules! bindings {
    ($([$($key:expr),+] $action:expr, $shown:literal $(/ $ascii:literal)?, $label:literal, $help:literal;)+) => {
        /// All keys, in the order of the help; the bar takes those with a label, as many as fit.
        pub const BINDINGS: &[Binding] = &[$(Binding {
            keys: &[$($key),+],
            action: $action,
            shown: $shown,
            shown_ascii: bindings!(@ascii $shown $($ascii)?),
            label: $label,
            help: $help,
        }),+];
    };
    (@ascii $shown:literal) => { $shown };
    (@ascii $shown:literal $ascii:literal) => { $ascii };
}

bindings! {
    [key(KeyCode::Down), chr('j')] Action::Move(1), "↑↓ jk" / "jk", "move", "move the selection";
    [key(KeyCode::Up), chr('k')] Action::Move(-1), "", "", "";
    [key(KeyCode::Enter)] Action::Open, "⏎" / "enter", "open", "open: agent, event, group";
    [key(KeyCode::Esc)] Action::Back, "esc", "", "one step back: box, page, zoom, filter";
    [key(KeyCode::Tab)] Action::NextPane, "tab", "pane", "next list, then next view (shift-tab: back)";
    [key(KeyCode::BackTab)] Action::PreviousPane, "", "", "";
    [chr('1')] Action::Go(View::Overview), "1-5", "view", "Overview, Agents, Events, Drift, Alerts";
    [chr('2')] Action::Go(View::Agents), "", "", "";
    [chr('3')] Action::Go(View::Events), "", "", "";
    [chr('4')] Action::Go(View::Drift), "", "", "";
    [chr('5')] Action::Go(View::Alerts), "", "", "";
    [chr('/')] Action::Filter, "/", "filter", "filter: words, field=value, and or not ( )";
    [chr(' ')] Action::Freeze, "space", "freeze", "freeze the picture; events are still taken in";
    [chr('f')] Action::Follow, "f", "follow", "follow the newest row, or stay with this one";
    [chr('e')] Action::DenyOnly, "e", "deny only", "only denied and alerted events, or all";
    [chr('s')] Action::Sort, "s", "sort", "sort agents by the next column";
    [chr('S')] Action::Reverse, "S", "", "sort the other way round";
    [chr('z')] Action::Zoom, "z", "zoom", "the focused list alone, or all again";
    [chr('y')] Action::Copy, "y", "copy", "copy name or resource to the terminal's clipboard (OSC 52)";
    [chr('Y')] Action::CopyJson, "Y", "", "copy the row as JSON";
    [chr('o')] Action::Command, "o", "", "the tyrctl command that prints the same";
    [chr('a')] Action::Acknowledge, "a", "", "acknowledge the selected alert (admins)";
    [chr('r')] Action::Retry, "r", "", "connect again now";
    [chr('L')] Action::Login, "L", "", "log in again without leaving";
    [chr('g'), key(KeyCode::Home)] Action::Top, "g G", "", "first row (and follow), last row";
    [chr('G'), key(KeyCode::End)] Action::Bottom, "", "", "";
    [key(KeyCode::PageDown), ctrl('d'), ctrl('f')] Action::Page(1), "PgUp PgDn", "", "a screen up or down (ctrl-u, ctrl-d)";
    [key(KeyCode::PageUp), ctrl('u'), ctrl('b')] Action::Page(-1), "", "", "";
    [key(KeyCode::Right), chr('l')] Action::Right, "←→ hl" / "hl", "", "open or close a group";
    [key(KeyCode::Left), chr('h')] Action::Left, "", "", "";
    [ctrl('l')] Action::Redraw, "ctrl-l", "", "draw everything anew";
    [ctrl('z')] Action::Suspend, "ctrl-z", "", "suspend (fg brings it back)";
    [chr('?'), key(KeyCode::F(1))] Action::Help, "?", "help", "this help";
    [chr('q'), ctrl('c')] Action::Quit, "q", "quit", "quit (Q leaves the last screen in the scrollback)";
    [chr('Q')] Action::QuitKeep, "", "", "";
}

/// What a key means, while no prompt is open.
pub fn action(event: &KeyEvent) -> Option<Action> {
    if event.kind == KeyEventKind::Release || event.modifiers.contains(KeyModifiers::ALT) {
        return None;
    }
    let pressed = Key { code: event.code, control: event.modifiers.contains(KeyModifiers::CONTROL) };
    BINDINGS.iter().find(|binding| binding.keys.contains(&pressed)).map(|binding| binding.action)
}

/// An edit of the prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edit {
    /// Add a character.
    Insert(char),
    /// Take the last one away.
    Backspace,
    /// Take the last word away.
    DeleteWord,
    /// Take all away.
    Clear,
    /// Keep what was typed.
    Accept,
    /// Go back to what was before.
    Cancel,
}

/// What a key means, while a prompt is open.
pub fn edit(event: &KeyEvent) -> Option<Edit> {
    if event.kind == KeyEventKind::Release {
        return None;
    }
    let control = event.modifiers.contains(KeyModifiers::CONTROL);
    Some(match event.code {
        KeyCode::Enter => Edit::Accept,
        KeyCode::Esc => Edit::Cancel,
        KeyCode::Backspace if !control => Edit::Backspace,
        KeyCode::Backspace => Edit::DeleteWord,
        KeyCode::Char('c' | 'g') if control => Edit::Cancel,
        KeyCode::Char('u') if control => Edit::Clear,
        KeyCode::Char('w') if control => Edit::DeleteWord,
        KeyCode::Char('h') if control => Edit::Backspace,
        KeyCode::Char(c) if !control => Edit::Insert(c),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

    use super::{Action, BINDINGS, action};

    #[test]
    fn no_key_means_two_things() {
        let all: Vec<_> = BINDINGS.iter().flat_map(|binding| binding.keys).collect();
        for (n, key) in all.iter().enumerate() {
            assert!(!all[..n].contains(key), "{key:?} stands twice in the table");
        }
    }

    #[test]
    fn control_and_shift_tell_keys_apart() {
        let press = |code, modifiers| action(&KeyEvent::new(code, modifiers));
        assert_eq!(press(KeyCode::Char('c'), KeyModifiers::CONTROL), Some(Action::Quit));
        assert_eq!(press(KeyCode::Char('c'), KeyModifiers::NONE), None);
        assert_eq!(press(KeyCode::Char('G'), KeyModifiers::SHIFT), Some(Action::Bottom));
        assert_eq!(press(KeyCode::BackTab, KeyModifiers::SHIFT), Some(Action::PreviousPane));
    }
}
