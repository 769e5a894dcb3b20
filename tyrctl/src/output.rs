//! What is printed: rows in the format that was asked for, lines, and notes.
//!
//! Standard output carries data, standard error the talk. There is no other way to print: a closed pipe ends the program
//! quietly instead of with a panic.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::ops::Range;
use std::rc::Rc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::Value;

use crate::args::{Format, Global, TimeStyle};
use crate::error::{Failure, Kind};
use crate::output::ascii::Escape;
use crate::output::jq::Jq;
use crate::output::sanitize::sanitize;
use crate::output::value::Value as CellValue;
use crate::tui::term::locale_is_utf8;
use crate::when;

pub mod ascii;
pub mod fields;
pub mod jq;
pub mod json;
pub mod rows;
pub mod sanitize;
pub mod screen;
pub mod table;
pub mod value;

/// The two streams of this process.
pub struct Output {
    /// Form of the rows.
    pub format: Format,
    /// Whether to colour.
    pub color: bool,
    /// No notes.
    pub quiet: bool,
    /// Columns of the terminal; `None` when it goes elsewhere, where nothing is cut.
    pub width: Option<usize>,
    /// Zone of shown times.
    pub tz: TimeZone,
    /// How times are shown to people, where not each as suits it.
    pub time: Option<TimeStyle>,
    /// Whether what reads it shows ASCII alone.
    pub ascii: bool,
    /// Fields of JSON to show; empty for all.
    fields: Vec<String>,
    /// What JSON goes through before it is shown.
    jq: Option<Rc<Jq>>,
    out: RefCell<Box<dyn Write>>,
    err: RefCell<Box<dyn Write>>,
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Output").field("format", &self.format).field("width", &self.width).finish_non_exhaustive()
    }
}

impl Output {
    /// Standard output and standard error.
    ///
    /// # Errors
    /// When `--jq` or `--json` is wrong, or asked for beside a format that has no JSON.
    pub fn new(global: &Global, color: bool) -> Result<Self, Failure> {
        let stdout = io::stdout();
        let width = stdout
            .is_terminal()
            .then(|| rustix::termios::tcgetwinsize(&stdout).map_or(80, |size| usize::from(size.ws_col)))
            .filter(|&width| width > 0);
        Ok(Self {
            format: format(global)?,
            ascii: width.is_some() && !locale_is_utf8(),
            fields: global.json.clone().unwrap_or_default(),
            jq: global.jq.as_deref().map(|code| Jq::new(code, global.timeout)).transpose()?.map(Rc::new),
            color,
            quiet: global.quiet,
            width,
            tz: TimeZone::UTC,
            time: global.time,
            out: RefCell::new(Box::new(io::BufWriter::new(stdout))),
            err: RefCell::new(Box::new(io::stderr())),
        })
    }

    /// The same, but what would go to standard output is kept; with `notes` what would go to standard error too.
    pub(crate) fn captured(&self, width: Option<usize>, notes: bool) -> (Self, Captured) {
        let captured = Captured::default();
        let err: Box<dyn Write> = if notes { Box::new(captured.clone()) } else { Box::new(io::stderr()) };
        let out = Self {
            format: self.format,
            ascii: self.ascii,
            color: self.color,
            quiet: self.quiet,
            width,
            tz: self.tz.clone(),
            time: self.time,
            fields: self.fields.clone(),
            jq: self.jq.clone(),
            out: RefCell::new(Box::new(captured.clone())),
            err: RefCell::new(err),
        };
        (out, captured)
    }

    /// Writes one thing as JSON, JSON on one line, or YAML, after `--json` and `--jq` had their say.
    ///
    /// # Errors
    /// When it has no such form, the expression fails, or the stream is closed or full.
    pub fn document(&self, thing: &impl Serialize) -> Result<(), Failure> {
        if self.fields.is_empty() && self.jq.is_none() {
            return self.formatted(thing);
        }
        let mut value = serde_json::to_value(thing)
            .map_err(|error| Failure::failed("the result could not be written").because(&error))?;
        value.sort_all_objects();
        let value = if self.fields.is_empty() { value } else { fields::choose(value, &self.fields)? };
        match &self.jq {
            None => self.formatted(&value),
            Some(jq) => jq.run(&value, |result| match result {
                // As `jq -r`: scripts want the text, not its quotes. A terminal gets it harmless.
                Value::String(text) if self.width.is_some() => self.line(&text),
                Value::String(text) => self.text(&format!("{text}\n")),
                other => self.formatted(&other),
            }),
        }
    }

    fn formatted(&self, thing: &impl Serialize) -> Result<(), Failure> {
        self.text(&match self.format {
            Format::Jsonl => json::line(thing)?,
            Format::Yaml => json::yaml(thing)?,
            _ => json::pretty(thing)?,
        })
    }

    /// Writes text as it is; the caller has sanitised what people will read.
    ///
    /// # Errors
    /// When the stream is closed or full.
    pub fn text(&self, text: &str) -> Result<(), Failure> {
        let text = if self.ascii { ascii::fold(text, self.escape()) } else { text.into() };
        self.out.borrow_mut().write_all(text.as_bytes()).map_err(|error| write_failure(&error))
    }

