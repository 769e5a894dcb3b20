//! The SQL behind commands, ready for psql.
//!
//! The texts are the server's own (`server/src/db/sql`, where its checked queries read them): what is printed here is what
//! answers there. Three things differ, none of which changes a row: `$1` and the like are values; the conditions of
//! parameters that are not given (`$1::uuid IS NULL OR …`), which hold for every row, are left out; and so are the marks
//! that tell the server's checker of types whether a column may be absent (`"events!"`).

use std::fmt::Write;

use jiff::{SignedDuration, Timestamp, Unit};
use uuid::Uuid;

use crate::output::sanitize::{acts, sanitize};

pub mod catalog;

/// A statement that the server runs, or one that the manual of the product has.
#[derive(Debug)]
pub struct Statement {
    /// What `tyrctl sql show` calls it.
    pub name: &'static str,
    /// The rows of docs/operations.md that it answers, e.g. `M4, M5`.
    pub documented: Option<&'static str>,
    /// The command that it is behind.
    pub command: &'static str,
    /// What it answers.
    pub answers: &'static str,
    /// The text, `$1` for the first parameter.
    pub text: &'static str,
    /// The parameters, in order.
    pub params: &'static [Param],
}

/// A parameter of a statement.
#[derive(Debug)]
pub struct Param {
    /// What it is called in the command's flags.
    pub name: &'static str,
    /// What holds unless told.
    pub default: Fallback,
}

/// What holds for a parameter that is not given.
#[derive(Clone, Copy, Debug)]
pub enum Fallback {
    /// No condition, no limit.
    Nothing,
    /// No.
    No,
    /// The moment of the question.
    Now,
    /// So many hours before that.
    HoursAgo(i64),
    /// A number of rows.
    Rows(u64),
    /// A word.
    Word(&'static str),
    /// One of several words.
    Words(&'static [&'static str]),
}

/// A value for a parameter.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// No condition, no limit.
    Nothing,
    /// Yes or no.
    Flag(bool),
    /// A number.
    Number(u64),
    /// An instant.
    At(Timestamp),
    /// The moment when the statement is run.
    Now,
    /// After all instants.
    Never,
    /// Text.
    Text(String),
    /// One of several words.
    Words(Vec<String>),
    /// An id.
    Id(Uuid),
    /// An agent, by name or id.
    Agent(String),
    /// One of several agents.
    Agents(Vec<String>),
}

/// A statement with its values.
#[derive(Clone, Debug)]
pub struct Bound {
    statement: &'static Statement,
    values: Vec<Value>,
}

impl Statement {
    /// The rows of docs/operations.md that it answers.
    pub fn numbers(&self) -> impl Iterator<Item = &'static str> {
        self.documented.into_iter().flat_map(|numbers| numbers.split(", "))
    }

    /// With the values that hold unless told.
    pub fn bind(&'static self, now: Timestamp) -> Bound {
        let values = self.params.iter().map(|param| match param.default {
            Fallback::Nothing => Value::Nothing,
            Fallback::No => Value::Flag(false),
            Fallback::Now => Value::Now,
            Fallback::HoursAgo(hours) => Value::At(now.checked_sub(SignedDuration::from_hours(hours)).unwrap_or(now)),
            Fallback::Rows(rows) => Value::Number(rows),
            Fallback::Word(word) => Value::Text(word.to_owned()),
            Fallback::Words(words) => Value::Words(words.iter().map(|&word| word.to_owned()).collect()),
        });
        Bound { statement: self, values: values.collect() }
    }
}

impl Bound {
    /// With that value for a parameter.
    ///
    /// # Panics
    /// When the statement has no parameter of that name.
    #[must_use]
    pub fn with(mut self, name: &str, value: Value) -> Self {
        let place = self.statement.params.iter().position(|param| param.name == name);
        self.values[place.expect("a parameter of the statement")] = value;
        self
    }

    /// The same where there is a value.
    ///
    /// # Panics
    /// When the statement has no parameter of that name.
    #[must_use]
    pub fn with_some(self, name: &str, value: Option<Value>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// The statement for psql, below a comment that says what it answers and with which values.
    pub fn page(&self, command: &str) -> String {
        let mut page = format!("-- {}\n", sanitize(command));
        for (number, (param, value)) in self.statement.params.iter().zip(&self.values).enumerate() {
            if *value != Value::Nothing {
                let (number, value) = (number + 1, value.literal());
                writeln!(page, "-- ${number} {}: {}", param.name, sanitize(&value)).expect("writing to a String");
            }
        }
        page.push_str(self.text().trim_end());
        if !page.ends_with(';') {
            page.push(';');
        }
        page.push('\n');
        page
    }

    /// The statement with its values.
    fn text(&self) -> String {
        let mut text = String::with_capacity(self.statement.text.len());
        for piece in Pieces(self.statement.text) {
            match piece {
                // A quoted name, perhaps with a mark or a type for the checker.
                Piece::Name(name) => match name.find(['!', '?', ':']) {
                    Some(end) => text.push_str(&name[1..end]),
                    None => text.push_str(name),
                },
                Piece::Param(number) => write!(text, "${number}").expect("writing to a String"),
                Piece::Other(other) => text.push_str(other),
            }
        }
        for (number, value) in self.values.iter().enumerate() {
            text = without_condition(&text, number + 1, *value == Value::Nothing);
        }
        let mut bound = String::with_capacity(text.len());
        for piece in Pieces(&text) {
            match piece {
                Piece::Param(number) => match self.values.get(number - 1) {
                    Some(value) => bound.push_str(&value.literal()),
                    None => write!(bound, "${number}").expect("writing to a String"),
                },
                Piece::Name(other) | Piece::Other(other) => bound.push_str(other),
            }
        }
        bound.replace("\n LIMIT NULL", "").replace("\n         LIMIT NULL", "")
    }
}

/// Takes `$n::type IS NULL OR` out of the conditions of a parameter: the whole condition when it `is_absent`, as it holds for
/// every row then, else what it has no part in.
fn without_condition(text: &str, number: usize, is_absent: bool) -> String {
    const BETWEEN: &str = " IS NULL";
    let mut text = text.to_owned();
    let open = format!("(${number}::");
    while let Some(start) = text.find(&open) {
        let kind = start + open.len();
        let length = text[kind..].find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '[' | ']'))).unwrap_or(0);
        let Some(rest) = text[kind + length..].strip_prefix(BETWEEN) else { break };
        let condition = rest.trim_start().strip_prefix("OR").map(str::trim_start);
        let Some(condition) = condition else { break };
        if is_absent {
            let Some(end) = closing(&text[start..]) else { break };
            let (before, after) = (text[..start].trim_end(), &text[start + end + 1..]);
            text = match (before.strip_suffix("AND"), after.trim_start().strip_prefix("AND")) {
                (Some(before), _) => format!("{}{after}", before.trim_end()),
                // The first condition: the next takes its place.
                (None, Some(next)) => format!("{before} {}", next.trim_start()),
                (None, None) => format!("{}{after}", before.strip_suffix("WHERE").unwrap_or(before).trim_end()),
            };
        } else {
            text = format!("{}({condition}", &text[..start]);
        }
    }
    text
}

