//! Enrollment tokens: `tyr_et_<id>_<secret>`.
//!
//! The id finds the row, so that a request costs one salted hash however many tokens there are; only the hash of the
//! secret is stored.

use jiff::{SignedDuration, Timestamp};
use sqlx::PgConnection;
use tyr_api::auth::{CreatedEnrollmentToken, EnrollmentToken, NewEnrollmentToken};
use tyr_api::page::Page;

use crate::app::App;
use crate::app::audit::{self, Action, Actor};
use crate::app::auth::secrets::HashError;
use crate::app::query::cut;
use crate::db::DbError;
use crate::db::enrollment_tokens::{self, NewToken, Which};

/// How every token begins.
pub const PREFIX: &str = "tyr_et_";
/// Longest label, in characters.
pub const LABEL_CHARS_MAX: usize = 128;
/// Most agents that one token may enroll.
pub const USES_MAX: u32 = 100_000;
/// Longest life: a year.
pub const HOURS_MAX: u32 = 8760;
/// Longest token that is looked at.
const TOKEN_BYTES_MAX: usize = 256;
const ID_BYTES: usize = 8;
const SECRET_BYTES: usize = 24;
/// A token set in the server's environment works until it is revoked, which in practice is ten years.
const BOOTSTRAP_LIFE: SignedDuration = SignedDuration::from_hours(24 * 3650);

