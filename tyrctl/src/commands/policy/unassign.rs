//! `tyrctl policy unassign`: ends what `policy assign` began.

use tyr_api::policies::TargetType;

use super::super::change::may_go_on;
use super::super::{Outcome, agents};
use crate::app::App;
use crate::args::UnassignArgs;
use crate::error::Failure;

/// `policy unassign`.
pub(super) async fn run(app: &App, args: &UnassignArgs) -> Result<Outcome, Failure> {
    let client = app.client()?;
    let (target_type, target_id, whom) = match (&args.agent, &args.agent_type) {
        (Some(name), _) => {
            let agent = agents::find(&client, name).await?;
            (TargetType::Agent, agent.agent_id.to_string(), format!("agent {}", agent.name))
        }
        (None, Some(kind)) => (TargetType::AgentType, kind.clone(), format!("agent type {kind}")),
        (None, None) => (TargetType::All, String::new(), "all agents that have none of their own".to_owned()),
    };
    let in_force = client.assignments().await?;
    let Some(assignment) =
        in_force.into_iter().find(|row| row.target_type == target_type && row.target_id == target_id)
    else {
        return Err(Failure::failed(format!("nothing is assigned to {whom}"))
            .hint("`tyrctl policy assignments` lists what is assigned to whom"));
    };
    let what = format!("version {} [{}] for {whom}", assignment.version, assignment.policy_name);
    if !may_go_on(app, &format!("end {what}"), args.change)? {
        return Ok(Outcome::Done);
    }
    client.end_assignment(assignment.assignment_id).await?;
    app.out.line(&format!("✓ {what} has ended"))?;
    Ok(Outcome::Done)
}
