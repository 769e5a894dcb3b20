//! `policy test`: cases that a policy should judge as they say.

use serde::Serialize;
use tyr_policy::{Act, Case, CaseFile, Effective, Judgement, Layer, Protocol, Resource};

use super::file::Source;
use crate::app::App;
use crate::args::{Format, TestPolicyArgs};
use crate::commands::Outcome;
use crate::error::Failure;
use crate::output::rows::{Column, View};
use crate::output::value::{Tone, Value};

/// One case and what came of it.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    line: u32,
    passed: bool,
    act: &'static str,
    to: String,
    agent_type: Option<String>,
    binary: Option<String>,
    expected: String,
    expected_rule: Option<String>,
    expected_severity: Option<&'static str>,
    got: String,
    /// The rule that decided.
    rule: Option<String>,
    /// Its line in the policy.
    rule_line: Option<u32>,
    severity: &'static str,
    note: Option<String>,
}

pub(crate) const VERDICTS: View<Row> = View {
    noun: "cases",
    name: |row| row.line.to_string(),
    columns: &[
        Column::new("case", |row| Value::Text(format!("line {}", row.line))),
        Column::new("result", |row| {
            if row.passed { Value::Word("as expected", Tone::Good) } else { Value::Word("FAILED", Tone::Bad) }
        }),
        Column::new("act", |row| Value::text(row.act)),
        Column::flexible("to", |row| Value::text(&row.to)),
        Column::new("expected", |row| said(&row.expected, row.expected_rule.as_deref(), row.expected_severity)),
        Column::new("got", |row| {
            let severity = row.expected_severity.map(|_| row.severity);
            said(&row.got, row.rule.as_deref(), severity)
        }),
        Column::new("rule_line", |row| Value::maybe(row.rule_line, |line| Value::Count(line.into()))),
        Column::wide("agent_type", |row| Value::maybe(row.agent_type.clone(), Value::text)),
        Column::wide("binary", |row| Value::maybe(row.binary.clone(), Value::text)),
        Column::wide_flexible("note", |row| Value::maybe(row.note.clone(), Value::text)),
    ],
};

/// `deny by no-ssh-keys`, `allow by default`.
fn said(verdict: &str, rule: Option<&str>, severity: Option<&str>) -> Value {
    let severity = severity.map(|severity| format!(" ({severity})")).unwrap_or_default();
    Value::Text(format!("{verdict}{severity} by {}", rule.unwrap_or("default")))
}

pub(super) fn run(app: &App, args: &TestPolicyArgs) -> Result<Outcome, Failure> {
    let source = Source::read(&args.file, "policy")?;
    let (checked, _) = source.check(|name| format!("policy `{name}` is not valid"))?;
    let cases = Source::read(&args.cases, "file of cases")?;
    let file = CaseFile::parse(&cases.text)
        .map_err(|error| cases.failure(format!("`{}` is no file of cases", cases.name), &error))?;
    let effective = Effective::new(vec![Layer { version: 1, agent_type: None, policy: checked.policy }]);
    let judged: Vec<Row> = file.cases.iter().map(|case| row(&effective, case)).collect();
    let (count, failed) = (judged.len(), judged.iter().filter(|row| !row.passed).count());
    let rows: Vec<Row> = judged.into_iter().filter(|row| args.all || !row.passed).collect();
    let people = app.out.format == Format::Table;
    // A table of nothing but its head says less than the line below.
    let outcome = if people && rows.is_empty() {
        Outcome::Done
    } else {
        VERDICTS.print(&app.out, &args.list, rows, "all cases are as expected")?
    };
    if people {
        app.out.line(&match failed {
            0 => format!("✓ as expected: {count} of {count} cases"),
            failed => format!("✗ {failed} of {count} cases failed"),
        })?;
    }
    if failed > 0 {
        return Err(Failure::failed(format!("{failed} of {count} cases of `{}` failed", cases.name)));
    }
    Ok(outcome)
}

fn row(effective: &Effective, case: &Case) -> Row {
    let act = case.act(effective);
    let judgement: Judgement<'_> = case.judged_by(effective);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Row {
        line: case.line,
        passed: case.is_met_by(&judgement),
        act: case.action.as_str(),
        to: to(&act),
        agent_type: case.agent_type.clone(),
        binary: (!case.binary.is_empty()).then(|| text(&case.binary)),
        expected: case.verdict.to_string(),
        expected_rule: case.rule.clone(),
        expected_severity: case.severity.map(tyr_policy::Severity::as_str),
        got: judgement.verdict.to_string(),
        rule: judgement.rule.map(str::to_owned),
        rule_line: judgement.index.and_then(|index| effective.rule(index)).map(|found| found.rule.line),
        severity: judgement.severity.as_str(),
        note: case.note.clone(),
    }
}

fn to(act: &Act<'_>) -> String {
    match act.resource {
        Resource::Path { path, truncated } => {
            format!("{}{}", String::from_utf8_lossy(path), if truncated { " (truncated)" } else { "" })
        }
        Resource::Net { addr, port, protocol } => {
            let udp = if protocol == Protocol::Udp { "/udp" } else { "" };
            format!("{}{udp}", std::net::SocketAddr::new(addr, port))
        }
        Resource::Socket => "a socket".to_owned(),
        Resource::ServerName(name) => name.to_owned(),
    }
}
