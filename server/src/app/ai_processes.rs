//! AI processes whose end nobody saw.

use jiff::Timestamp;
use uuid::Uuid;

use crate::app::App;
use crate::db::{DbError, discovered_agents};

/// Ends all AI processes of an agent but those that it says live. `last_seen` is when the agent was heard from before.
///
/// # Errors
/// The database's.
pub async fn end_others(app: &App, agent_id: Uuid, living: &[Uuid], last_seen: Timestamp) -> Result<(), DbError> {
    let ended = discovered_agents::end_others(&mut *app.pool.acquire().await?, agent_id, living, last_seen).await?;
    if !ended.is_empty() {
        tracing::info!(agent.id = %agent_id, ended = ended.len(), "AI processes ended unseen");
        app.fleet.discovered(agent_id, ended);
    }
    Ok(())
}
