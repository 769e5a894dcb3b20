//! `policy diff`: what two policies say differently.

use std::collections::HashMap;
use std::path::Path;

use serde::Serialize;
use tyr_policy::{Action, Differences, Effective, Layer, Policy, Said, What, differences};

use super::file::Source;
use crate::app::App;
use crate::args::policy::version;
use crate::args::{DiffPolicyArgs, Format, ListArgs};
use crate::commands::Outcome;
use crate::error::Failure;
use crate::output::rows::{Column, View, print_record};
use crate::output::value::{Tone, Value};

/// All that differs.
#[derive(Debug, Serialize)]
struct Report {
    rules: Vec<RuleChange>,
    judged_differently: Vec<Effect>,
    /// Whether more may be judged differently: the policies are too large to be compared whole.
    incomplete: bool,
}

/// A rule, or a default, that is not the same in both.
#[derive(Debug, Serialize)]
struct RuleChange {
    change: &'static str,
    rule: String,
    action: String,
    line_before: Option<u32>,
    line_after: Option<u32>,
    /// Fields that differ, each as `field: before → after`.
    details: Vec<String>,
}

/// Actions that are judged differently.
#[derive(Debug, Serialize)]
struct Effect {
    change: &'static str,
    action: &'static str,
    before: String,
    before_rule: Option<String>,
    after: String,
    after_rule: Option<String>,
    agent_type: Option<String>,
    binary: Option<String>,
    example: String,
}

const CHANGES: View<RuleChange> = View {
    noun: "changes",
    name: |change| change.rule.clone(),
    columns: &[
        Column::new("change", |change| {
            let tone = match change.change {
                "added" => Tone::Good,
                "removed" => Tone::Bad,
                _ => Tone::Warn,
            };
            Value::Word(change.change, tone)
        }),
        Column::new("rule", |change| Value::text(&change.rule)),
        Column::new("action", |change| Value::text(&change.action)),
        Column::new("line_before", |change| Value::maybe(change.line_before, |line| Value::Count(line.into()))),
        Column::new("line_after", |change| Value::maybe(change.line_after, |line| Value::Count(line.into()))),
        Column::flexible("details", |change| Value::text(change.details.join("; "))),
    ],
};

const EFFECTS: View<Effect> = View {
    noun: "differences",
    name: |effect| effect.example.clone(),
    columns: &[
        Column::new("effect", |effect| {
            let tone = if effect.change == "newly allowed" { Tone::Warn } else { Tone::Good };
            Value::Word(effect.change, tone)
        }),
        Column::new("action", |effect| Value::text(effect.action)),
        Column::new("before", |effect| said(&effect.before, effect.before_rule.as_deref())),
        Column::new("after", |effect| said(&effect.after, effect.after_rule.as_deref())),
        Column::flexible("example", |effect| Value::text(&effect.example)),
        Column::new("processes", |effect| {
            let parts: Vec<_> =
                [effect.agent_type.as_deref(), effect.binary.as_deref()].into_iter().flatten().collect();
            if parts.is_empty() { Value::Text("all".to_owned()) } else { Value::Text(parts.join(" ")) }
        }),
    ],
};

fn said(verdict: &str, rule: Option<&str>) -> Value {
    Value::Text(format!("{verdict} by {}", rule.unwrap_or("default")))
}

