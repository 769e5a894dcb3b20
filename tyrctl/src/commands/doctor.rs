//! `tyrctl doctor`: everything that has to be right for this program to work, looked at in the order in which it is needed.
//!
//! Nothing of it is secret: the output is meant to be sent to others.

use serde::Serialize;

use super::Outcome;
use crate::app::App;
use crate::args::{DoctorArgs, Format, ListArgs};
use crate::error::Failure;
use crate::output::rows::{Column, View};
use crate::output::sanitize::sanitize;
use crate::output::table::paint;
use crate::output::value::{Tone, Value};

mod local;
mod server;
mod stream;
mod terminal;
mod tls;

/// How a thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Ok,
    Warn,
    Fail,
    Skip,
}

impl State {
    const fn word(self) -> (&'static str, Tone) {
        match self {
            Self::Ok => ("ok", Tone::Good),
            Self::Warn => ("warn", Tone::Warn),
            Self::Fail => ("fail", Tone::Bad),
            Self::Skip => ("skip", Tone::Dim),
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, Serialize)]
struct Finding {
    check: &'static str,
    state: State,
    found: String,
    hints: Vec<String>,
}

impl Finding {
    fn ok(check: &'static str, found: impl Into<String>) -> Self {
        Self { check, state: State::Ok, found: found.into(), hints: Vec::new() }
    }

    fn warn(check: &'static str, found: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { check, state: State::Warn, found: found.into(), hints: vec![hint.into()] }
    }

    fn skip(check: &'static str, why: impl Into<String>) -> Self {
        Self { check, state: State::Skip, found: why.into(), hints: Vec::new() }
    }

    /// What a failure says, with its causes on the same line.
    fn fail(check: &'static str, failure: &Failure) -> Self {
        let said: Vec<&str> = std::iter::once(&failure.message).chain(&failure.causes).map(String::as_str).collect();
        let found = said.join(": ").replace('\n', " ");
        Self { check, state: State::Fail, found, hints: failure.hints.clone() }
    }
}

const VIEW: View<Finding> = View {
    noun: "checks",
    name: |finding| finding.check.to_owned(),
    columns: &[
        Column::new("check", |finding| Value::text(finding.check)),
        Column::new("state", |finding| {
            let (word, tone) = finding.state.word();
            Value::Word(word, tone)
        }),
        Column::flexible("found", |finding| Value::text(&finding.found)),
        Column::flexible("hints", |finding| Value::text(finding.hints.join("; "))),
    ],
};

/// `doctor [--wait DURATION]`.
pub(super) async fn run(app: &App, args: &DoctorArgs) -> Result<Outcome, Failure> {
    let mut findings = local::configuration(app);
    tell(app, &findings)?;
    let mut told = findings.len();
    findings.push(local::proxies());
    findings.push(local::cache(app));
    findings.push(terminal::look(app));
    told = tell_rest(app, &findings, told)?;
    findings.push(terminal::ask());
    told = tell_rest(app, &findings, told)?;
    server::look(app, args.wait, &mut findings, |findings| {
        told = tell_rest(app, findings, told)?;
        Ok(())
    })
    .await?;
    if !matches!(app.out.format, Format::Table | Format::Wide) {
        VIEW.print(&app.out, &ListArgs::default(), findings.clone(), "")?;
    }
    let failed = findings.iter().any(|finding| finding.state == State::Fail);
    Ok(if failed { Outcome::Status(1) } else { Outcome::Done })
}

fn tell_rest(app: &App, findings: &[Finding], told: usize) -> Result<usize, Failure> {
    tell(app, &findings[told..])?;
    Ok(findings.len())
}

/// For people each line comes as soon as it is known: some of them take a while.
fn tell(app: &App, findings: &[Finding]) -> Result<(), Failure> {
    if !matches!(app.out.format, Format::Table | Format::Wide) {
        return Ok(());
    }
    for finding in findings {
        let (word, tone) = finding.state.word();
        let word = format!("{word:4}");
        let word = if app.out.color { paint(tone).colorize(&word) } else { word };
        app.out.text(&format!("{word}  {:9}  {}\n", finding.check, sanitize(&finding.found)))?;
        for hint in &finding.hints {
            app.out.text(&format!("{:17}hint: {}\n", "", sanitize(hint)))?;
        }
    }
    app.out.flush()
}
