//! `tyrctl ai`.

use tyr_api::agents::{DiscoveredAgent, DiscoveredAgentsQuery};

use super::{Outcome, agents, hint, sql};
use crate::app::App;
use crate::args::{AiArgs, AiCommand, Format};
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