    /// Text from anywhere, made fit for people and their terminal.
    pub fn for_people(&self, text: &str) -> String {
        let text = sanitize(text);
        if self.ascii { ascii::fold(&text, Escape::People).into_owned() } else { text.into_owned() }
    }

    fn escape(&self) -> Escape {
        match self.format {
            Format::Json | Format::Jsonl => Escape::Json,
            Format::Yaml => Escape::Yaml,
            _ => Escape::People,
        }
    }

    /// A value as `--time` has it.
    pub fn shown(&self, value: &CellValue) -> String {
        let text = match (value, self.time) {
            (CellValue::Past { at, .. }, Some(TimeStyle::Rfc3339 | TimeStyle::Local)) => when::show(*at, &self.tz),
            (CellValue::Time(at), Some(TimeStyle::Relative)) => {
                let ago = Timestamp::now().duration_since(*at);
                let span = when::short(ago.abs());
                if ago.is_negative() { format!("in {span}") } else { format!("{span} ago") }
            }
            _ => value.shown(&self.tz),
        };
        self.for_people(&text)
    }

    /// One line for people.
    ///
    /// # Errors
    /// When the stream is closed or full.
    pub fn line(&self, text: &str) -> Result<(), Failure> {
        self.text(&self.for_people(text))?;
        self.text("\n")
    }

    /// Hands over what was written so far.
    ///
    /// # Errors
    /// When the stream is closed or full.
    pub fn flush(&self) -> Result<(), Failure> {
        self.out.borrow_mut().flush().map_err(|error| write_failure(&error))
    }

    /// What to do next, for somebody at a terminal; a script has no use for it.
    pub fn advise(&self, what: &str) {
        if self.width.is_some() && matches!(self.format, Format::Table | Format::Wide) {
            self.note(&format!("hint: {what}"));
        }
    }

    /// A line of talk on standard error; nobody hearing it is no error.
    pub fn note(&self, text: &str) {
        if !self.quiet {
            let _ = writeln!(self.err.borrow_mut(), "{}", for_stderr(&sanitize(text)));
        }
    }
}

/// What an [`Output`] wrote, for those who show it themselves.
#[derive(Clone, Debug, Default)]
pub(crate) struct Captured(Rc<RefCell<Vec<u8>>>);

impl Captured {
    /// Takes it out.
    pub(crate) fn take(&self) -> String {
        String::from_utf8_lossy(&self.0.take()).into_owned()
    }
}

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// `--output`, or what `--json` and `--jq` imply.
fn format(global: &Global) -> Result<Format, Failure> {
    let (flag, formats) = match (&global.jq, &global.json) {
        (Some(_), _) => ("--jq", &[Format::Json, Format::Jsonl][..]),
        (None, Some(_)) => ("--json", &[Format::Json, Format::Jsonl, Format::Yaml][..]),
        (None, None) => return Ok(global.output.unwrap_or(Format::Table)),
    };
    match global.output {
        None => Ok(Format::Json),
        Some(format) if formats.contains(&format) => Ok(format),
        Some(_) => Err(Failure::usage(format!("`{flag}` can't be used with this `--output`"))
            .hint("leave --output out, or take `-o json` or `-o jsonl`")),
    }
}

/// What is wrong, the text, and a mark below its wrong part.
pub fn underlined(text: &str, wrong: Range<usize>, what: &str) -> String {
    use unicode_width::UnicodeWidthStr;
    let part = |range: Range<usize>| sanitize(text.get(range).unwrap_or_default()).width();
    // A line of its own for each line end would move the mark: sanitised text has none.
    let (before, width) = (part(0..wrong.start), part(wrong.clone()));
    format!("{what}\n  {}\n  {}{}", sanitize(text), " ".repeat(before), "^".repeat(width.max(1)))
}

/// Text of the program itself on standard output, e.g. help.
///
/// # Errors
/// When the stream is closed or full.
pub fn print_text(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|error| write_failure(&error))
}

/// Help that nobody asked for, on standard error.
pub fn print_help(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}

/// A failure, on standard error, however quiet. Nobody hearing it is no error.
pub fn print_failure(failure: &Failure) {
    if failure.kind != Kind::ClosedPipe {
        let _ = writeln!(io::stderr(), "{}", for_stderr(&failure.to_string()));
    }
}

fn for_stderr(text: &str) -> Cow<'_, str> {
    if io::stderr().is_terminal() && !locale_is_utf8() { ascii::fold(text, Escape::People) } else { text.into() }
}

fn write_failure(error: &io::Error) -> Failure {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Failure::new(Kind::ClosedPipe, "nobody reads the output");
    }
    Failure::failed("the output could not be written").because(error)
}

/// `did you mean …?` with the names nearest to the given one, or another hint when none is near.
pub fn nearest<'a>(given: &str, names: impl Iterator<Item = &'a str>, otherwise: &str) -> String {
    let mut near: Vec<_> = names
        .map(|name| (strsim::jaro_winkler(&given.to_lowercase(), &name.to_lowercase()), name))
        .filter(|(likeness, _)| *likeness > 0.75)
        .collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    let near: Vec<_> = near.iter().take(3).map(|(_, name)| format!("`{name}`")).collect();
    if near.is_empty() { otherwise.to_owned() } else { format!("did you mean {}?", near.join(", ")) }
}
