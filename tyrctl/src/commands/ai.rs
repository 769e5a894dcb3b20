//! `tyrctl ai`.

use tyr_api::agents::{AgentType, DiscoveredAgent, DiscoveredAgentsQuery};

use super::change::may_go_on;
use super::{Outcome, agents, hint, sql};
use crate::app::App;
use crate::args::{AiArgs, AiCommand, ChangeArgs, Format};
use crate::error::Failure;
use crate::output::rows::{Column, View, print_record};
use crate::output::value::{Tone, Value};
use crate::sql::{Value as Literal, catalog};

pub(crate) const VIEW: View<DiscoveredAgent> = View {
    noun: "AI processes",
    name: |process| process.id.to_string(),
    columns: &[
        Column::new("type", |process| Value::text(&process.agent_type)),
        Column::new("agent", |process| Value::text(&process.agent_name)),
        Column::new("pid", |process| Value::Number(process.pid)),
        Column::new("status", |process| {
            if process.ended_at.is_some() {
                Value::Word("ended", Tone::Dim)
            } else {
                Value::Word("running", Tone::Good)
            }
        }),
        Column::new("registered", |process| registered(process.registered)),
        Column::new("first_seen", |process| Value::Time(process.first_seen)),
        Column::new("found_by", |process| Value::text(&process.found_by)),
        Column::flexible("exe", |process| Value::text(&process.process_exe)),
        Column::flexible("cmdline", |process| Value::text(&process.cmdline)),
        Column::wide("display_name", |process| Value::text(&process.display_name)),
        Column::wide("ended_at", |process| Value::maybe(process.ended_at, Value::Time)),
        Column::wide("id", |process| Value::Text(process.id.to_string())),
        Column::wide("agent_id", |process| Value::Text(process.daemon_agent_id.to_string())),
        Column::wide("signature", |process| Value::text(&process.process_signature)),
    ],
};

pub(crate) const TYPES: View<AgentType> = View {
    noun: "agent types",
    name: |row| row.agent_type.clone(),
    columns: &[
        Column::new("type", |row| Value::text(&row.agent_type)),
        Column::new("registered", |row| registered(row.registered)),
        Column::new("running", |row| Value::Count(row.ai_processes.into())),
        Column::new("overlay", |row| Value::maybe(row.overlay_version, |version| Value::Text(format!("v{version}")))),
        Column::new("approved_at", |row| Value::maybe(row.approved_at, Value::Time)),
        Column::new("approved_by", |row| Value::maybe(row.approved_by.clone(), Value::text)),
    ],
};

fn registered(registered: bool) -> Value {
    if registered { Value::Word("yes", Tone::Good) } else { Value::Word("no", Tone::Warn) }
}

/// `ai approve|quarantine TYPE`.
async fn register(app: &App, agent_type: &str, is_to_be: bool, how: ChangeArgs) -> Result<Outcome, Failure> {
    // To approve is asked too: it lets processes do more, on every host.
    let what = if is_to_be {
        format!("register agent type {agent_type} on all agents")
    } else {
        format!("take back the registration of agent type {agent_type} on all agents")
    };
    if !may_go_on(app, &what, how)? {
        return Ok(Outcome::Done);
    }
    let now = app.client()?.register_agent_type(agent_type, is_to_be).await?;
    if matches!(app.out.format, Format::Table | Format::Wide) {
        let state = if now.registered { "registered" } else { "not registered" };
        app.out.line(&format!("✓ agent type {agent_type} is {state}"))?;
    } else {
        print_record(
            &app.out,
            &[("type", Value::text(&now.agent_type)), ("registered", registered(now.registered))],
            &now,
        )?;
    }
    Ok(Outcome::Done)
}

/// `ai [--agent NAME] [--type TYPE] [--all]`, `ai rename ID NAME`.
pub(super) async fn run(app: &App, args: &AiArgs) -> Result<Outcome, Failure> {
    if args.sql.sql {
        let statement = catalog::AI
            .bind(app.now)
            .with_some("agent", args.agent.clone().map(Literal::Agent))
            .with_some("type", args.agent_type.clone().map(Literal::Text))
            .with_some("alive_after", (!args.all).then_some(Literal::Never));
        return sql::print(app, &args.list, &[statement]);
    }
    match &args.command {
        Some(AiCommand::Types { list }) => {
            let types = app.client()?.agent_types().await?;
            return TYPES.print(&app.out, list, types, "no agent types");
        }
        Some(AiCommand::Approve { agent_type, change }) => return register(app, agent_type, true, *change).await,
        Some(AiCommand::Quarantine { agent_type, change }) => return register(app, agent_type, false, *change).await,
        Some(AiCommand::Rename { .. }) | None => {}
    }
    let client = app.client()?;
    if let Some(AiCommand::Rename { id, name }) = &args.command {
        let process = client.rename_discovered_agent(*id, name).await?;
        if matches!(app.out.format, Format::Table | Format::Wide) {
            app.out.line(&format!("✓ AI process {id} is now `{}`", process.display_name))?;
        } else {
            let fields = [("id", Value::Text(id.to_string())), ("display_name", Value::text(&process.display_name))];
            print_record(&app.out, &fields, &process)?;
        }
        return Ok(Outcome::Done);
    }
    let agent = match &args.agent {
        Some(name) => Some(agents::find(&client, name).await?.agent_id),
        None => None,
    };
    let query = DiscoveredAgentsQuery {
        agent_id: agent,
        agent_type: args.agent_type.clone(),
        alive: (!args.all).then_some(true),
        ..DiscoveredAgentsQuery::default()
    };
    let processes = client.discovered_agents(&query).await?;
    let running = if args.all { "" } else { "running " };
    let none = processes.is_empty();
    let outcome = VIEW.print(&app.out, &args.list, processes, &format!("no {running}AI processes"))?;
    if none {
        let ended = (!args.all).then_some("`tyrctl ai --all` shows ended ones too");
        hint::first_host(app, &client, ended).await;
    }
    Ok(outcome)
}
