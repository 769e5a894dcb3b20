//! What admins decide about single agents: archive and take back, revoke; and the names of AI processes.

use tyr_api::agents::{Agent, DiscoveredAgent};
use uuid::Uuid;

use crate::app::audit::{self, Action, Actor};
use crate::app::{App, query};
use crate::db::agents::{self, Refusal};
use crate::db::{DbError, discovered_agents};

/// Longest name of an AI process, in characters.
pub const DISPLAY_NAME_CHARS_MAX: usize = 128;

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// There is nothing of that id.
    #[error("there is no {what} `{id}`")]
    Unknown {
        /// What kind of thing.
        what: &'static str,
        /// Its id.
        id: Uuid,
    },
    /// A revoked agent can't be taken back: its key may be in other hands.
    #[error("agent `{0}` was revoked, which is for good")]
    Revoked(String),
    /// The name is no good.
    #[error("`display_name` has 1 to {DISPLAY_NAME_CHARS_MAX} characters, without control characters")]
    BadDisplayName,
    /// The database failed.
    #[error("the database failed")]
    Db(#[from] DbError),
}

/// Archives an agent, or takes it back. Its events stay; an archived one is not let in, and its stream ends at once.
///
/// # Errors
/// See [`ChangeError`].
pub async fn archive(app: &App, agent_id: Uuid, archived: bool, by: &Actor) -> Result<Agent, ChangeError> {
    set(app, agent_id, archived.then_some(Refusal::Archived), by).await
}

/// Revokes an agent: its certificates are refused from now on and for ever, and its stream ends at once. Its events stay. The
/// host may enroll again with a fresh token, as a new agent.
///
/// # Errors
/// See [`ChangeError`].
pub async fn revoke(app: &App, agent_id: Uuid, by: &Actor) -> Result<Agent, ChangeError> {
    set(app, agent_id, Some(Refusal::Revoked), by).await
}

async fn set(app: &App, agent_id: Uuid, refusal: Option<Refusal>, by: &Actor) -> Result<Agent, ChangeError> {
    let unknown = || ChangeError::Unknown { what: "agent", id: agent_id };
    let mut tx = app.pool.begin().await.map_err(DbError::from)?;
    let (name, before) = agents::standing_for_update(&mut tx, agent_id).await?.ok_or_else(unknown)?;
    match (before, refusal) {
        (Some(Refusal::Revoked), None) => return Err(ChangeError::Revoked(name)),
        // It is archived as well; saying so again changes nothing.
        (Some(Refusal::Revoked), Some(_)) => {}
        _ => agents::set_refusal(&mut tx, agent_id, refusal).await?,
    }
    if before != refusal && before != Some(Refusal::Revoked) {
        let action = match refusal {
            None => Action::AgentUnarchive,
            Some(Refusal::Archived) => Action::AgentArchive,
            Some(Refusal::Revoked) => Action::AgentRevoke,
        };
        audit::record(&mut tx, by, action, &name, &[("agent_id", &agent_id)]).await?;
    }
    tx.commit().await.map_err(DbError::from)?;
    if let Some(refusal) = refusal {
        app.fleet.refuse(agent_id, refusal);
        app.metrics.agents.removed(agent_id);
    }
    let agent = query::agent(app, agent_id).await?.ok_or_else(unknown)?;
    if refusal.is_none() {
        app.fleet.add(agent_id, agent.last_seen);
    }
    if before != refusal {
        let now = match refusal {
            None => "taken back",
            Some(Refusal::Archived) => "archived",
            Some(Refusal::Revoked) => "revoked",
        };
        tracing::info!(agent.id = %agent_id, agent.name = name, agent.now = now, user.name = by.name, "agent changed");
    }
    Ok(agent)
}

/// Names an AI process.
///
/// # Errors
/// See [`ChangeError`].
pub async fn rename_ai_process(
    app: &App,
    id: Uuid,
    display_name: &str,
    by: &Actor,
) -> Result<DiscoveredAgent, ChangeError> {
    let display_name = display_name.trim();
    let length = display_name.chars().count();
    if !(1..=DISPLAY_NAME_CHARS_MAX).contains(&length) || display_name.chars().any(char::is_control) {
        return Err(ChangeError::BadDisplayName);
    }
    let unknown = || ChangeError::Unknown { what: "AI process", id };
    let mut tx = app.pool.begin().await.map_err(DbError::from)?;
    if !discovered_agents::rename(&mut tx, id, display_name).await? {
        return Err(unknown());
    }
    let facts = &[("display_name", &display_name as audit::Fact<'_>)];
    audit::record(&mut tx, by, Action::AiRename, &id.to_string(), facts).await?;
    tx.commit().await.map_err(DbError::from)?;
    let process = query::ai_process(app, id).await?.ok_or_else(unknown)?;
    app.fleet.discovered(process.daemon_agent_id, [id]);
    tracing::info!(ai_process.id = %id, user.name = by.name, "AI process renamed");
    Ok(process)
}
