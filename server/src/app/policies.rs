//! Policy versions.

use tyr_api::page::Page;
use tyr_api::policies::{PolicyDocument, PolicyVersion};
use tyr_policy::{Checked, Diagnostic, Policy, PolicyError};

use crate::app::App;
use crate::app::audit::{self, Action, Actor};
use crate::app::query::cut;
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
    store(app, yaml, actor, None).await
}

/// Makes a new version with an earlier one's text. None: there is no such version.
///
/// # Errors
/// See [`ApplyError`]; `Invalid` when today's checker refuses what it once took.
pub async fn roll_back(app: &App, version: u32, actor: &Actor) -> Result<Option<PolicyDocument>, ApplyError> {
    let Ok(number) = i32::try_from(version) else { return Ok(None) };
    let Some(earlier) = policy_versions::by_version(&app.pool, number).await? else { return Ok(None) };
    store(app, earlier.yaml, actor, Some(version)).await.map(Some)
}

/// The policy and all warnings; refused too when its tables would be too large for an agent.
fn check(yaml: &str) -> Result<(Checked, Vec<Diagnostic>), PolicyError> {
    let checked = Policy::parse(yaml)?;
    let survey = checked.survey()?;
    let warnings = checked.warnings_with(&survey);
    Ok((checked, warnings))
}

/// Checks and stores a text, which may be that of an earlier version.
async fn store(app: &App, yaml: String, actor: &Actor, earlier: Option<u32>) -> Result<PolicyDocument, ApplyError> {
    let yaml_checked = yaml.clone();
    // Up to 256 KiB and thousands of rules: too long for a thread that answers others too.
    let checked = tokio::task::spawn_blocking(move || check(&yaml_checked)).await.map_err(ApplyError::Check)?;
    let (checked, warnings) = checked.map_err(ApplyError::Invalid)?;
    let rules = i32::try_from(checked.policy.rules.len()).expect("the number of rules is bounded");
    let mut tx = app.pool.begin().await.map_err(DbError::from)?;
    let version = policy_versions::insert(&mut *tx, &checked.policy.name, rules, &yaml, &actor.name).await?;
    let mut facts = vec![("name", &version.name as audit::Fact<'_>), ("rules", &rules)];
    facts.extend(earlier.as_ref().map(|earlier| ("from_version", earlier as audit::Fact<'_>)));
    let action = if earlier.is_some() { Action::PolicyRollback } else { Action::PolicyApply };
    audit::record(&mut tx, actor, action, &version.version.to_string(), &facts).await?;
    tx.commit().await.map_err(DbError::from)?;
    tracing::info!(
        policy.version = version.version,
        policy.name = version.name,
        user.name = actor.name,
        "policy applied"
    );
    Ok(PolicyDocument { version, yaml, warnings: warnings.iter().map(in_words).collect() })
}

/// A page of versions, newest first; only those `below` a number, if one is given.
pub async fn list(app: &App, below: Option<u32>, limit: u32) -> Result<Page<PolicyVersion>, DbError> {
    // No version has a number that large.
    let below = below.map(|version| i32::try_from(version).unwrap_or(i32::MAX));
    let mut items = policy_versions::list(&app.pool, below, limit + 1).await?;
    let more = cut(&mut items, limit);
    let next_cursor = items.last().filter(|_| more).map(|last| last.version.to_string());
    Ok(Page { items, next_cursor })
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
