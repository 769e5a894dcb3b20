//! The effective policy of an agent.

use tyr_proto::v1::PolicyPush;
use uuid::Uuid;

use crate::app::App;
use crate::db::DbError;

/// What this agent should run now, recorded in `agent_policies` when it is another than before. Without an assignment: no layers, empty `policy_id`.
pub async fn effective_for(_app: &App, _agent_id: Uuid) -> Result<PolicyPush, DbError> {
    Ok(PolicyPush::default())
}
