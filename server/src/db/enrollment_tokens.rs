//! Enrollment tokens.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::PgExecutor;
use tyr_api::auth::EnrollmentToken;

use super::DbError;

/// What decides whether a token may be used.
#[derive(Debug)]
pub struct TokenRow {
    /// PHC string of its secret part.
    pub secret_hash: String,
    /// How many agents may enroll with it.
    pub max_uses: i32,
    /// How many did.
    pub uses: i32,
    /// When it stops working.
    pub expires_at: jiff_sqlx::Timestamp,
    /// When an admin revoked it.
    pub revoked_at: Option<jiff_sqlx::Timestamp>,
}

/// A token to be stored.
#[derive(Clone, Copy, Debug)]
pub struct NewToken<'a> {
    /// Public part.
    pub token_id: &'a str,
    /// What it is for.
    pub label: &'a str,
    /// PHC string of its secret part.
    pub secret_hash: &'a str,
    /// How many agents may enroll with it.
    pub max_uses: i32,
    /// When it stops working.
    pub expires_at: Timestamp,
    /// Who made it.
    pub created_by: &'a str,
}

/// The token of that id.
pub async fn by_id(conn: impl PgExecutor<'_>, token_id: &str) -> Result<Option<TokenRow>, DbError> {
    let query = sqlx::query_as!(
        TokenRow,
        "SELECT secret_hash, max_uses, uses, expires_at, revoked_at FROM enrollment_tokens WHERE token_id = $1",
        token_id
    );
    Ok(query.fetch_optional(conn).await?)
}

/// Stores a token; false: there is one of that id already, which stays as it is.
pub async fn insert(conn: impl PgExecutor<'_>, token: NewToken<'_>) -> Result<bool, DbError> {
    let done = sqlx::query!(
        "INSERT INTO enrollment_tokens (token_id, label, secret_hash, max_uses, expires_at, created_by)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (token_id) DO NOTHING",
        token.token_id,
        token.label,
        token.secret_hash,
        token.max_uses,
        token.expires_at.to_sqlx() as jiff_sqlx::Timestamp,
        token.created_by
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Counts one use if one is left and the token is in force; false: none is, nothing was changed.
pub async fn use_up(conn: impl PgExecutor<'_>, token_id: &str) -> Result<bool, DbError> {
    let done = sqlx::query!(
        "UPDATE enrollment_tokens SET uses = uses + 1
         WHERE token_id = $1 AND uses < max_uses AND expires_at > now() AND revoked_at IS NULL",
        token_id
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Revokes a token; false: there is none of that id. One that is revoked already keeps its date.
pub async fn revoke(conn: impl PgExecutor<'_>, token_id: &str) -> Result<bool, DbError> {
    let done = sqlx::query!(
        "UPDATE enrollment_tokens SET revoked_at = coalesce(revoked_at, now()) WHERE token_id = $1",
        token_id
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Which tokens to read.
#[derive(Clone, Copy, Debug)]
pub enum Which<'a> {
    /// This one.
    One(&'a str),
    /// At most `limit`, behind the named one.
    Page {
        /// The last one of the page before.
        after: Option<&'a str>,
        /// Most of them.
        limit: u32,
    },
}

/// Tokens without their secrets, newest first.
pub async fn list(conn: impl PgExecutor<'_>, which: Which<'_>) -> Result<Vec<EnrollmentToken>, DbError> {
    let (token_id, after, limit) = match which {
        Which::One(token_id) => (Some(token_id), None, 1),
        Which::Page { after, limit } => (None, after, limit),
    };
    let rows = sqlx::query_file!("src/db/sql/tokens.sql", token_id, after, i64::from(limit)).fetch_all(conn).await?;
    let tokens = rows.into_iter().map(|row| EnrollmentToken {
        token_id: row.token_id,
        label: row.label,
        max_uses: row.max_uses.unsigned_abs(),
        uses: row.uses.unsigned_abs(),
        expires_at: row.expires_at.to_jiff(),
        revoked_at: row.revoked_at.map(jiff_sqlx::Timestamp::to_jiff),
        created_at: row.created_at.to_jiff(),
        created_by: row.created_by,
    });
    Ok(tokens.collect())
}
