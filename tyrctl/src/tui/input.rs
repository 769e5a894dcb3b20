//! Actions and the keys that they usually have: one table feeds the keys themselves (see [`crate::tui::keymap`]), the bar at the bottom,
//! the help, the palette and the words of `:`.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use crate::tui::state::ui::View;

/// What the operator wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Show all keys.
    Help,
    /// Look for an action by its words.
    Palette,
    /// Type a command.
    Ask,
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
    /// Hold the picture and look at it that many seconds earlier or later.
    Step(i64),
    /// Choose what the list is sorted by.
    Sort,
    /// Sort by the next column to the right, or to the left.
    SortBeside(isize),
    /// Sort the other way round.
    Reverse,
    /// Choose the list's columns.
    Columns,
    /// To the next row or line that the filter looks for, or the one before.
    Match(isize),
    /// Group drift by the next thing.
    GroupBy,
    /// Follow the newest.
    Follow,
    /// Only denied and alerted events, or all.
    DenyOnly,
    /// Mark the selected row, or take its mark away.
    Mark,
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
    /// A longer or shorter stretch of time in the charts.
    Window(isize),
    /// Show times in the next form.
    TimeFormat,
    /// Hide names and paths, or show them.
    Privacy,
    /// Show the command that prints the same.
    Command,
    /// Show the SQL that answers the same.
    Sql,
    /// Suspend.
    Suspend,
    /// Draw everything anew.
    Redraw,
}

/// A key of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// Which.
    pub code: KeyCode,
    /// Whether control is held down.
    pub control: bool,
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

/// Parts of the help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// Where to look.
    Go,
    /// What to list, and how.
    List,
    /// When.
    Time,
    /// What to do with a row.
    Row,
    /// The program itself.
    Program,
}

impl Section {
    /// Its heading.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Go => "Go",
            Self::List => "Lists",
            Self::Time => "Time",
            Self::Row => "Rows",
            Self::Program => "Program",
        }
    }
}

/// One line of the table.
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    /// Part of the help that it stands in.
    pub section: Section,
    /// Keys that mean it.
    pub keys: &'static [Key],
    /// What they mean.
    pub action: Action,
    /// The action's word after `:`, and in the palette.
    pub word: &'static str,
    /// The keys as shown.
    pub shown: &'static str,
    /// The keys as shown where only ASCII can be.
    pub shown_ascii: &'static str,
    /// A line for help and palette; empty where the line before covers it.
    pub help: &'static str,
}

macro_rules! bindings {
    ($($section:ident { $([$($key:expr),+] $action:expr, $word:literal, $shown:literal $(/ $ascii:literal)?, $help:literal;)+ })+) => {
        /// All keys, in the order of the help.
        pub const BINDINGS: &[Binding] = &[$($(Binding {
            section: Section::$section,
            keys: &[$($key),+],
            action: $action,
            word: $word,
            shown: $shown,
            shown_ascii: bindings!(@ascii $shown $($ascii)?),
            help: $help,
        }),+),+];
    };
    (@ascii $shown:literal) => { $shown };
    (@ascii $shown:literal $ascii:literal) => { $ascii };
}

