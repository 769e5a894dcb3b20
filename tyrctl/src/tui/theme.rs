//! Roles instead of colours, and glyphs with a plain twin.
//!
//! Meaning never hangs on colour alone: every state has its word, and glyphs differ in shape. The default uses only the sixteen
//! colours that the user's own terminal defines. In each palette good, warning and bad stay apart with the common kinds of
//! colour blindness; a test simulates these.

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
    /// The part of what is typed that is wrong.
    Wrong,
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
    /// A marked row; also: a column that is shown.
    Check,
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

/// Which colours the roles have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Palette {
    /// The terminal's own colours, on any background.
    #[default]
    Default,
    /// Fixed colours for dark backgrounds.
    Dark,
    /// Fixed colours for light backgrounds.
    Light,
    /// Nothing faint: bright colours on black.
    HighContrast,
    /// No colours; bold, underlined and reversed text.
    Mono,
}

impl Palette {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Default, Self::Dark, Self::Light, Self::HighContrast, Self::Mono];

    /// As after `--theme`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Dark => "dark",
            Self::Light => "light",
            Self::HighContrast => "high-contrast",
            Self::Mono => "mono",
        }
    }

    /// The palette of that name.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|palette| palette.word() == word)
    }

    /// Colours of what is faint, stands out, is good, needs a look, is bad. 256-colour indices, as tmux and ssh carry them.
    const fn colors(self) -> Option<[Color; 5]> {
        match self {
            Self::Default => Some([Color::DarkGray, Color::Cyan, Color::Cyan, Color::Yellow, Color::LightRed]),
            Self::Dark => Some([
                Color::Indexed(245),
                Color::Indexed(75),
                Color::Indexed(75),
                Color::Indexed(221),
                Color::Indexed(204),
            ]),
            Self::Light => Some([
                Color::Indexed(241),
                Color::Indexed(25),
                Color::Indexed(25),
                Color::Indexed(130),
                Color::Indexed(125),
            ]),
            Self::HighContrast => Some([
                Color::Indexed(252),
                Color::Indexed(51),
                Color::Indexed(51),
                Color::Indexed(226),
                Color::Indexed(213),
            ]),
            Self::Mono => None,
        }
    }

    /// How text of that role looks, with or without colours.
    pub fn style(self, color: bool, role: Role) -> Style {
        let plain = Style::new();
        let colors = self.colors().filter(|_| color);
        let fg = |place: usize| colors.map_or(plain, |colors| plain.fg(colors[place]));
        match role {
            Role::Normal => plain,
            // Not the DIM attribute: several terminals render it unreadably.
            Role::Dim | Role::Border => fg(0),
            Role::Strong => plain.add_modifier(Modifier::BOLD),
            Role::Accent | Role::Focus => fg(1).add_modifier(Modifier::BOLD),
            Role::Good => fg(2),
            Role::Warn => fg(3),
            Role::Bad => fg(4).add_modifier(Modifier::BOLD),
            Role::Selected => plain.add_modifier(Modifier::REVERSED),
            Role::Wrong => fg(4).add_modifier(Modifier::BOLD | Modifier::UNDERLINED),
        }
    }
}

impl Theme {
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
            Glyph::Check => ("✓", "+"),
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

#[cfg(test)]
mod tests {
    use ratatui::style::Color;

    use super::{Palette, Role};

    type Linear = [f64; 3];

    /// Linear red, green and blue of a colour, as xterm shows it.
    fn linear(color: Color) -> Linear {
        let index = match color {
            Color::DarkGray => return [0x7f, 0x7f, 0x7f].map(channel),
            Color::Cyan => return [0x00, 0xcd, 0xcd].map(channel),
            Color::Yellow => return [0xcd, 0xcd, 0x00].map(channel),
            Color::LightRed => return [0xff, 0x00, 0x00].map(channel),
            Color::Indexed(index) => index,
            other => panic!("{other:?} is in no palette"),
        };
        if index >= 232 {
            return [8 + 10 * (index - 232); 3].map(channel);
        }
        let steps = [0, 95, 135, 175, 215, 255];
        let n = usize::from(index - 16);
        [steps[n / 36], steps[n / 6 % 6], steps[n % 6]].map(channel)
    }

