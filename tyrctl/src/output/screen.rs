//! A picture on the terminal that is drawn over, for `--watch`: the lines of a command's output, nothing to type into.

use std::io::{self, IsTerminal, Write};

use crossterm::style::Print;
use crossterm::terminal::{
    BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
};
use crossterm::{cursor, queue};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use unicode_width::UnicodeWidthChar;

/// The terminal's other screen, taken; dropping it gives the usual one back.
#[derive(Debug)]
pub struct Screen {
    /// How the keyboard was before.
    before: Option<Termios>,
}

impl Screen {
    /// Takes the terminal.
    ///
    /// # Errors
    /// When it is gone.
    pub fn take() -> io::Result<Self> {
        let stdin = io::stdin();
        // What is typed meanwhile must not be drawn into the picture; ctrl-c and ctrl-z stay what they are.
        let before = if stdin.is_terminal() { tcgetattr(&stdin).ok() } else { None };
        if let Some(before) = &before {
            let mut silent = before.clone();
            silent.local_modes.remove(LocalModes::ECHO);
            let _ = tcsetattr(&stdin, OptionalActions::Now, &silent);
        }
        let screen = Self { before };
        let mut bytes = Vec::new();
        queue!(bytes, EnterAlternateScreen, cursor::Hide)?;
        write(&bytes)?;
        Ok(screen)
    }

    /// Draws a head and as many lines as there is room for, in one write.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn draw(&self, head: &str, text: &str) -> io::Result<()> {
        write(&frame(head, text, size())?)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let mut bytes = Vec::new();
        // Nobody is left to tell of an error.
        let _ = queue!(bytes, EndSynchronizedUpdate, LeaveAlternateScreen, cursor::Show);
        let _ = write(&bytes);
        if let Some(before) = &self.before {
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, before);
        }
    }
}

/// Columns and rows of the terminal, as they are now.
pub fn size() -> (usize, usize) {
    let size = tcgetwinsize(io::stdout()).ok().filter(|size| size.ws_col > 0 && size.ws_row > 0);
    size.map_or((80, 24), |size| (size.ws_col.into(), size.ws_row.into()))
}

/// Each line overwrites what was there, so that nothing flickers; long ones end at the edge.
fn frame(head: &str, text: &str, (columns, rows): (usize, usize)) -> io::Result<Vec<u8>> {
    let lines: Vec<&str> = text.lines().collect();
    let room = rows.saturating_sub(1);
    let (shown, more) = if lines.len() > room {
        (room.saturating_sub(1), Some(lines.len() - room.saturating_sub(1)))
    } else {
        (lines.len(), None)
    };
    let mut bytes = Vec::with_capacity(text.len() + 256);
    queue!(bytes, BeginSynchronizedUpdate, cursor::MoveTo(0, 0))?;
    queue!(bytes, Print(cut(head, columns)), Clear(ClearType::UntilNewLine))?;
    for line in &lines[..shown] {
        queue!(bytes, Print("\r\n"), Print(cut(line, columns)), Clear(ClearType::UntilNewLine))?;
    }
    if let (Some(more), true) = (more, room > 0) {
        queue!(
            bytes,
            Print("\r\n"),
            Print(cut(&format!("... {more} more lines"), columns)),
            Clear(ClearType::UntilNewLine)
        )?;
    }
    queue!(bytes, Clear(ClearType::FromCursorDown), EndSynchronizedUpdate)?;
    Ok(bytes)
}

/// What of a line has room. Its colours are ours, take no place, and are kept to the last, so that none goes on below.
fn cut(line: &str, columns: usize) -> String {
    let mut shown = String::with_capacity(line.len());
    let mut used = 0;
    let mut in_sequence = false;
    for c in line.chars() {
        if c == '\u{1b}' {
            in_sequence = true;
        }
        if in_sequence {
            shown.push(c);
            in_sequence = !c.is_ascii_alphabetic();
            continue;
        }
        used += c.width().unwrap_or_default();
        // The last place stays free: a terminal that waits there to wrap would erase it with the rest of the line.
        if used < columns.max(2) {
            shown.push(c);
        }
    }
    shown
}

fn write(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::{cut, frame};

    fn drawn(head: &str, text: &str, rows: u16) -> Vec<String> {
        let size = |n: u16| std::num::NonZero::new(n).expect("not 0");
        let mut parser = vt100::Parser::new(size(rows), size(20), 0);
        parser.process(&frame("an older head that was long", "older\nlines\nthat\nare\nmany", (20, 9)).expect("drawn"));
        parser.process(&frame(head, text, (20, usize::from(rows))).expect("drawn"));
        parser.screen().rows(0, 20).map(|row| row.trim_end().to_owned()).collect()
    }

    #[test]
    fn a_picture_leaves_nothing_of_the_one_before() {
        assert_eq!(drawn("head", "a\nb", 6), ["head", "a", "b", "", "", ""]);
        assert_eq!(drawn("", "", 3), ["", "", ""]);
    }

    #[test]
    fn what_has_no_room_is_counted() {
        assert_eq!(drawn("head", "a\nb\nc\nd", 4), ["head", "a", "b", "... 2 more lines"]);
        assert_eq!(drawn("head", "a\nb\nc\nd", 5), ["head", "a", "b", "c", "d"]);
        assert_eq!(drawn("head", "a\nb", 1), ["head"]);
        assert_eq!(drawn("head", "a\nb", 2), ["head", "... 2 more lines"]);
    }

    #[test]
    fn long_lines_end_at_the_edge() {
        assert_eq!(drawn("head", &"x".repeat(50), 3)[1..], ["x".repeat(19).as_str(), ""]);
        assert_eq!(cut("\u{1b}[31mabcdef\u{1b}[0m", 4), "\u{1b}[31mabc\u{1b}[0m");
        assert_eq!(cut("日本語", 6), "日本");
    }
}