/// Why a token was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// It is none of ours, or its secret is another.
    #[error("the enrollment token is not known to this server")]
    Unknown,
    /// As many agents enrolled with it as may.
    #[error("the enrollment token is used up")]
    UsedUp,
    /// Its time is over.
    #[error("the enrollment token has expired")]
    Expired,
    /// An admin revoked it.
    #[error("the enrollment token was revoked")]
    Revoked,
    /// It could not be checked.
    #[error("the enrollment token could not be checked")]
    Hash(#[from] HashError),
    /// The database failed.
    #[error("the database failed")]
    Db(#[from] DbError),
}

/// Why a token was not made.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// The label is no good.
    #[error("a label has 1 to {LABEL_CHARS_MAX} characters, without control characters")]
    BadLabel,
    /// Too many uses, or none.
    #[error("`max_uses` is a number from 1 to {USES_MAX}")]
    BadUses,
    /// Too long a life, or none.
    #[error("`expires_hours` is a number from 1 to {HOURS_MAX}")]
    BadHours,
    /// The given token does not look like one.
    #[error(
        "an enrollment token looks like `{PREFIX}<id>_<secret>`, both of letters and digits, the secret of 16 or more"
    )]
    BadForm,
    /// A token of the same id with another secret exists.
    #[error("an enrollment token with this id and another secret exists")]
    OtherSecret,
    /// The secret could not be hashed.
    #[error("the enrollment token could not be hashed")]
    Hash(#[from] HashError),
    /// The database failed; nothing was changed.
    #[error("the database failed")]
    Db(#[from] DbError),
}

/// A token whose secret was right. Not used up yet: see [`use_up`].
#[derive(Debug)]
pub struct Verified {
    token_id: String,
}

impl Verified {
    /// Its public part.
    pub fn token_id(&self) -> &str {
        &self.token_id
    }
}

/// Makes a token. Its secret is shown this once.
///
/// # Errors
/// See [`CreateError`].
pub async fn create(app: &App, new: &NewEnrollmentToken, actor: &Actor) -> Result<CreatedEnrollmentToken, CreateError> {
    let label = new.label.trim();
    if label.is_empty() || label.chars().count() > LABEL_CHARS_MAX || label.chars().any(char::is_control) {
        return Err(CreateError::BadLabel);
    }
    if !(1..=USES_MAX).contains(&new.max_uses) {
        return Err(CreateError::BadUses);
    }
    if !(1..=HOURS_MAX).contains(&new.expires_hours) {
        return Err(CreateError::BadHours);
    }
    let id = hex::encode(rand::random::<[u8; ID_BYTES]>());
    let secret = hex::encode(rand::random::<[u8; SECRET_BYTES]>());
    let secret_hash = app.secrets.hash(&secret).await?;
    let row = NewToken {
        token_id: &id,
        label,
        secret_hash: &secret_hash,
        max_uses: i32::try_from(new.max_uses).expect("bounded above"),
        expires_at: Timestamp::now() + SignedDuration::from_hours(new.expires_hours.into()),
        created_by: &actor.name,
    };
    let mut tx = app.pool.begin().await.map_err(DbError::from)?;
    // 64 random bits that are taken already mean a broken source of randomness.
    if !enrollment_tokens::insert(&mut *tx, row).await? {
        return Err(CreateError::OtherSecret);
    }
    let facts =
        &[("label", &label as audit::Fact<'_>), ("max_uses", &new.max_uses), ("expires_hours", &new.expires_hours)];
    audit::record(&mut tx, actor, Action::TokenCreate, &id, facts).await?;
    tx.commit().await.map_err(DbError::from)?;
    let details = by_id(app, &id).await?.ok_or(CreateError::OtherSecret)?;
    Ok(CreatedEnrollmentToken { token: format!("{PREFIX}{id}_{secret}"), details })
}

/// A page of tokens, newest first. None: the cursor is no token's id.
pub async fn list(app: &App, after: Option<&str>, limit: u32) -> Result<Option<Page<EnrollmentToken>>, DbError> {
    if let Some(after) = after
        && by_id(app, after).await?.is_none()
    {
        return Ok(None);
    }
    let mut items = enrollment_tokens::list(&app.pool, Which::Page { after, limit: limit + 1 }).await?;
    let more = cut(&mut items, limit);
    let next_cursor = items.last().filter(|_| more).map(|last| last.token_id.clone());
    Ok(Some(Page { items, next_cursor }))
}

/// Revokes a token, and gives it as it is now; none: there is no such token. Agents that enrolled with it stay.
pub async fn revoke(app: &App, token_id: &str, actor: &Actor) -> Result<Option<EnrollmentToken>, DbError> {
    let mut tx = app.pool.begin().await?;
    if !enrollment_tokens::revoke(&mut *tx, token_id).await? {
        return Ok(None);
    }
    audit::record(&mut tx, actor, Action::TokenRevoke, token_id, &[]).await?;
    tx.commit().await?;
    by_id(app, token_id).await
}

async fn by_id(app: &App, token_id: &str) -> Result<Option<EnrollmentToken>, DbError> {
    Ok(enrollment_tokens::list(&app.pool, Which::One(token_id)).await?.pop())
}

/// Whether a token may be used now. What is wrong with it is said only to those who know its secret.
///
/// # Errors
/// See [`TokenError`].
pub async fn verify(app: &App, token: &str) -> Result<Verified, TokenError> {
    let (id, secret) = split(token).ok_or(TokenError::Unknown)?;
    let row = enrollment_tokens::by_id(&app.pool, id).await?;
    if !app.secrets.verify(secret, row.as_ref().map(|row| row.secret_hash.as_str())).await? {
        return Err(TokenError::Unknown);
    }
    let row = row.ok_or(TokenError::Unknown)?;
    if row.revoked_at.is_some() {
        return Err(TokenError::Revoked);
    }
    if row.expires_at.to_jiff() <= Timestamp::now() {
        return Err(TokenError::Expired);
    }
    if row.uses >= row.max_uses {
        return Err(TokenError::UsedUp);
    }
    Ok(Verified { token_id: id.to_owned() })
}

/// Counts one use, in the transaction that enrolls the agent: rolled back, it was not used.
///
/// # Errors
/// [`TokenError::UsedUp`] when others were quicker (or it was revoked since); [`TokenError::Db`].
pub async fn use_up(conn: &mut PgConnection, token: &Verified) -> Result<(), TokenError> {
    if enrollment_tokens::use_up(conn, &token.token_id).await? { Ok(()) } else { Err(TokenError::UsedUp) }
}

/// Makes sure that a token given from outside exists. If it does already, it stays as it is: uses, end, revocation.
///
/// # Errors
/// [`CreateError::BadForm`] and [`CreateError::OtherSecret`], beside failures.
pub async fn ensure_bootstrap(app: &App, token: &str) -> Result<(), CreateError> {
    let (id, secret) = split(token).filter(|(_, secret)| secret.len() >= 16).ok_or(CreateError::BadForm)?;
    if let Some(row) = enrollment_tokens::by_id(&app.pool, id).await? {
        let same = app.secrets.verify(secret, Some(&row.secret_hash)).await?;
        return if same { Ok(()) } else { Err(CreateError::OtherSecret) };
    }
    let secret_hash = app.secrets.hash(secret).await?;
    let row = NewToken {
        token_id: id,
        label: "bootstrap",
        secret_hash: &secret_hash,
        max_uses: i32::try_from(USES_MAX).expect("a small constant"),
        expires_at: Timestamp::now() + BOOTSTRAP_LIFE,
        created_by: "environment",
    };
    let mut tx = app.pool.begin().await.map_err(DbError::from)?;
    // Another server on the same database may have been quicker, with the same token.
    if enrollment_tokens::insert(&mut *tx, row).await? {
        audit::record(&mut tx, &Actor::environment(), Action::TokenCreate, id, &[("label", &"bootstrap")]).await?;
    }
    tx.commit().await.map_err(DbError::from)?;
    Ok(())
}

/// Id and secret of a token, if it looks like one.
fn split(token: &str) -> Option<(&str, &str)> {
    if token.len() > TOKEN_BYTES_MAX {
        return None;
    }
    let (id, secret) = token.trim().strip_prefix(PREFIX)?.split_once('_')?;
    let word = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    (word(id) && !secret.is_empty() && secret.bytes().all(|b| b.is_ascii_graphic())).then_some((id, secret))
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn splits_what_looks_like_a_token() {
        assert_eq!(split("tyr_et_ab12_secret_with_more"), Some(("ab12", "secret_with_more")));
        assert_eq!(split(" tyr_et_ab12_s\n"), Some(("ab12", "s")), "as it comes out of a file");
        for wrong in ["", "tyr_et_", "tyr_et_a", "tyr_et_a_", "tyr_et__s", "tyr_at_a_s", "tyr_et_a b_s", "tyr_et_a_s\0"]
        {
            assert_eq!(split(wrong), None, "{wrong}");
        }
        assert_eq!(split(&format!("tyr_et_a_{}", "s".repeat(300))), None);
    }
}
