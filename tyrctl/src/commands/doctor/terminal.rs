//! What the terminal can show, by what it is called and by what it answers when it is asked.
//!
//! Only what is answered counts: names of terminals lie, and between it and us there may be tmux, screen or ssh. The last question
//! is one that every terminal answers (primary device attributes), so that the silence of the others is known without waiting.

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Read, Write};
use std::time::{Duration, Instant};

use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};

use super::Finding;
use crate::app::App;
use crate::output::screen;
use crate::tui::term;

/// Longest wait for all answers: a slow line may need that.
const ANSWERS_WITHIN: Duration = Duration::from_secs(2);
/// Most bytes of answers.
const ANSWER_BYTES_MAX: usize = 1024;
/// Takes two places; where fewer or more, columns of tables and of the dashboard stand askew.
const WIDE: char = '世';

/// In order: is a synchronised update known (DECRQM 2026), the flags of the keyboard protocol, the colour of the background, a
/// wide character and where the cursor is behind it, the line made empty again, and what the terminal is.
fn questions() -> String {
    format!("\x1b[?2026$p\x1b[?u\x1b]11;?\x1b\\\r{WIDE}\x1b[6n\r\x1b[K\x1b[c")
}

/// What is known without asking.
pub(super) fn look(app: &App) -> Finding {
    let stdout = io::stdout();
    if !stdout.is_terminal() {
        return Finding::skip("terminal", "standard output is none");
    }
    let term = std::env::var("TERM").unwrap_or_default();
    let (columns, rows) = screen::size();
    let color = match (app.color, is_set("NO_COLOR")) {
        (true, _) => match crossterm::style::available_color_count() {
            u16::MAX => "16 million colours".to_owned(),
            count => format!("{count} colours"),
        },
        (false, true) => "no colours (NO_COLOR)".to_owned(),
        (false, false) => "no colours".to_owned(),
    };
    let utf8 = term::locale_is_utf8();
    let mut found = vec![format!("{columns}x{rows}"), format!("TERM={term}"), color];
    found.push(if utf8 { "UTF-8" } else { "no UTF-8: ASCII alone is shown" }.to_owned());
    found.extend(
        [("TMUX", "tmux"), ("STY", "screen"), ("SSH_CONNECTION", "ssh")]
            .into_iter()
            .filter(|(name, _)| is_set(name))
            .map(|(_, word)| word.to_owned()),
    );
    let found = found.join(", ");
    if is_dumb() {
        return Finding::warn(
            "terminal",
            found,
            "`tyrctl top` needs a TERM that can move the cursor; `tyrctl top --once` needs none",
        );
    }
    if !utf8 {
        return Finding::warn("terminal", found, "set LANG to a UTF-8 locale, e.g. C.UTF-8");
    }
    Finding::ok("terminal", found)
}

/// What it answers.
pub(super) fn ask() -> Finding {
    if !io::stdout().is_terminal() {
        return Finding::skip("answers", "there is no terminal to ask");
    }
    if is_dumb() {
        return Finding::skip("answers", "a terminal of this TERM is not asked");
    }
    match asked() {
        Ok(bytes) => finding(&Answers::read(&bytes), term::locale_is_utf8(), is_set("TMUX")),
        Err(error) => Finding::skip("answers", format!("the terminal could not be asked: {error}")),
    }
}

fn is_set(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|value| !value.is_empty())
}

fn is_dumb() -> bool {
    std::env::var("TERM").is_ok_and(|term| term.is_empty() || term == "dumb") || std::env::var_os("TERM").is_none()
}

/// The terminal as it was, once this is dropped.
struct Quiet {
    terminal: File,
    before: Termios,
}

impl Quiet {
    /// Answers are neither shown nor waited for as lines, and reading gives up after a tenth of a second.
    fn take() -> io::Result<Self> {
        let terminal = OpenOptions::new().read(true).write(true).open("/dev/tty")?;
        let before = tcgetattr(&terminal)?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO | LocalModes::ICANON);
        quiet.special_codes[SpecialCodeIndex::VMIN] = 0;
        quiet.special_codes[SpecialCodeIndex::VTIME] = 1;
        tcsetattr(&terminal, OptionalActions::Now, &quiet)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        // What comes too late must not be typed into the shell.
        tcsetattr(&self.terminal, OptionalActions::Flush, &self.before).ok();
    }
}

/// Asks all, and gives the bytes of the answers.
fn asked() -> io::Result<Vec<u8>> {
    let mut quiet = Quiet::take()?;
    quiet.terminal.write_all(questions().as_bytes())?;
    let (begun, mut bytes, mut buffer) = (Instant::now(), Vec::new(), [0; 256]);
    while begun.elapsed() < ANSWERS_WITHIN && bytes.len() < ANSWER_BYTES_MAX && Answers::read(&bytes).device.is_none() {
        let count = quiet.terminal.read(&mut buffer)?;
        bytes.extend_from_slice(&buffer[..count]);
    }
    Ok(bytes)
}

/// What was understood of the answers.
#[derive(Debug, Default, PartialEq, Eq)]
struct Answers {
    /// Whether frames can be shown as a whole.
    synchronised: bool,
    /// Whether it speaks the keyboard protocol of kitty.
    keyboard: bool,
    /// Whether the background is dark.
    dark: Option<bool>,
    /// The column behind a wide character, from 1.
    column: Option<u16>,
    /// Its attributes; the last answer.
    device: Option<Vec<u16>>,
}

