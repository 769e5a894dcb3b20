//! Policy versions.

use tyr_api::policies::{PolicyDocument, PolicyVersion};
use tyr_policy::{Diagnostic, Policy, PolicyError};

use crate::app::App;
use crate::app::audit::{self, Action, Actor};
use crate::db::{DbError, policy_versions};

/// Why a policy was not applied.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// It is no valid policy; this says everything that is wrong with it.
    #[error("the policy is not valid")]
    Invalid(#[source] PolicyError),
    /// The checker panicked, which is a bug of ours.
    #[error("the policy could not be checked")]
    Check(#[source] tokio::task::JoinError),
    /// The database failed; nothing was changed.
    #[error("the database failed")]
    Db(#[from] DbError),
}

/// Checks a policy and stores it as a new version. It is in force nowhere before it is assigned.
///
/// # Errors
/// See [`ApplyError`].
pub async fn apply(app: &App, yaml: String, actor: &Actor) -> Result<PolicyDocument, ApplyError> {
    let yaml_checked = yaml.clone();
    // Up to 256 KiB and thousands of rules: too long for a thread that answers others too.
    let checked = tokio::task::spawn_blocking(move || Policy::parse(&yaml_checked)).await.map_err(ApplyError::Check)?;
    let checked = checked.map_err(ApplyError::Invalid)?;
    let rules = i32::try_from(checked.policy.rules.len()).expect("the number of rules is bounded");
    let mut tx = app.pool.begin().await.map_err(DbError::from)?;
    let version = policy_versions::insert(&mut *tx, &checked.policy.name, rules, &yaml, &actor.name).await?;
    let facts = &[("name", &version.name as audit::Fact<'_>), ("rules", &rules)];
    audit::record(&mut tx, actor, Action::PolicyApply, &version.version.to_string(), facts).await?;
    tx.commit().await.map_err(DbError::from)?;
    tracing::info!(
        policy.version = version.version,
        policy.name = version.name,
        user.name = actor.name,
        "policy applied"
    );
    Ok(PolicyDocument { version, yaml, warnings: checked.warnings.iter().map(in_words).collect() })
}

/// All versions, newest first.
pub async fn list(app: &App) -> Result<Vec<PolicyVersion>, DbError> {
    policy_versions::list(&app.pool).await
}

/// One version with its text and what is to be known about it.
pub async fn show(app: &App, version: u32) -> Result<Option<PolicyDocument>, DbError> {
    let Ok(version) = i32::try_from(version) else { return Ok(None) };
    let Some(mut document) = policy_versions::by_version(&app.pool, version).await? else { return Ok(None) };
    let yaml = document.yaml.clone();
    // A version that a newer checker would refuse is shown without warnings.
    if let Ok(Ok(checked)) = tokio::task::spawn_blocking(move || Policy::parse(&yaml)).await {
        document.warnings = checked.warnings.iter().map(in_words).collect();
    }
    Ok(Some(document))
}

/// A diagnostic in one line.
pub fn in_words(diagnostic: &Diagnostic) -> String {
    match &diagnostic.hint {
        Some(hint) => format!("{diagnostic} ({hint})"),
        None => diagnostic.to_string(),
    }
}
