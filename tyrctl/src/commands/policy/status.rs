//! `tyrctl policy status`: on which hosts the policy that should be in force is not, and why.

use tyr_api::agents::Agent;

use super::super::{Outcome, agents};
use crate::app::App;
use crate::args::PolicyStatusArgs;
use crate::error::Failure;
use crate::output::rows::{Column, View};
use crate::output::value::{Tone, Value};

pub(crate) const HOSTS: View<Agent> = View {
    noun: "agents",
    name: |agent| agent.name.clone(),
    columns: &[
        Column::flexible("agent", |agent| Value::text(&agent.name)),
        Column::new("policy", word),
        Column::new("in_force", |agent| {
            Value::maybe(agent.policy_version, |version| Value::Text(format!("v{version}")))
        }),
        Column::new("status", |agent| agents::liveness(agent.liveness)),
        Column::new("last_seen", agents::last_seen),
        Column::flexible("why", |agent| Value::text(&agent.policy_error)),
        Column::wide("policy_id", |agent| Value::maybe(agent.policy_id.clone(), Value::Text)),
        Column::wide("assigned", |agent| Value::maybe(agent.assigned_policy_id.clone(), Value::Text)),
        Column::wide("tables", |agent| agents::tables(agent.tables)),
        Column::wide("agent_id", |agent| Value::Text(agent.agent_id.to_string())),
    ],
};

/// How the policy that should be in force stands on a host.
pub(super) fn word(agent: &Agent) -> Value {
    match (&agent.policy_id, &agent.assigned_policy_id) {
        _ if !agent.policy_error.is_empty() => Value::Word("failed", Tone::Bad),
        (actual, wanted) if actual != wanted => Value::Word("pending", Tone::Warn),
        (None, _) => Value::Word("none", Tone::Dim),
        _ => Value::Word("in force", Tone::Good),
    }
}

fn is_as_wanted(agent: &Agent) -> bool {
    agent.policy_error.is_empty() && agent.policy_id == agent.assigned_policy_id
}

/// `policy status [--all]`.
pub(super) async fn run(app: &App, args: &PolicyStatusArgs) -> Result<Outcome, Failure> {
    let mut hosts = app.client()?.agents(false).await?;
    if !args.all {
        hosts.retain(|agent| !is_as_wanted(agent));
    }
    // What failed comes first: the rest may be about to change by itself.
    hosts.sort_by(|a, b| (a.policy_error.is_empty(), &a.name).cmp(&(b.policy_error.is_empty(), &b.name)));
    HOSTS.print(&app.out, &args.list, hosts, "the assigned policy is in force on every agent")
}
