//! `tyrctl policy`.

use serde::Serialize;
use tyr_api::policies::{Assignment, NewAssignment, NewPolicy, PolicyDocument, PolicyLayer, PolicyVersion, TargetType};

use super::{Outcome, agents, change::may_go_on, sql};
use crate::app::App;
use crate::args::{ApplyArgs, AssignArgs, Format, ListArgs, PolicyCommand, SqlListArgs};
use crate::client::Client;
use crate::error::Failure;
use crate::output::rows::{Column, View, print_record};
use crate::output::value::{Tone, Value};
use crate::sql::catalog;

use file::Source;

mod check;
mod diff;
mod file;
mod simulate;
mod status;
mod test;
mod unassign;

pub(crate) use check::RULES;
pub(crate) use simulate::CHANGES;
pub(super) use simulate::judge;
pub(crate) use status::HOSTS;
pub(crate) use test::VERDICTS;

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
        PolicyCommand::Status(args) => status::run(app, &args).await,
        PolicyCommand::Check(args) => check::run(app, &args),
        PolicyCommand::Test(args) => test::run(app, &args),
        PolicyCommand::Diff(args) => diff::run(app, &args).await,
        PolicyCommand::Simulate(args) => simulate::run(app, &args).await,
    }
}

async fn apply(app: &App, args: &ApplyArgs) -> Result<Outcome, Failure> {
    let source = Source::read(&args.file, "policy")?;
    let (checked, _) = source.check(|name| format!("policy `{name}` was not applied"))?;
    source.warn(&app.out, &checked.warnings);
    let rules = checked.policy.rules.len();
    if args.dry_run {
        app.out.line(&format!("✓ valid [{}], number of rules: {rules}; nothing was sent", checked.policy.name))?;
        return Ok(Outcome::Done);
    }
    let document = app.client()?.apply_policy(&NewPolicy { yaml: source.text }).await?;
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
        _ if !agent.policy_error.is_empty() => Value::Word("did not load, the one before stays in force", Tone::Bad),
        (wanted, actual) if wanted == actual => Value::Word("in force", Tone::Good),
        _ => Value::Word("not in force yet", Tone::Warn),
    };
    let fields = [
        ("agent", Value::text(&agent.name)),
        ("state", state),
        ("policy_id", Value::maybe(effective.policy_id.clone(), Value::Text)),
        ("in_force_policy_id", Value::maybe(effective.in_force_policy_id.clone(), Value::Text)),
        ("policy_error", Value::text(&agent.policy_error)),
    ];
    print_record(&app.out, &fields, &effective)?;
    if matches!(app.out.format, Format::Table | Format::Wide) && !effective.layers.is_empty() {
        app.out.text("\n")?;
        LAYERS.print(&app.out, &ListArgs::default(), effective.layers, "")?;
    }
    Ok(Outcome::Done)
}