impl Answers {
    /// Finds the answers among the bytes; keys that somebody pressed meanwhile are left out.
    fn read(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let mut answers = Self::default();
        for part in text.split('\u{1b}').skip(1) {
            if let Some(colour) = part.strip_prefix("]11;rgb:") {
                answers.dark = is_dark(colour);
                continue;
            }
            let Some(control) = part.strip_prefix('[') else { continue };
            let Some(end) = control.find(|c: char| ('@'..='~').contains(&c)) else { continue };
            let (parameters, last) = (&control[..end], &control[end..=end]);
            let numbers =
                |text: &str| -> Vec<u16> { text.split(';').filter_map(|number| number.parse().ok()).collect() };
            match (parameters.strip_prefix('?'), last) {
                // 0 is "unknown", 4 is "off for ever".
                (Some(mode), "y") => {
                    answers.synchronised = matches!(numbers(mode.trim_end_matches('$'))[..], [2026, 1..=3]);
                }
                (Some(_), "u") => answers.keyboard = true,
                (Some(attributes), "c") => answers.device = Some(numbers(attributes)),
                (None, "R") => answers.column = numbers(parameters).get(1).copied(),
                _ => {}
            }
        }
        answers
    }
}

/// Whether `RRRR/GGGG/BBBB`, each of 1-4 digits, is nearer to black than to white.
fn is_dark(colour: &str) -> Option<bool> {
    let parts = colour.split('/').map(|part| {
        let digits: String = part.chars().take_while(char::is_ascii_hexdigit).take(4).collect();
        let most = 16_u32.pow(u32::try_from(digits.len()).ok()?).checked_sub(1).filter(|most| *most > 0)?;
        Some(u32::from_str_radix(&digits, 16).ok()? * 255 / most)
    });
    match parts.collect::<Option<Vec<u32>>>()?[..] {
        // As bright as the eye finds them.
        [red, green, blue] => Some((red * 299 + green * 587 + blue * 114) / 1000 < 128),
        _ => None,
    }
}

fn finding(answers: &Answers, utf8: bool, tmux: bool) -> Finding {
    let Some(device) = &answers.device else {
        let hint =
            "it does not say what it can; if `tyrctl top` flickers or stands askew, `tyrctl top --ascii` is simpler";
        return Finding { hints: vec![hint.to_owned()], ..Finding::skip("answers", "none within 2 s") };
    };
    let yes = |yes: bool| if yes { "yes" } else { "no" };
    // Attribute 52 is how a terminal says that it takes OSC 52; most take it without saying so.
    let copies = if device.contains(&52) { "yes" } else { "not said" };
    let mut found = vec![
        format!("whole frames: {}", yes(answers.synchronised)),
        format!("copying (OSC 52): {copies}"),
        format!("kitty keyboard: {}", yes(answers.keyboard)),
    ];
    found.extend(answers.dark.map(|dark| format!("background: {}", if dark { "dark" } else { "light" })));
    let wide = answers.column.map(|column| column.saturating_sub(1));
    found.extend(wide.map(|places| format!("a wide character takes {places}")));
    let found = found.join(", ");
    if utf8 && wide.is_some_and(|places| places != 2) {
        let hint =
            "columns will stand askew: is the terminal set to UTF-8, as LANG says? `tyrctl top --ascii` needs none";
        return Finding::warn("answers", found, hint);
    }
    if tmux && !device.contains(&52) {
        let hint = "copying from `tyrctl top` needs `set -g set-clipboard on` in tmux".to_owned();
        return Finding { hints: vec![hint], ..Finding::ok("answers", found) };
    }
    Finding::ok("answers", found)
}

#[cfg(test)]
mod tests {
    use super::{Answers, finding, is_dark};
    use crate::commands::doctor::State;

    const GOOD: &[u8] = b"\x1b[?2026;2$y\x1b[?0u\x1b]11;rgb:1e1e/1e1e/2e2e\x1b\\\x1b[7;3R\x1b[?62;22;52c";

    #[test]
    fn answers_are_read_in_any_order_and_among_keys() {
        let all = Answers {
            synchronised: true,
            keyboard: true,
            dark: Some(true),
            column: Some(3),
            device: Some(vec![62, 22, 52]),
        };
        assert_eq!(Answers::read(GOOD), all);
        assert_eq!(
            Answers::read(b"q\x1b[A\x1b[?2026;0$yx\x1b[?1;2c"),
            Answers { device: Some(vec![1, 2]), ..Answers::default() }
        );
        for cut in 0..GOOD.len() {
            // What is not there yet is waited for; nothing that is half there is taken for the end.
            assert_eq!(Answers::read(&GOOD[..cut]).device, None, "{cut}");
        }
        for odd in [
            &b"\x1b"[..],
            b"\x1b[",
            b"\x1b[c",
            b"\x1b]11;rgb:",
            b"\x1b]11;rgb:zz/zz/zz",
            b"\x1b[?99999999999c",
            b"\xff\x1b[\xffc",
        ] {
            Answers::read(odd);
        }
    }

    #[test]
    fn backgrounds_are_dark_or_light() {
        for (colour, dark) in
            [("0/0/0", true), ("ff/ff/ff", false), ("ffff/ffff/0000", false), ("0000/0000/ffff\x07", true)]
        {
            assert_eq!(is_dark(colour), Some(dark), "{colour}");
        }
        assert_eq!((is_dark(""), is_dark("1/2"), is_dark("//")), (None, None, None));
    }

    #[test]
    fn what_would_stand_askew_is_warned_of() {
        let good = finding(&Answers::read(GOOD), true, true);
        assert!(good.state == State::Ok && good.hints.is_empty(), "{good:?}");
        let askew = Answers { column: Some(4), ..Answers::read(GOOD) };
        assert_eq!(finding(&askew, true, false).state, State::Warn);
        assert_eq!(finding(&askew, false, false).state, State::Ok, "without UTF-8 nothing wide is shown");
        assert_eq!(finding(&Answers::default(), true, false).state, State::Skip);
    }
}
