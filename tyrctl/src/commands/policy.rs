//! `tyrctl policy`.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use serde::Serialize;
use tyr_api::policies::{Assignment, NewAssignment, NewPolicy, PolicyDocument, PolicyLayer, PolicyVersion, TargetType};
use tyr_policy::{Diagnostic, Policy};

use super::{Outcome, agents, change::may_go_on, sql};
use crate::app::App;
use crate::args::{ApplyArgs, AssignArgs, Format, ListArgs, PolicyCommand, SqlListArgs};
use crate::client::Client;
use crate::error::Failure;
use crate::output::rows::{Column, View, print_record};
use crate::output::sanitize::sanitize;
use crate::output::table::shorten;
use crate::output::value::{Tone, Value};
use crate::sql::catalog;

mod unassign;

/// Largest policy, in bytes: what the server takes.
const POLICY_BYTES_MAX: u64 = 256 * 1024;
/// Places of a source line that are shown around a problem.
const SOURCE_WIDTH: usize = 100;

pub(crate) const VERSIONS: View<PolicyVersion> = View {
    noun: "policies",
    name: |policy| policy.version.to_string(),
    columns: &[
        Column::new("version", |policy| Value::Count(policy.version.into())),
        Column::flexible("name", |policy| Value::text(&policy.name)),
        Column::new("rules", |policy| Value::Count(policy.rules.into())),
        Column::new("created_at", |policy| Value::Time(policy.created_at)),
        Column::new("created_by", |policy| Value::text(&policy.created_by)),
    ],
};

/// An assignment with the name of its target.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Assigned {
    #[serde(flatten)]
    assignment: Assignment,
    #[serde(skip)]
    target: String,
}

pub(crate) const ASSIGNMENTS: View<Assigned> = View {
    noun: "assignments",
    name: |row| row.assignment.assignment_id.to_string(),
    columns: &[
        Column::new("target_type", |row| Value::Text(row.assignment.target_type.to_string())),
        Column::flexible("target", |row| Value::text(&row.target)),
        Column::new("version", |row| Value::Count(row.assignment.version.into())),
        Column::flexible("policy", |row| Value::text(&row.assignment.policy_name)),
        Column::new("assigned_at", |row| Value::Time(row.assignment.assigned_at)),
        Column::new("assigned_by", |row| Value::text(&row.assignment.assigned_by)),
        Column::wide("target_id", |row| Value::text(&row.assignment.target_id)),
        Column::wide("assignment_id", |row| Value::Text(row.assignment.assignment_id.to_string())),
    ],
};

const LAYERS: View<PolicyLayer> = View {
    noun: "layers",
    name: |layer| layer.version.to_string(),
    columns: &[
        Column::new("version", |layer| Value::Count(layer.version.into())),
        Column::flexible("name", |layer| Value::text(&layer.name)),
        Column::new("applies_to", |layer| {
            Value::Text(layer.agent_type.clone().unwrap_or_else(|| "every AI process".to_owned()))
        }),
    ],
};

/// `policy …`.
pub(super) async fn run(app: &App, command: PolicyCommand) -> Result<Outcome, Failure> {
    match command {
        PolicyCommand::Apply(args) => apply(app, &args).await,
        PolicyCommand::List(args) if args.sql.sql => sql::print(app, &args.list, &[catalog::POLICIES.bind(app.now)]),
        PolicyCommand::List(SqlListArgs { list, .. }) => {
            let mut versions = app.client()?.policies().await?;
            versions.sort_by_key(|policy| std::cmp::Reverse(policy.version));
            let none = versions.is_empty();
            let outcome = VERSIONS.print(&app.out, &list, versions, "no policies")?;
            if none {
                app.out.advise("`tyrctl policy apply -f FILE` makes the first");
            }
            Ok(outcome)
        }
        PolicyCommand::Show { version } => show(app, version).await,
        PolicyCommand::Rollback { version, change } => {
            let client = app.client()?;
            let found = find_version(&client, version).await?;
            let what = format!("make a new version with the text of version {version} [{}]", found.name);
            if !may_go_on(app, &what, change)? {
                return Ok(Outcome::Done);
            }
            let document = client.roll_back_policy(version).await?;
            made(app, &document, &format!(", the text of version {version}"))
        }
        PolicyCommand::Assign(args) => assign(app, &args).await,
        PolicyCommand::Unassign(args) => unassign::run(app, &args).await,
        PolicyCommand::Assignments(list) => assignments(app, &list).await,
        PolicyCommand::Effective { agent } => effective(app, &agent).await,
    }
}

