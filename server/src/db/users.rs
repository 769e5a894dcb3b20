//! Users and their roles.

use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use super::DbError;

/// A user with the hash to check a password against.
#[derive(Debug)]
pub struct UserRow {
    /// Its id.
    pub user_id: Uuid,
    /// Its unique name.
    pub username: String,
    /// PHC string.
    pub password_hash: String,
    /// `viewer` or `admin`.
    pub role: String,
}

/// Whether there is any user.
pub async fn exist(conn: impl PgExecutor<'_>) -> Result<bool, DbError> {
    Ok(sqlx::query_scalar!(r#"SELECT EXISTS (SELECT FROM users) AS "exist!""#).fetch_one(conn).await?)
}

/// The user of that name.
pub async fn by_name(conn: impl PgExecutor<'_>, username: &str) -> Result<Option<UserRow>, DbError> {
    let query = sqlx::query_as!(
        UserRow,
        r#"SELECT user_id, username, password_hash, role::text AS "role!" FROM users WHERE username = $1"#,
        username
    );
    Ok(query.fetch_optional(conn).await?)
}

/// Name and role of a user, if it (still) exists.
pub async fn identity(conn: impl PgExecutor<'_>, user_id: Uuid) -> Result<Option<(String, String)>, DbError> {
    let query = sqlx::query!(r#"SELECT username, role::text AS "role!" FROM users WHERE user_id = $1"#, user_id);
    Ok(query.fetch_optional(conn).await?.map(|row| (row.username, row.role)))
}

/// Makes a user if there is none at all; false: there is one. The table stays locked until the transaction ends, so that
/// of several at once exactly one succeeds.
pub async fn insert_first(
    conn: &mut PgConnection,
    user_id: Uuid,
    username: &str,
    password_hash: &str,
    role: &str,
) -> Result<bool, DbError> {
    sqlx::query!("LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE").execute(&mut *conn).await?;
    let done = sqlx::query!(
        "INSERT INTO users (user_id, username, password_hash, role)
         SELECT $1, $2, $3, $4::text::user_role WHERE NOT EXISTS (SELECT FROM users)",
        user_id,
        username,
        password_hash,
        role
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Makes a further user. A name that is taken is the constraint `users_username_unique`.
pub async fn insert(
    conn: impl PgExecutor<'_>,
    user_id: Uuid,
    username: &str,
    password_hash: &str,
    role: &str,
) -> Result<(), DbError> {
    sqlx::query!(
        "INSERT INTO users (user_id, username, password_hash, role) VALUES ($1, $2, $3, $4::text::user_role)",
        user_id,
        username,
        password_hash,
        role
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Removes a user; its sessions end with it. False: there was none.
pub async fn delete(conn: impl PgExecutor<'_>, user_id: Uuid) -> Result<bool, DbError> {
    Ok(sqlx::query!("DELETE FROM users WHERE user_id = $1", user_id).execute(conn).await?.rows_affected() == 1)
}
