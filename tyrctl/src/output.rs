//! What is printed: rows in the format that was asked for, lines, and notes.
//!
//! Standard output carries data, standard error the talk. There is no other way to print: a closed pipe ends the program
//! quietly instead of with a panic.

use std::cell::RefCell;
use std::fmt;
use std::io::{self, IsTerminal, Write};

use jiff::tz::TimeZone;

use crate::args::{Format, Global};
use crate::error::{Failure, Kind};
use crate::output::sanitize::sanitize;

pub mod json;
pub mod rows;
pub mod sanitize;
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
    pub fn new(global: &Global, color: bool) -> Self {
        let stdout = io::stdout();
        let width = stdout
            .is_terminal()
            .then(|| rustix::termios::tcgetwinsize(&stdout).map_or(80, |size| usize::from(size.ws_col)))
            .filter(|&width| width > 0);
        Self {
            format: global.output,
            color,
            quiet: global.quiet,
            width,
            tz: TimeZone::UTC,
            out: RefCell::new(Box::new(io::BufWriter::new(stdout))),
            err: RefCell::new(Box::new(io::stderr())),
        }
    }

    /// Writes text as it is; the caller has sanitised what people will read.
    ///
    /// # Errors
    /// When the stream is closed or full.
    pub fn text(&self, text: &str) -> Result<(), Failure> {
        self.out.borrow_mut().write_all(text.as_bytes()).map_err(|error| write_failure(&error))
    }

    /// One line for people.
    ///
    /// # Errors
    /// When the stream is closed or full.
    pub fn line(&self, text: &str) -> Result<(), Failure> {
        self.text(&sanitize(text))?;
        self.text("\n")
    }

    /// Hands over what was written so far.
    ///
    /// # Errors
    /// When the stream is closed or full.
    pub fn flush(&self) -> Result<(), Failure> {
        self.out.borrow_mut().flush().map_err(|error| write_failure(&error))
    }

    /// A line of talk on standard error; nobody hearing it is no error.
    pub fn note(&self, text: &str) {
        if !self.quiet {
            let _ = writeln!(self.err.borrow_mut(), "{}", sanitize(text));
        }
    }
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
        let _ = writeln!(io::stderr(), "{failure}");
    }
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
