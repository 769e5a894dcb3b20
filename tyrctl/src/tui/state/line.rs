//! A line of text that is being typed, with its cursor and what was typed before.

use crate::tui::input::Edit;

/// Longest line, in bytes: as long as a filter may be.
pub const LINE_BYTES_MAX: usize = 1_024;
/// Lines that are remembered of each kind.
pub const HISTORY_MAX: usize = 50;

/// A line of text that is being typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    text: String,
    /// Characters before the cursor.
    cursor: usize,
}

impl Line {
    /// With that text and the cursor behind it.
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { cursor: text.chars().count(), text }
    }

    /// What was typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Characters before the cursor.
    pub fn cursor(&self) -> usize {
        self.cursor
    }

    /// What stands before the cursor.
    pub fn before(&self) -> &str {
        &self.text[..self.byte(self.cursor)]
    }

    fn byte(&self, character: usize) -> usize {
        self.text.char_indices().nth(character).map_or(self.text.len(), |(byte, _)| byte)
    }

    fn remove(&mut self, from: usize, to: usize) {
        self.text.replace_range(self.byte(from)..self.byte(to), "");
        self.cursor = from;
    }

    /// Puts a word in place of the characters from `start` to the cursor.
    pub fn complete(&mut self, start: usize, word: &str) {
        let start = start.min(self.cursor);
        if self.text.len() + word.len() > LINE_BYTES_MAX {
            return;
        }
        self.remove(start, self.cursor);
        let at = self.byte(start);
        self.text.insert_str(at, word);
        self.cursor = start + word.chars().count();
    }

    /// Changes the text or moves the cursor; true if the text is another one now.
    pub fn edit(&mut self, edit: Edit) -> bool {
        let length = self.text.chars().count();
        match edit {
            Edit::Insert(c) => {
                if c.is_control() || self.text.len() + c.len_utf8() > LINE_BYTES_MAX {
                    return false;
                }
                let at = self.byte(self.cursor);
                self.text.insert(at, c);
                self.cursor += 1;
            }
            Edit::Backspace if self.cursor > 0 => self.remove(self.cursor - 1, self.cursor),
            Edit::Delete if self.cursor < length => self.remove(self.cursor, self.cursor + 1),
            Edit::DeleteWord if self.cursor > 0 => {
                let before = self.before().trim_end();
                let kept = before.rfind(char::is_whitespace).map_or(0, |space| before[..space].chars().count() + 1);
                self.remove(kept, self.cursor);
            }
            Edit::Clear if length > 0 => *self = Self::default(),
            Edit::Move(by) => {
                self.cursor = self.cursor.saturating_add_signed(by).min(length);
                return false;
            }
            Edit::Home => {
                self.cursor = 0;
                return false;
            }
            Edit::End => {
                self.cursor = length;
                return false;
            }
            _ => return false,
        }
        true
    }
}

/// What was typed before, newest last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    lines: Vec<String>,
    /// Which of them stands in the prompt, counted from the newest; with what stood there before.
    at: Option<(usize, String)>,
}

impl History {
    /// From lines of an earlier run, oldest first.
    pub fn new(lines: impl IntoIterator<Item = String>) -> Self {
        let mut history = Self::default();
        lines.into_iter().for_each(|line| history.push(&line));
        history
    }

    /// Oldest first.
    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    /// Remembers a line; the same one twice is one, and it's the newest.
    pub fn push(&mut self, line: &str) {
        self.at = None;
        let line = line.trim();
        if line.is_empty() || line.len() > LINE_BYTES_MAX {
            return;
        }
        self.lines.retain(|known| known != line);
        self.lines.push(line.to_owned());
        if self.lines.len() > HISTORY_MAX {
            self.lines.remove(0);
        }
    }

    /// Goes back to the present.
    pub fn leave(&mut self) {
        self.at = None;
    }

    /// The line before (or, `older` false, after) the one that stands in the prompt.
    pub fn turn(&mut self, older: bool, present: &str) -> Option<String> {
        let next = match (&self.at, older) {
            (None, true) => 0,
            (None, false) => return None,
            (Some((at, _)), true) => at + 1,
            (Some((0, draft)), false) => {
                let draft = draft.clone();
                self.at = None;
                return Some(draft);
            }
            (Some((at, _)), false) => at - 1,
        };
        let line = self.lines.iter().rev().nth(next)?.clone();
        let draft = self.at.take().map_or_else(|| present.to_owned(), |(_, draft)| draft);
        self.at = Some((next, draft));
        Some(line)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};

    use super::{HISTORY_MAX, History, Line};
    use crate::tui::input::Edit;

    fn typed(line: &mut Line, edits: impl IntoIterator<Item = Edit>) {
        for edit in edits {
            line.edit(edit);
        }
    }

    #[test]
    fn edits_at_the_cursor() {
        let mut line = Line::new("kind=exec rüle:x");
        typed(&mut line, [Edit::Move(-6), Edit::Backspace, Edit::Insert('|')]);
        assert_eq!((line.text(), line.cursor()), ("kind=exec|rüle:x", 10));
        typed(&mut line, [Edit::Home, Edit::Delete, Edit::Insert('K'), Edit::End, Edit::Backspace]);
        assert_eq!(line.text(), "Kind=exec|rüle:");
        typed(&mut line, [Edit::Insert(' '), Edit::Insert('a'), Edit::Insert('b'), Edit::DeleteWord]);
        assert_eq!(line.text(), "Kind=exec|rüle: ");
        line.complete(10, "rule:");
        assert_eq!((line.text(), line.cursor()), ("Kind=exec|rule:", 15));
        line.edit(Edit::Clear);
        assert_eq!(line, Line::default());
    }

    #[test]
    fn turns_through_history_and_back_to_the_draft() {
        let mut history = History::default();
        for line in ["a", "b", " a ", ""] {
            history.push(line);
        }
        assert_eq!(history.lines(), ["b", "a"]);
        assert_eq!(history.turn(false, "draft"), None);
        assert_eq!(history.turn(true, "draft").as_deref(), Some("a"));
        assert_eq!(history.turn(true, "a").as_deref(), Some("b"));
        assert_eq!(history.turn(true, "b"), None);
        assert_eq!(history.turn(false, "b").as_deref(), Some("a"));
        assert_eq!(history.turn(false, "a").as_deref(), Some("draft"));
        (0..200).for_each(|n| history.push(&n.to_string()));
        assert_eq!(history.lines().len(), HISTORY_MAX);
    }

    proptest! {
        #[test]
        fn any_edits_keep_the_cursor_within_the_text(
            text in any::<String>(),
            edits in proptest::collection::vec(prop_oneof![
                any::<char>().prop_map(Edit::Insert), Just(Edit::Backspace), Just(Edit::Delete), Just(Edit::DeleteWord),
                (-9_isize..9).prop_map(Edit::Move), Just(Edit::Home), Just(Edit::End), Just(Edit::Clear),
            ], 0..40),
            start in 0_usize..40,
        ) {
            let mut line = Line::new(text);
            for edit in edits {
                line.edit(edit);
                assert!(line.cursor() <= line.text().chars().count());
                assert!(line.text().starts_with(line.before()));
            }
            line.complete(start, "wörd");
            assert!(line.cursor() <= line.text().chars().count());
        }
    }
}