bindings! {
    Go {
        [key(KeyCode::Down), chr('j')] Action::Move(1), "down", "↑↓ jk" / "jk", "move the selection";
        [key(KeyCode::Up), chr('k')] Action::Move(-1), "up", "", "";
        [key(KeyCode::PageDown), ctrl('d'), ctrl('f')] Action::Page(1), "page-down", "PgUp PgDn", "a screen up or down (ctrl-u, ctrl-d)";
        [key(KeyCode::PageUp), ctrl('u'), ctrl('b')] Action::Page(-1), "page-up", "", "";
        [chr('g'), key(KeyCode::Home)] Action::Top, "top", "g G", "first row (and follow), last row";
        [chr('G'), key(KeyCode::End)] Action::Bottom, "bottom", "", "";
        [key(KeyCode::Enter)] Action::Open, "open", "⏎" / "enter", "open: agent, AI process, event, why; a group; double click";
        [key(KeyCode::Right), chr('l')] Action::Right, "unfold", "←→ hl" / "hl", "open or close a group";
        [key(KeyCode::Left), chr('h')] Action::Left, "fold", "", "";
        [key(KeyCode::Esc)] Action::Back, "back", "esc", "one step back: prompt, box, zoom, page, marks, freeze, filter, view";
        [key(KeyCode::Tab)] Action::NextPane, "next", "tab", "next list, then next view (shift-tab: back)";
        [key(KeyCode::BackTab)] Action::PreviousPane, "previous", "", "";
        [chr('1')] Action::Go(View::Overview), "overview", "1", "everything at a glance";
        [chr('2')] Action::Go(View::Agents), "agents", "2", "all agents, those that need attention first";
        [chr('3')] Action::Go(View::Events), "events", "3", "the live tail of events";
        [chr('4')] Action::Go(View::Drift), "drift", "4", "where agent and server disagree, grouped";
        [chr('5')] Action::Go(View::Alerts), "alerts", "5", "alerts that are pending or firing";
        [chr('6')] Action::Go(View::Log), "log", "6", "what this program did: connections, gaps, errors, copies";
        [chr('7')] Action::Go(View::Connection), "connection", "7", "server, stream, lag, and how long the token lasts";
    }
    List {
        [chr('/')] Action::Filter, "filter", "/", "filter: words, field=value, and or not ( )";
        [chr('n')] Action::Match(1), "match", "n N", "next match of the filter: a row, or a line of a text; or the one before";
        [chr('N')] Action::Match(-1), "match-before", "", "";
        [chr('e')] Action::DenyOnly, "deny-only", "e", "only denied and alerted events, or all";
        [chr('s')] Action::Sort, "sort", "s", "choose what the list is sorted by (or click on a head)";
        [chr('>')] Action::SortBeside(1), "sort-right", "< >", "sort by the column to the left or right";
        [chr('<')] Action::SortBeside(-1), "sort-left", "", "";
        [chr('S')] Action::Reverse, "reverse", "S", "sort the other way round";
        [chr('c')] Action::Columns, "columns", "c", "choose the list's columns";
        [chr('b')] Action::GroupBy, "group", "b", "group drift by agent, kind, resource, rule, reason";
        [chr('z')] Action::Zoom, "zoom", "z", "the focused list alone, or all again";
    }
    Time {
        [chr(' ')] Action::Freeze, "freeze", "space", "freeze the picture; events are still taken in";
        [chr('[')] Action::Step(-1), "earlier", "[ ]", "a second earlier or later, through what is held here";
        [chr(']')] Action::Step(1), "later", "", "";
        [chr('{')] Action::Step(-60), "minute-earlier", "{ }", "a minute earlier or later";
        [chr('}')] Action::Step(60), "minute-later", "", "";
        [chr('f')] Action::Follow, "follow", "f", "follow the newest row, or stay with this one";
        [chr('-')] Action::Window(-1), "narrower", "- +", "a shorter or longer stretch of time in the charts, 1 min to 1 h";
        [chr('+'), chr('=')] Action::Window(1), "wider", "", "";
        [chr('t')] Action::TimeFormat, "time-format", "t", "times in UTC, in your zone, as ages, or to the millisecond";
    }
    Row {
        [chr('m')] Action::Mark, "mark", "m", "mark the row; y and Y then copy all marked ones";
        [chr('y')] Action::Copy, "copy", "y", "copy name or resource to the terminal's clipboard (OSC 52)";
        [chr('Y')] Action::CopyJson, "copy-json", "Y", "copy the row as JSON";
        [chr('o')] Action::Command, "command", "o", "the tyrctl command that prints the same";
        [chr('O')] Action::Sql, "sql", "O", "the SQL that answers the same, ready for psql";
        [chr('a')] Action::Acknowledge, "acknowledge", "a", "acknowledge the selected alert (admins)";
        [chr('p')] Action::Privacy, "privacy", "p", "hide names and paths, for a picture of the screen";
    }
    Program {
        [chr(':')] Action::Ask, "ask", ":", "a command, e.g. :agents stale, :drift since 2h, :sort AGE, :q";
        [ctrl('p')] Action::Palette, "palette", "ctrl-p", "look for any action, column, theme or agent by its name";
        [chr('r')] Action::Retry, "reconnect", "r", "connect again now";
        [chr('L')] Action::Login, "login", "L", "log in again without leaving";
        [ctrl('l')] Action::Redraw, "redraw", "ctrl-l", "draw everything anew";
        [ctrl('z')] Action::Suspend, "suspend", "ctrl-z", "suspend (fg brings it back)";
        [chr('?'), key(KeyCode::F(1))] Action::Help, "help", "?", "this help; / searches in it";
        [chr('q'), ctrl('c')] Action::Quit, "quit", "q", "quit (Q leaves the last screen in the scrollback)";
        [chr('Q')] Action::QuitKeep, "quit-keep", "", "";
    }
}

