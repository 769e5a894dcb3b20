//! Agent types that admins approve: agents may be told to quarantine or deny the rest (`unregistered_agents` of `tyrd.yaml`).

use tyr_api::agents::AgentType;

use crate::app::App;
use crate::app::assignments::is_agent_type;
use crate::app::audit::{self, Action, Actor};
use crate::db::{DbError, agent_types, effective_policies};

/// Most types that can be approved: each takes a row in the kernel's tables where others are quarantined.
const APPROVED_MAX: u32 = 128;

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ApprovalError {
    /// It is no agent type.
    #[error(
        "an agent type like `claude-code` begins with a letter and has lower-case letters, digits, `-`, `_` and `.`, at most 64"
    )]
    BadType,
    /// [`APPROVED_MAX`] are approved.
    #[error("{APPROVED_MAX} agent types are approved, which is all that can be")]
    TooMany,
    /// It stays registered by its overlay.
    #[error("agent type `{agent_type}` has version {version} assigned as overlay, which registers it")]
    Overlay {
        /// Which.
        agent_type: String,
        /// The version.
        version: u32,
    },
    /// The database failed; nothing was changed.
    #[error("the database failed")]
    Db(#[from] DbError),
}

/// All that are registered, or live somewhere.
///
/// # Errors
/// When the database failed.
pub async fn list(app: &App) -> Result<Vec<AgentType>, DbError> {
    agent_types::list(&app.pool, None).await
}

/// Registers an agent type, and has connected agents told.
///
/// # Errors
/// See [`ApprovalError`].
pub async fn approve(app: &App, agent_type: &str, by: &Actor) -> Result<AgentType, ApprovalError> {
    if !is_approvable(agent_type) {
        return Err(ApprovalError::BadType);
    }
    let mut tx = app.pool.begin().await.map_err(DbError::from)?;
    // One after the other, with changes of overlays.
    effective_policies::lock_for_change(&mut *tx).await?;
    if agent_types::approve(&mut *tx, agent_type, &by.name).await? {
        if agent_types::approved(&mut *tx).await? > APPROVED_MAX {
            return Err(ApprovalError::TooMany);
        }
        audit::record(&mut tx, by, Action::AgentTypeApprove, agent_type, &[]).await?;
    }
    committed(app, tx, agent_type, by, "approved").await
}

/// Takes an approval back, and has connected agents told: processes of the type are unregistered from now on.
///
/// # Errors
/// See [`ApprovalError`]; one that has an overlay stays registered by it.
pub async fn quarantine(app: &App, agent_type: &str, by: &Actor) -> Result<AgentType, ApprovalError> {
    if !is_approvable(agent_type) {
        return Err(ApprovalError::BadType);
    }
    let mut tx = app.pool.begin().await.map_err(DbError::from)?;
    effective_policies::lock_for_change(&mut *tx).await?;
    let known = agent_types::list(&mut *tx, Some(agent_type)).await?.pop();
    if let Some(version) = known.and_then(|known| known.overlay_version) {
        return Err(ApprovalError::Overlay { agent_type: agent_type.to_owned(), version });
    }
    if agent_types::withdraw(&mut *tx, agent_type).await? {
        audit::record(&mut tx, by, Action::AgentTypeQuarantine, agent_type, &[]).await?;
    }
    committed(app, tx, agent_type, by, "not registered").await
}

fn is_approvable(agent_type: &str) -> bool {
    is_agent_type(agent_type) && agent_type.starts_with(|first: char| first.is_ascii_lowercase())
}

async fn committed(
    app: &App,
    mut tx: sqlx::Transaction<'_, sqlx::Postgres>,
    agent_type: &str,
    by: &Actor,
    now: &str,
) -> Result<AgentType, ApprovalError> {
    let known = agent_types::list(&mut *tx, Some(agent_type)).await?.pop();
    tx.commit().await.map_err(DbError::from)?;
    app.fleet.policies_changed();
    tracing::info!(agent_type, agent_type.now = now, user.name = by.name, "agent type changed");
    // Of one that lives nowhere and is not registered there is no row.
    Ok(known.unwrap_or_else(|| AgentType { agent_type: agent_type.to_owned(), ..AgentType::default() }))
}