pub(super) async fn run(app: &App, args: &DiffPolicyArgs) -> Result<Outcome, Failure> {
    let before = policy(app, &args.a).await?;
    let after = policy(app, &args.b).await?;
    let changes = changes(&before, &after);
    let effective = |policy: Policy| Effective::new(vec![Layer { version: 0, agent_type: None, policy }]);
    let Differences { list, incomplete } = differences(&effective(before), &effective(after));
    let effects: Vec<Effect> = list
        .into_iter()
        .map(|found| Effect {
            change: change(&found.before, &found.after),
            action: found.action.as_str(),
            before: found.before.verdict.to_string(),
            before_rule: found.before.rule,
            after: found.after.verdict.to_string(),
            after_rule: found.after.rule,
            agent_type: found.agent_type,
            binary: found.binary,
            example: found.example,
        })
        .collect();
    let report = Report { rules: changes, judged_differently: effects, incomplete };
    let differs = !report.judged_differently.is_empty();
    if matches!(app.out.format, Format::Table | Format::Wide) {
        show(app, report)?;
    } else {
        let count = |change: &str| {
            let rules = report.rules.iter().filter(|found| found.change == change).count();
            Value::Count(
                (rules + report.judged_differently.iter().filter(|found| found.change == change).count()) as u64,
            )
        };
        let fields = [
            ("added", count("added")),
            ("removed", count("removed")),
            ("changed", count("changed")),
            ("moved", count("moved")),
            ("newly_denied", count("newly denied")),
            ("newly_alerted", count("newly alerted")),
            ("newly_allowed", count("newly allowed")),
        ];
        print_record(&app.out, &fields, &report)?;
    }
    Ok(if differs && args.fail_on_difference { Outcome::ConditionHolds } else { Outcome::Done })
}

fn show(app: &App, report: Report) -> Result<(), Failure> {
    if report.rules.is_empty() {
        app.out.line("✓ the rules are the same")?;
    } else {
        CHANGES.print(&app.out, &ListArgs::default(), report.rules, "")?;
    }
    app.out.text("\n")?;
    if report.incomplete {
        app.out.note("note: the policies are too large to be compared whole: more may be judged differently");
    }
    if report.judged_differently.is_empty() {
        app.out.line("✓ nothing is judged differently")
    } else {
        EFFECTS.print(&app.out, &ListArgs::default(), report.judged_differently, "").map(drop)
    }
}

/// A version of the server, or a file.
pub(super) async fn policy(app: &App, name: &str) -> Result<Policy, Failure> {
    let source = match version(name) {
        Ok(version) if !name.contains('/') => {
            let document = app.client()?.policy(version).await?;
            Source { name: format!("version {version}"), text: document.yaml }
        }
        _ => Source::read(Path::new(name), "policy")?,
    };
    let (checked, _) = source.check(|name| format!("policy `{name}` is not valid"))?;
    Ok(checked.policy)
}

fn change(before: &Said, after: &Said) -> &'static str {
    use tyr_policy::Verdict::{Alert, Allow, Deny};
    match (before.verdict, after.verdict) {
        (_, Deny) => "newly denied",
        (_, Alert) => "newly alerted",
        (Deny | Alert | Allow, Allow) => "newly allowed",
    }
}

/// Rules by name, in the order of the second policy, then what is gone.
fn changes(before: &Policy, after: &Policy) -> Vec<RuleChange> {
    let mut changes = Vec::new();
    let earlier: HashMap<&str, usize> =
        before.rules.iter().enumerate().map(|(at, rule)| (rule.name.as_str(), at)).collect();
    let stays: Vec<usize> = after.rules.iter().filter_map(|rule| earlier.get(rule.name.as_str()).copied()).collect();
    let in_order = longest_rising(&stays);
    for rule in &after.rules {
        let Some(at) = earlier.get(rule.name.as_str()).copied() else {
            changes.push(RuleChange {
                change: "added",
                rule: rule.name.clone(),
                action: rule.action.to_string(),
                line_before: None,
                line_after: Some(rule.line),
                details: fields(rule).into_iter().map(|(name, value)| format!("{name}: {value}")).collect(),
            });
            continue;
        };
        let old = &before.rules[at];
        let details = differing(&fields(old), &fields(rule));
        if details.is_empty() && in_order.contains(&at) {
            continue;
        }
        changes.push(RuleChange {
            change: if details.is_empty() { "moved" } else { "changed" },
            rule: rule.name.clone(),
            action: rule.action.to_string(),
            line_before: Some(old.line),
            line_after: Some(rule.line),
            details,
        });
    }
    for rule in before.rules.iter().filter(|rule| !after.rules.iter().any(|own| own.name == rule.name)) {
        changes.push(RuleChange {
            change: "removed",
            rule: rule.name.clone(),
            action: rule.action.to_string(),
            line_before: Some(rule.line),
            line_after: None,
            details: fields(rule).into_iter().map(|(name, value)| format!("{name}: {value}")).collect(),
        });
    }
    for action in Action::ALL {
        let word = |policy: &Policy| policy.defaults.get(*action).map_or_else(|| "allow".to_owned(), |v| v.to_string());
        let (old, new) = (word(before), word(after));
        if old != new {
            changes.push(RuleChange {
                change: "changed",
                rule: "default".to_owned(),
                action: action.to_string(),
                line_before: None,
                line_after: None,
                details: vec![format!("verdict: {old} → {new}")],
            });
        }
    }
    changes
}