/// What the bar at the bottom shows, most needed first; the last two always.
pub const BAR: &[(Action, &str)] = &[
    (Action::Move(1), "move"),
    (Action::Open, "open"),
    (Action::Filter, "filter"),
    (Action::Ask, "command"),
    (Action::Sort, "sort"),
    (Action::Freeze, "freeze"),
    (Action::NextPane, "pane"),
    (Action::Palette, "palette"),
    (Action::Step(-1), "time"),
    (Action::DenyOnly, "deny only"),
    (Action::Follow, "follow"),
    (Action::Columns, "columns"),
    (Action::Zoom, "zoom"),
    (Action::Copy, "copy"),
    (Action::Help, "help"),
    (Action::Quit, "quit"),
];

/// The line of the table for an action.
pub fn binding(action: Action) -> Option<&'static Binding> {
    BINDINGS.iter().find(|binding| binding.action == action)
}

/// An edit of a line that is being typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edit {
    /// Add a character.
    Insert(char),
    /// Take the character before the cursor away.
    Backspace,
    /// Take the character at the cursor away.
    Delete,
    /// Take the word before the cursor away.
    DeleteWord,
    /// Take all away.
    Clear,
    /// Move the cursor by characters.
    Move(isize),
    /// To the beginning.
    Home,
    /// To the end.
    End,
    /// What was typed before, or the item above.
    Previous,
    /// The other way round.
    Next,
    /// A screen of items further.
    Page(isize),
    /// Complete the word, then the next one that fits.
    Complete,
    /// The one before.
    CompleteBack,
    /// Keep what was typed.
    Accept,
    /// Go back to what was before.
    Cancel,
}

/// What a key means, while a line is being typed.
pub fn edit(event: &KeyEvent) -> Option<Edit> {
    if event.kind == KeyEventKind::Release || event.modifiers.contains(KeyModifiers::ALT) {
        return None;
    }
    let control = event.modifiers.contains(KeyModifiers::CONTROL);
    Some(match event.code {
        KeyCode::Enter => Edit::Accept,
        KeyCode::Esc => Edit::Cancel,
        KeyCode::Tab => Edit::Complete,
        KeyCode::BackTab => Edit::CompleteBack,
        KeyCode::Up => Edit::Previous,
        KeyCode::Down => Edit::Next,
        KeyCode::PageUp => Edit::Page(-1),
        KeyCode::PageDown => Edit::Page(1),
        KeyCode::Left => Edit::Move(-1),
        KeyCode::Right => Edit::Move(1),
        KeyCode::Home => Edit::Home,
        KeyCode::End => Edit::End,
        KeyCode::Delete => Edit::Delete,
        KeyCode::Backspace if !control => Edit::Backspace,
        KeyCode::Backspace => Edit::DeleteWord,
        KeyCode::Char(c) if control => match c {
            'c' | 'g' => Edit::Cancel,
            'u' => Edit::Clear,
            'w' => Edit::DeleteWord,
            'h' => Edit::Backspace,
            'd' => Edit::Delete,
            'a' => Edit::Home,
            'e' => Edit::End,
            'b' => Edit::Move(-1),
            'f' => Edit::Move(1),
            'p' => Edit::Previous,
            'n' => Edit::Next,
            _ => return None,
        },
        KeyCode::Char(c) => Edit::Insert(c),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::{BAR, BINDINGS, binding};

    #[test]
    fn no_key_and_no_word_means_two_things() {
        let keys: Vec<_> = BINDINGS.iter().flat_map(|binding| binding.keys).collect();
        for (n, key) in keys.iter().enumerate() {
            assert!(!keys[..n].contains(key), "{key:?} stands twice in the table");
        }
        let words: Vec<_> = BINDINGS.iter().map(|binding| binding.word).collect();
        for (n, word) in words.iter().enumerate() {
            assert!(!words[..n].contains(word), "{word} stands twice in the table");
        }
    }

    #[test]
    fn the_bar_shows_keys_of_the_table_and_ascii_stays_ascii() {
        for (action, label) in BAR {
            let binding = binding(*action).unwrap_or_else(|| panic!("{label} has no key"));
            assert!(!binding.shown.is_empty(), "{label} shows no key");
        }
        for binding in BINDINGS {
            assert!(binding.shown_ascii.is_ascii() && binding.help.is_ascii(), "{}", binding.word);
        }
    }
}