async fn apply(app: &App, args: &ApplyArgs) -> Result<Outcome, Failure> {
    let (name, yaml) = read(&args.file)?;
    let checked = Policy::parse(&yaml).map_err(|error| {
        let failure = Failure::failed(format!("policy `{name}` was not applied"));
        error.diagnostics.iter().fold(failure, |failure, problem| {
            let failure = failure.cause(located(&yaml, problem));
            match &problem.hint {
                Some(hint) if !failure.hints.contains(hint) => failure.hint(hint.as_str()),
                _ => failure,
            }
        })
    })?;
    for warning in &checked.warnings {
        for line in format!("warning: {}", located(&yaml, warning)).lines() {
            app.out.note(line);
        }
        if let Some(hint) = &warning.hint {
            app.out.note(&format!("hint: {hint}"));
        }
    }
    let rules = checked.policy.rules.len();
    if args.dry_run {
        app.out.line(&format!("✓ valid [{}], number of rules: {rules}; nothing was sent", checked.policy.name))?;
        return Ok(Outcome::Done);
    }
    let document = app.client()?.apply_policy(&NewPolicy { yaml }).await?;
    made(app, &document, "")
}

/// Tells of a new version.
fn made(app: &App, document: &PolicyDocument, origin: &str) -> Result<Outcome, Failure> {
    if matches!(app.out.format, Format::Table | Format::Wide) {
        app.out.line(&format!("✓ version {} [{}]{origin}", document.version.version, document.version.name))?;
        app.out.note(&format!(
            "note: in force nowhere yet; `tyrctl policy assign --version {} --all` changes that",
            document.version.version
        ));
    } else {
        let version = Value::Count(document.version.version.into());
        print_record(&app.out, &[("version", version), ("name", Value::text(&document.version.name))], document)?;
    }
    Ok(Outcome::Done)
}

/// What the file is called in messages, and its text.
fn read(file: &Path) -> Result<(String, String), Failure> {
    let (name, read) = if file == Path::new("-") {
        ("standard input".to_owned(), take(io::stdin().lock()))
    } else {
        (file.display().to_string(), fs::File::open(file).and_then(take))
    };
    let failure = || Failure::failed(format!("policy `{name}` could not be read"));
    let bytes = read.map_err(|error| failure().because(&error))?;
    if bytes.len() as u64 > POLICY_BYTES_MAX {
        return Err(failure()
            .cause(format!("it is larger than {POLICY_BYTES_MAX} bytes"))
            .hint("split it, e.g. by agent type"));
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok((name, text)),
        Err(error) => {
            let good = String::from_utf8_lossy(&error.as_bytes()[..error.utf8_error().valid_up_to()]).into_owned();
            let line = good.matches('\n').count() + 1;
            Err(failure().cause(format!("line {line} is not UTF-8")))
        }
    }
}

