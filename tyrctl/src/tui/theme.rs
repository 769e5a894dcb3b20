//! Roles instead of colours, and glyphs with a plain twin.
//!
//! Only the sixteen colours that the user's own terminal theme defines are used. Meaning never hangs on colour alone: every
//! state has its word, and glyphs differ in shape. The warning pair is yellow and red against cyan, which stays apart
//! with the common kinds of colour blindness.

use ratatui::style::{Color, Modifier, Style};

/// What a piece of text is, so that the theme can decide how it looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Plain text.
    Normal,
    /// Heads, labels, and whatever matters less.
    Dim,
    /// Names and figures that the eye should find.
    Strong,
    /// Titles and keys.
    Accent,
    /// All is well.
    Good,
    /// Somebody should look.
    Warn,
    /// Something is wrong.
    Bad,
    /// The selected row of the list that has the focus.
    Selected,
    /// Lines around panels.
    Border,
    /// Lines around the panel that has the focus.
    Focus,
}

/// How to draw: with or without colours, with or without anything beyond ASCII.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Theme {
    /// Colours may be used. Without them bold, dim and reverse remain.
    pub color: bool,
    /// Nothing but ASCII may be used.
    pub ascii: bool,
}

/// Signs with a meaning; see [`Theme::glyph`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Glyph {
    /// Alive.
    Dot,
    /// Trying.
    Dotted,
    /// Quiet.
    Half,
    /// Cut off.
    Ring,
    /// Refused.
    Cross,
    /// Catching up.
    Filling,
    /// Needs attention; also: should have been stricter.
    Up,
    /// Was too strict.
    Down,
    /// Should have been denied and was only alerted.
    Double,
    /// A gap.
    Gap,
    /// Frozen.
    Frozen,
    /// From one verdict to the other.
    Arrow,
    /// Cut here.
    Ellipsis,
    /// Nothing to show.
    Dash,
    /// The selected row.
    Marker,
    /// Sorted downwards.
    SortDown,
    /// Sorted upwards.
    SortUp,
    /// A group that is open.
    Open,
    /// A group that is closed.
    Closed,
    /// Between items.
    Bullet,
    /// More below.
    More,
    /// Where the prompt's cursor stands.
    Caret,
}

/// Lines of a box: corners clockwise from top left, then horizontal and vertical.
#[derive(Clone, Copy, Debug)]
pub struct BoxLines {
    /// Top left, top right, bottom right, bottom left.
    pub corners: [&'static str; 4],
    /// Top and bottom.
    pub horizontal: &'static str,
    /// Left and right.
    pub vertical: &'static str,
}

impl Theme {
    /// How text of that role looks.
    pub fn style(self, role: Role) -> Style {
        let plain = Style::new();
        let fg = |color: Color| if self.color { plain.fg(color) } else { plain };
        match role {
            Role::Normal => plain,
            // Not the DIM attribute: several terminals render it unreadably.
            Role::Dim | Role::Border => fg(Color::DarkGray),
            Role::Strong => plain.add_modifier(Modifier::BOLD),
            Role::Accent | Role::Focus => fg(Color::Cyan).add_modifier(Modifier::BOLD),
            Role::Good => fg(Color::Cyan),
            Role::Warn => fg(Color::Yellow),
            Role::Bad => fg(Color::LightRed).add_modifier(Modifier::BOLD),
            Role::Selected => plain.add_modifier(Modifier::REVERSED),
        }
    }

    /// The sign, or its ASCII twin.
    pub const fn glyph(self, glyph: Glyph) -> &'static str {
        let (sign, ascii) = match glyph {
            Glyph::Dot => ("●", "*"),
            Glyph::Dotted => ("◌", "."),
            Glyph::Half => ("◐", "~"),
            Glyph::Ring => ("○", "-"),
            Glyph::Cross => ("✕", "x"),
            Glyph::Filling => ("◑", "+"),
            Glyph::Up => ("▲", "!"),
            Glyph::Down => ("▽", "v"),
            Glyph::Double => ("‼", "!!"),
            Glyph::Gap => ("⚠", "!"),
            Glyph::Frozen => ("‖", "||"),
            Glyph::Arrow => ("→", "->"),
            Glyph::Ellipsis => ("…", "~"),
            Glyph::Dash => ("–", "-"),
            Glyph::Marker | Glyph::Closed => (">", ">"),
            Glyph::SortDown | Glyph::Open => ("▼", "v"),
            Glyph::SortUp => ("▴", "^"),
            Glyph::Bullet => ("·", "-"),
            Glyph::More => ("↓", "v"),
            Glyph::Caret => ("▏", "_"),
        };
        if self.ascii { ascii } else { sign }
    }

    /// Eight levels of a bar, lowest first.
    pub const fn bars(self) -> [&'static str; 8] {
        if self.ascii {
            [".", ":", "-", "=", "+", "*", "#", "@"]
        } else {
            ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]
        }
    }

    /// Eight eighths of a horizontal bar, shortest first.
    pub const fn eighths(self) -> [&'static str; 8] {
        if self.ascii {
            ["-", "-", "-", "-", "=", "=", "=", "#"]
        } else {
            ["▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"]
        }
    }

    /// Lines of boxes.
    pub const fn lines(self) -> BoxLines {
        if self.ascii {
            BoxLines { corners: ["+", "+", "+", "+"], horizontal: "-", vertical: "|" }
        } else {
            BoxLines { corners: ["┌", "┐", "┘", "└"], horizontal: "─", vertical: "│" }
        }
    }
}