/// Where the parenthesis closes that the text begins with.
fn closing(text: &str) -> Option<usize> {
    let (mut depth, mut at) = (0_usize, 0);
    for piece in Pieces(text) {
        let (Piece::Name(piece) | Piece::Other(piece)) = piece else {
            at = next_boundary(text, at);
            continue;
        };
        match piece {
            "(" => depth += 1,
            ")" if depth == 1 => return Some(at),
            ")" => depth -= 1,
            _ => {}
        }
        at += piece.len();
    }
    None
}

/// Behind the `$n` at that place.
fn next_boundary(text: &str, at: usize) -> usize {
    let digits = text[at + 1..].bytes().take_while(u8::is_ascii_digit).count();
    at + 1 + digits
}

/// Parts of a statement: what is quoted or a comment holds no parameter and no parenthesis.
struct Pieces<'t>(&'t str);

enum Piece<'t> {
    /// `"…"`, with its quotes.
    Name(&'t str),
    /// `$n`.
    Param(usize),
    /// A quoted text, a comment, or one character.
    Other(&'t str),
}

impl<'t> Iterator for Pieces<'t> {
    type Item = Piece<'t>;

    fn next(&mut self) -> Option<Piece<'t>> {
        let text = self.0;
        let first = text.chars().next()?;
        let up_to = |end: char| text[1..].find(end).map_or(text.len(), |length| length + 2);
        let (length, number) = match first {
            '"' | '\'' => (up_to(first), None),
            '-' if text.starts_with("--") => (text.find('\n').unwrap_or(text.len()), None),
            '$' => {
                let length = next_boundary(text, 0);
                (length, text[1..length].parse::<usize>().ok().filter(|number| *number > 0))
            }
            other => (other.len_utf8(), None),
        };
        let (piece, rest) = text.split_at(length);
        self.0 = rest;
        Some(match number {
            Some(number) => Piece::Param(number),
            None if first == '"' => Piece::Name(piece),
            None => Piece::Other(piece),
        })
    }
}

impl Value {
    /// As a literal of SQL, whatever it holds.
    fn literal(&self) -> String {
        match self {
            Self::Nothing => "NULL".to_owned(),
            Self::Flag(yes) => yes.to_string(),
            Self::Number(number) => number.to_string(),
            // PostgreSQL's instants are whole microseconds, and the server cuts what is finer.
            Self::At(at) => format!("timestamptz '{}'", floor(*at)),
            Self::Now => "now()".to_owned(),
            Self::Never => "timestamptz 'infinity'".to_owned(),
            Self::Text(text) => quoted(text),
            Self::Words(words) => array(words.iter().map(|word| quoted(word))),
            Self::Id(id) => format!("uuid '{id}'"),
            Self::Agent(name) => agent(name),
            Self::Agents(names) => array(names.iter().map(|name| agent(name))),
        }
    }
}

fn floor(at: Timestamp) -> Timestamp {
    at.round(jiff::TimestampRound::new().smallest(Unit::Microsecond).mode(jiff::RoundMode::Floor)).unwrap_or(at)
}

fn array(items: impl Iterator<Item = String>) -> String {
    format!("ARRAY[{}]", items.collect::<Vec<_>>().join(", "))
}

/// A text in quotes. What would act on a terminal is escaped.
fn quoted(text: &str) -> String {
    let doubled = text.replace('\'', "''");
    if !text.chars().any(acts) {
        // With standard_conforming_strings, the default since 9.1, a backslash is nothing special.
        return format!("'{doubled}'");
    }
    let escaped: String = doubled
        .chars()
        .map(|c| match c {
            '\\' => "\\\\".to_owned(),
            c if acts(c) => format!("\\U{:08X}", u32::from(c)),
            c => c.to_string(),
        })
        .collect();
    format!("E'{escaped}'")
}

/// An agent's id, looked up where only its name is known; nobody's where there is none of that name.
fn agent(name: &str) -> String {
    match Uuid::parse_str(name) {
        Ok(id) => format!("uuid '{id}'"),
        Err(_) => format!(
            "coalesce((SELECT agent_id FROM agents WHERE name = {} ORDER BY archived_at NULLS FIRST LIMIT 1), uuid '{}')",
            quoted(name),
            Uuid::nil()
        ),
    }
}

#[cfg(test)]
mod tests;
