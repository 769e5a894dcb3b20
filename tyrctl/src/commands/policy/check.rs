//! `policy check`: where each rule of a file is enforced, and what it costs.

use serde::Serialize;
use tyr_policy::{Diagnostic, Enforced, Rule, RuleSurvey};

use super::file::Source;
use crate::app::App;
use crate::args::{CheckPolicyArgs, Format};
use crate::commands::Outcome;
use crate::error::Failure;
use crate::output::rows::{Column, View};
use crate::output::value::{Tone, Value};

/// One rule.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    rule: String,
    line: u32,
    action: &'static str,
    verdict: &'static str,
    severity: &'static str,
    enforced: &'static str,
    /// States of the automaton over paths that it adds.
    states: usize,
    /// Blocks of addresses that no rule before it names.
    prefixes: usize,
    /// What both take in the kernel.
    bytes: usize,
    /// What its author should know.
    warnings: Vec<String>,
}

pub(crate) const RULES: View<Row> = View {
    noun: "rules",
    name: |row| row.rule.clone(),
    columns: &[
        Column::new("line", |row| Value::Count(row.line.into())),
        Column::flexible("rule", |row| Value::text(&row.rule)),
        Column::new("action", |row| Value::text(row.action)),
        Column::new("verdict", |row| Value::text(row.verdict)),
        Column::wide("severity", |row| Value::text(row.severity)),
        Column::new("enforced", enforced),
        Column::new("states", |row| Value::Count(row.states as u64)),
        Column::new("prefixes", |row| Value::Count(row.prefixes as u64)),
        Column::new("bytes", |row| Value::Bytes(row.bytes as u64)),
        Column::new("warnings", |row| match row.warnings.len() {
            0 => Value::Nothing,
            count => Value::Count(count as u64),
        }),
    ],
};

fn enforced(row: &Row) -> Value {
    let tone = match row.enforced {
        word if word == Enforced::Nowhere.as_str() => Tone::Bad,
        word if word == Enforced::Userspace.as_str() => Tone::Warn,
        _ => Tone::Good,
    };
    Value::Word(row.enforced, tone)
}

pub(super) fn run(app: &App, args: &CheckPolicyArgs) -> Result<Outcome, Failure> {
    let source = Source::read(&args.file, "policy")?;
    let (checked, survey) = source.check(|name| format!("policy `{name}` is not valid"))?;
    let warnings = checked.warnings_with(&survey);
    source.warn(&app.out, &warnings);
    let mut ends = checked.policy.rules.iter().skip(1).map(|rule| rule.line);
    let rows: Vec<Row> = checked
        .policy
        .rules
        .iter()
        .zip(&survey.rules)
        .map(|(rule, costs)| row(rule, costs, &warnings, ends.next().unwrap_or(u32::MAX)))
        .collect();
    let rules = rows.len();
    let outcome = RULES.print(&app.out, &args.list, rows, "the policy has no rules")?;
    if app.out.format == Format::Table {
        let plural = |count: usize, noun: &str| format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
        app.out.line(&format!(
            "✓ valid [{}]: {}, {}, {}; {}",
            checked.policy.name,
            plural(rules, "rule"),
            plural(warnings.len(), "warning"),
            if survey.profiles == 1 {
                "1 kind of process".to_owned()
            } else {
                format!("{} kinds of process", survey.profiles)
            },
            app.out.shown(&Value::Bytes(survey.bytes as u64))
        ))?;
    }
    Ok(if args.fail_on_warning && !warnings.is_empty() { Outcome::ConditionHolds } else { outcome })
}

/// `end` is the line in which the next rule begins.
fn row(rule: &Rule, costs: &RuleSurvey, warnings: &[Diagnostic], end: u32) -> Row {
    let own = warnings.iter().filter(|warning| (rule.line..end.max(rule.line + 1)).contains(&warning.line));
    Row {
        rule: rule.name.clone(),
        line: rule.line,
        action: rule.action.as_str(),
        verdict: rule.verdict.as_str(),
        severity: rule.severity.as_str(),
        enforced: costs.enforced.as_str(),
        states: costs.states,
        prefixes: costs.prefixes,
        bytes: costs.bytes,
        warnings: own.map(|warning| warning.message.clone()).collect(),
    }
}