/// Everything that a rule says, in the words of the language.
fn fields(rule: &tyr_policy::Rule) -> Vec<(&'static str, String)> {
    let mut fields = vec![("verdict", rule.verdict.to_string()), ("severity", rule.severity.to_string())];
    match &rule.what {
        What::Path(glob) => fields.push(("resource_pattern", glob.to_string())),
        What::ServerName(pattern) => fields.push(("sni_pattern", pattern.as_str().to_owned())),
        What::Net(net) => {
            for (name, targets) in [("cidr_allow", &net.allow), ("cidr_deny", &net.deny)] {
                if !targets.is_empty() {
                    fields.push((name, targets.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")));
                }
            }
        }
    }
    if !rule.binaries.is_empty() {
        fields.push(("binaries", rule.binaries.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")));
    }
    if let Some(condition) = &rule.condition {
        fields.push(("condition", condition.as_str().to_owned()));
    }
    if !rule.agent_types.is_empty() {
        fields.push(("agent_types", rule.agent_types.join(" ")));
    }
    fields
}

fn differing(before: &[(&'static str, String)], after: &[(&'static str, String)]) -> Vec<String> {
    let find = |list: &[(&'static str, String)], name: &str| {
        list.iter().find(|(own, _)| *own == name).map_or_else(|| "-".to_owned(), |(_, value)| value.clone())
    };
    let mut names: Vec<&str> = before.iter().chain(after).map(|(name, _)| *name).collect();
    let mut seen = std::collections::HashSet::new();
    names.retain(|name| seen.insert(*name));
    names
        .into_iter()
        .map(|name| (name, find(before, name), find(after, name)))
        .filter(|(_, old, new)| old != new)
        .map(|(name, old, new)| format!("{name}: {old} → {new}"))
        .collect()
}

/// As many of these as stand in rising order: all others were moved.
fn longest_rising(numbers: &[usize]) -> std::collections::HashSet<usize> {
    // Patience: the smallest last number of a rising row of each length, and who came before.
    let mut ends: Vec<usize> = Vec::new();
    let mut previous = vec![None; numbers.len()];
    for (at, number) in numbers.iter().enumerate() {
        let place = ends.partition_point(|end| numbers[*end] < *number);
        previous[at] = place.checked_sub(1).map(|before| ends[before]);
        if place == ends.len() { ends.push(at) } else { ends[place] = at }
    }
    std::iter::successors(ends.last().copied(), |at| previous[*at]).map(|at| numbers[at]).collect()
}

#[cfg(test)]
mod tests {
    use super::longest_rising;

    #[test]
    fn one_rule_that_moved_is_one_that_moved() {
        let kept = |numbers: &[usize]| {
            let mut kept: Vec<_> = longest_rising(numbers).into_iter().collect();
            kept.sort_unstable();
            kept
        };
        assert_eq!(kept(&[3, 0, 1, 2]), [0, 1, 2]);
        assert_eq!(kept(&[0, 1, 2]), [0, 1, 2]);
        assert_eq!(kept(&[]), Vec::<usize>::new());
        assert_eq!(kept(&[1, 2, 3, 0, 4]), [1, 2, 3, 4]);
    }
}
