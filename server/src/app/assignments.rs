//! Policy assignments: which version is for whom.

use tyr_api::page::Page;
use tyr_api::policies::{Assignment, NewAssignment, TargetType};
use uuid::Uuid;

use crate::app::App;
use crate::app::audit::{self, Action, Actor};
use crate::app::effective;
use crate::app::query::cut;
use crate::db::policy_assignments::Which;
use crate::db::{DbError, agents, effective_policies, policy_assignments};

/// Longest agent type, in bytes.
const AGENT_TYPE_BYTES_MAX: usize = 64;

/// Why an assignment was not made.
#[derive(Debug, thiserror::Error)]
pub enum AssignError {
    /// There is no policy of that number.
    #[error("there is no policy version {0}")]
    UnknownVersion(u32),
    /// There is no agent of that id.
    #[error("there is no agent `{0}`")]
    UnknownAgent(String),
    /// The target's id does not fit its type.
    #[error("{0}")]
    BadTarget(&'static str),
    /// The database failed; nothing was changed.
    #[error("the database failed")]
    Db(#[from] DbError),
}

/// Assigns a policy in place of the one that the target had, and has connected agents told.
///
/// # Errors
/// See [`AssignError`].
pub async fn create(app: &App, new: NewAssignment, actor: &Actor) -> Result<Assignment, AssignError> {
    let new = NewAssignment { target_id: check_target(&new)?, ..new };
    let version = i32::try_from(new.version).map_err(|_| AssignError::UnknownVersion(new.version))?;
    let assignment_id = Uuid::now_v7();
    let mut tx = app.pool.begin().await.map_err(DbError::from)?;
    effective_policies::lock_for_change(&mut *tx).await?;
    if new.target_type == TargetType::Agent {
        let agent_id = Uuid::try_parse(&new.target_id).expect("checked above");
        if agents::get(&mut tx, agent_id).await?.is_none() {
            return Err(AssignError::UnknownAgent(new.target_id));
        }
    }
    policy_assignments::end_of_target(&mut *tx, new.target_type, &new.target_id).await?;
    policy_assignments::insert(&mut *tx, assignment_id, &new, version, &actor.name).await.map_err(
        |error| match error.constraint() {
            Some(policy_assignments::UNKNOWN_VERSION) => AssignError::UnknownVersion(new.version),
            _ => AssignError::Db(error),
        },
    )?;
    let changed = effective::settle(&mut tx, None).await?;
    let assignment = policy_assignments::list(&mut *tx, Which::One(assignment_id)).await?.pop();
    let facts = &[
        ("version", &new.version as audit::Fact<'_>),
        ("target_type", &new.target_type),
        ("target_id", &new.target_id),
    ];
    audit::record(&mut tx, actor, Action::AssignmentCreate, &assignment_id.to_string(), facts).await?;
    tx.commit().await.map_err(DbError::from)?;
    tracing::info!(
        policy.version = new.version,
        assignment.id = %assignment_id,
        assignment.target = %new.target_type,
        agents = changed.len(),
        user.name = actor.name,
        "policy assigned"
    );
    tell(app, &changed);
    Ok(assignment.expect("it was inserted in the same transaction"))
}

/// Ends an assignment, and has connected agents told; false: there is none of that id in force.
pub async fn end(app: &App, assignment_id: Uuid, actor: &Actor) -> Result<bool, DbError> {
    let mut tx = app.pool.begin().await?;
    effective_policies::lock_for_change(&mut *tx).await?;
    if !policy_assignments::end(&mut *tx, assignment_id).await? {
        return Ok(false);
    }
    let changed = effective::settle(&mut tx, None).await?;
    audit::record(&mut tx, actor, Action::AssignmentEnd, &assignment_id.to_string(), &[]).await?;
    tx.commit().await?;
    tracing::info!(assignment.id = %assignment_id, agents = changed.len(), user.name = actor.name, "policy assignment ended");
    tell(app, &changed);
    Ok(true)
}

/// A page of the assignments in force, by target. None: the cursor is no assignment's id.
pub async fn list(app: &App, after: Option<Uuid>, limit: u32) -> Result<Option<Page<Assignment>>, DbError> {
    if let Some(after) = after
        && !policy_assignments::is_known(&app.pool, after).await?
    {
        return Ok(None);
    }
    let mut items = policy_assignments::list(&app.pool, Which::Page { after, limit: limit + 1 }).await?;
    let more = cut(&mut items, limit);
    let next_cursor = items.last().filter(|_| more).map(|last| last.assignment_id.to_string());
    Ok(Some(Page { items, next_cursor }))
}

/// One assignment in force.
pub async fn show(app: &App, assignment_id: Uuid) -> Result<Option<Assignment>, DbError> {
    Ok(policy_assignments::list(&app.pool, Which::One(assignment_id)).await?.pop())
}

fn tell(app: &App, changed: &[Uuid]) {
    if !changed.is_empty() {
        app.fleet.policies_changed();
    }
}

/// The id of a target as it is stored.
fn check_target(new: &NewAssignment) -> Result<String, AssignError> {
    let id = new.target_id.trim();
    match new.target_type {
        TargetType::All if id.is_empty() => Ok(String::new()),
        TargetType::All => Err(AssignError::BadTarget("`target_id` stays empty when `target_type` is `all`")),
        TargetType::Agent => Uuid::try_parse(id).map(|agent_id| agent_id.to_string()).map_err(|_| {
            AssignError::BadTarget("`target_id` is the agent's id, a UUID, when `target_type` is `agent`")
        }),
        TargetType::AgentType if is_agent_type(id) => Ok(id.to_owned()),
        TargetType::AgentType => Err(AssignError::BadTarget(
            "`target_id` is an agent type like `claude-code`: lower-case letters, digits, `-`, `_` and `.`, at most 64",
        )),
    }
}

/// Is it the name of an agent type?
pub fn is_agent_type(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_' | b'.');
    (1..=AGENT_TYPE_BYTES_MAX).contains(&text.len()) && text.bytes().all(allowed)
}