    fn channel(value: u8) -> f64 {
        let share = f64::from(value) / 255.0;
        if share <= 0.040_45 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
    }

    fn luminance([r, g, b]: Linear) -> f64 {
        0.2126 * r + 0.7152 * g + 0.0722 * b
    }

    /// Contrast by WCAG 2.
    fn contrast(a: Linear, b: Linear) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    /// How that colour looks without one kind of cones: Vienot, Brettel and Mollon, 1999.
    fn seen(kind: &str, [r, g, b]: Linear) -> Linear {
        match kind {
            "protan" => {
                let one = 0.112_38 * r + 0.887_62 * g;
                [one, one, 0.004_01 * (r - g) + b]
            }
            "deutan" => {
                let one = 0.292_75 * r + 0.707_25 * g;
                [one, one, -0.022_34 * (r - g) + b]
            }
            _ => [r, g, b],
        }
    }

    /// Distance in Oklab, times a hundred: 2 is just seen side by side.
    fn distance(one: Linear, other: Linear) -> f64 {
        type Matrix = [[f64; 3]; 3];
        const TO_CONES: Matrix =
            [[0.412_22, 0.536_33, 0.051_45], [0.211_90, 0.680_70, 0.107_40], [0.088_30, 0.281_72, 0.629_98]];
        const TO_LAB: Matrix =
            [[0.210_45, 0.793_62, -0.004_07], [1.978_00, -2.428_59, 0.450_59], [0.025_90, 0.782_77, -0.808_68]];
        let times = |matrix: Matrix, vector: Linear| matrix.map(|row| row.iter().zip(vector).map(|(x, y)| x * y).sum());
        let lab = |color| times(TO_LAB, times(TO_CONES, color).map(|cone: f64| cone.max(0.0).cbrt()));
        lab(one).iter().zip(lab(other)).map(|(x, y): (&f64, f64)| (x - y).powi(2)).sum::<f64>().sqrt() * 100.0
    }

    #[test]
    fn good_warning_and_bad_stay_apart_for_the_colour_blind() {
        for palette in [Palette::Default, Palette::Dark, Palette::Light, Palette::HighContrast] {
            let color = |role| linear(palette.style(true, role).fg.unwrap());
            for kind in ["all cones", "protan", "deutan"] {
                let [good, warn, bad] = [Role::Good, Role::Warn, Role::Bad].map(|role| seen(kind, color(role)));
                for (a, b, which) in [(good, warn, "good, warn"), (good, bad, "good, bad"), (warn, bad, "warn, bad")] {
                    let apart = distance(a, b);
                    assert!(apart > 10.0, "{palette:?}, {kind}: {which} are {apart:.1} apart");
                }
            }
        }
    }

    #[test]
    fn fixed_colours_can_be_read_on_their_background() {
        let (black, white) = ([0.0; 3], [1.0; 3]);
        for (palette, background, least) in
            [(Palette::Dark, black, 4.5), (Palette::Light, white, 4.5), (Palette::HighContrast, black, 7.0)]
        {
            for role in [Role::Dim, Role::Accent, Role::Good, Role::Warn, Role::Bad, Role::Wrong] {
                let contrast = contrast(linear(palette.style(true, role).fg.unwrap()), background);
                assert!(contrast >= least, "{palette:?} {role:?}: {contrast:.1}");
            }
        }
    }

    #[test]
    fn without_colours_no_palette_has_any() {
        for palette in Palette::ALL {
            for role in [Role::Dim, Role::Accent, Role::Good, Role::Warn, Role::Bad, Role::Wrong, Role::Selected] {
                assert_eq!(palette.style(false, role).fg, None);
            }
            assert_eq!(Palette::named(palette.word()), Some(palette));
        }
        assert_eq!(Palette::Mono.style(true, Role::Bad).fg, None);
    }
}