fn take(source: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(POLICY_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A problem with the line that it is on, and a mark below its place.
fn located(yaml: &str, problem: &Diagnostic) -> String {
    let line = (problem.line as usize).checked_sub(1).and_then(|n| yaml.lines().nth(n));
    let Some(line) = line else { return problem.to_string() };
    let before: usize = (problem.column as usize).saturating_sub(1);
    let shown: String = line.chars().map(|c| if c == '\t' { ' ' } else { c }).collect();
    let shown = sanitize(&shown);
    let mark: usize =
        shown.chars().take(before).map(|c| unicode_width::UnicodeWidthChar::width(c).unwrap_or_default()).sum();
    let number = problem.line.to_string();
    let gutter = " ".repeat(number.len());
    let source = format!("{problem}\n {number} | {}", shorten(&shown, SOURCE_WIDTH));
    // A mark beyond the cut would point at nothing.
    if mark < SOURCE_WIDTH { format!("{source}\n {gutter} | {}^", " ".repeat(mark)) } else { source }
}

async fn show(app: &App, version: u32) -> Result<Outcome, Failure> {
    let document = app.client()?.policy(version).await?;
    match app.out.format {
        Format::Table | Format::Wide if app.out.width.is_some() => {
            for line in document.yaml.lines() {
                app.out.line(line)?;
            }
        }
        // Into a file it goes as it was applied, to the byte.
        Format::Table | Format::Wide => app.out.text(&document.yaml)?,
        _ => print_record(
            &app.out,
            &[
                ("version", Value::Count(document.version.version.into())),
                ("name", Value::text(&document.version.name)),
                ("created_at", Value::Time(document.version.created_at)),
                ("created_by", Value::text(&document.version.created_by)),
                ("yaml", Value::text(&document.yaml)),
            ],
            &document,
        )?,
    }
    Ok(Outcome::Done)
}

/// That version, as listed.
async fn find_version(client: &Client, version: u32) -> Result<PolicyVersion, Failure> {
    let versions = client.policies().await?;
    if let Some(found) = versions.iter().find(|known| known.version == version) {
        return Ok(found.clone());
    }
    let nearest = versions.iter().map(|known| known.version).min_by_key(|known| known.abs_diff(version));
    let hint = match nearest {
        Some(nearest) => format!("did you mean `{nearest}`? `tyrctl policy list` lists them all"),
        None => "there is none yet: `tyrctl policy apply -f FILE` makes one".to_owned(),
    };
    Err(Failure::failed(format!("there is no policy version {version}")).hint(hint))
}

async fn assign(app: &App, args: &AssignArgs) -> Result<Outcome, Failure> {
    let client = app.client()?;
    let (target_type, target) = match args {
        AssignArgs { all: true, .. } => (TargetType::All, None),
        AssignArgs { agent: Some(name), .. } => (TargetType::Agent, Some(name)),
        AssignArgs { agent_type: Some(kind), .. } => (TargetType::AgentType, Some(kind)),
        AssignArgs { target_type, target_id, .. } => (target_type.unwrap_or(TargetType::All), target_id.as_ref()),
    };
    let (target_id, whom) = match (target_type, target) {
        (TargetType::All, None) => (String::new(), "all agents that have none of their own".to_owned()),
        (TargetType::All, Some(_)) => return Err(Failure::usage("`--target-type all` takes no --target-id")),
        (TargetType::Agent, Some(name)) => {
            let agent = agents::find(&client, name).await?;
            (agent.agent_id.to_string(), format!("agent {}", agent.name))
        }
        (TargetType::AgentType, Some(kind)) => (kind.clone(), format!("agent type {kind}")),
        (_, None) => return Err(Failure::usage("`--target-type` needs a --target-id")),
    };
    let found = find_version(&client, args.version).await?;
    let what = format!("put version {} [{}] in force for {whom}", found.version, found.name);
    if !may_go_on(app, &what, args.change)? {
        return Ok(Outcome::Done);
    }
    let assignment = client.assign_policy(&NewAssignment { version: args.version, target_type, target_id }).await?;
    if matches!(app.out.format, Format::Table | Format::Wide) {
        app.out
            .line(&format!("✓ version {} [{}] is assigned to {whom}", assignment.version, assignment.policy_name))?;
    } else {
        let id = Value::Text(assignment.assignment_id.to_string());
        print_record(
            &app.out,
            &[("assignment_id", id), ("version", Value::Count(assignment.version.into()))],
            &assignment,
        )?;
    }
    Ok(Outcome::Done)
}

async fn assignments(app: &App, list: &ListArgs) -> Result<Outcome, Failure> {
    let client = app.client()?;
    let assignments = client.assignments().await?;
    let has_agents = assignments.iter().any(|assignment| assignment.target_type == TargetType::Agent);
    let agents = if has_agents { client.agents(true).await? } else { Vec::new() };
    let rows = assignments
        .into_iter()
        .map(|assignment| {
            let named = agents.iter().find(|agent| agent.agent_id.to_string() == assignment.target_id);
            let target = named.map_or_else(|| assignment.target_id.clone(), |agent| agent.name.clone());
            Assigned { assignment, target }
        })
        .collect();
    ASSIGNMENTS.print(&app.out, list, rows, "nothing is assigned")
}

async fn effective(app: &App, name: &str) -> Result<Outcome, Failure> {
    let client = app.client()?;
    let agent = agents::find(&client, name).await?;
    let effective = client.effective_policy(agent.agent_id).await?;
    let state = match (&effective.policy_id, &effective.in_force_policy_id) {
        (None, None) => Value::Word("nothing is assigned", Tone::Dim),
        (wanted, actual) if wanted == actual => Value::Word("in force", Tone::Good),
        _ => Value::Word("not in force yet", Tone::Warn),
    };
    let fields = [
        ("agent", Value::text(&agent.name)),
        ("state", state),
        ("policy_id", Value::maybe(effective.policy_id.clone(), Value::Text)),
        ("in_force_policy_id", Value::maybe(effective.in_force_policy_id.clone(), Value::Text)),
    ];
    print_record(&app.out, &fields, &effective)?;
    if matches!(app.out.format, Format::Table | Format::Wide) && !effective.layers.is_empty() {
        app.out.text("\n")?;
        LAYERS.print(&app.out, &ListArgs::default(), effective.layers, "")?;
    }
    Ok(Outcome::Done)
}

#[cfg(test)]
mod tests {
    use tyr_policy::Diagnostic;

    use super::located;

    #[test]
    fn marks_the_place_of_a_problem() {
        let problem = Diagnostic { line: 2, column: 5, message: "unknown field `acton`".to_owned(), hint: None };
        insta::assert_snapshot!(located("rules:\n  - acton: exec\n", &problem), @"
        line 2, column 5: unknown field `acton`
         2 |   - acton: exec
           |     ^
        ");
    }

    #[test]
    fn places_outside_of_the_text_are_no_problem() {
        for (line, column) in [(0, 0), (9, 9), (1, 400)] {
            let problem = Diagnostic { line, column, message: "odd".to_owned(), hint: None };
            assert!(located("one line only\n", &problem).contains("odd"));
        }
    }
}
