//! Users, their roles, and sessions that ended.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::{PgConnection, PgExecutor};
use tyr_api::auth::Role;
use tyr_api::users::User;
use uuid::Uuid;

use super::DbError;

/// Constraint that refuses a name which another user has.
pub const NAME_TAKEN: &str = "users_username_unique";

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
    /// What its tokens have to carry.
    pub token_version: i32,
}

/// What a session is worth now.
#[derive(Debug)]
pub struct Identity {
    /// Name of its user.
    pub username: String,
    /// `viewer` or `admin`.
    pub role: String,
    /// What the user's tokens have to carry.
    pub token_version: i32,
    /// Whether this very session was logged out.
    pub logged_out: bool,
}

/// The word of the type `user_role`.
pub fn role_word(role: Role) -> &'static str {
    match role {
        Role::Viewer => "viewer",
        Role::Admin => "admin",
    }
}

/// The lesser role for a word from a newer schema: unknown rights are no rights.
pub fn role_of(word: &str) -> Role {
    if word == "admin" { Role::Admin } else { Role::Viewer }
}

/// Whether there is any user.
pub async fn exist(conn: impl PgExecutor<'_>) -> Result<bool, DbError> {
    Ok(sqlx::query_scalar!(r#"SELECT EXISTS (SELECT FROM users) AS "exist!""#).fetch_one(conn).await?)
}

/// The user of that name.
pub async fn by_name(conn: impl PgExecutor<'_>, username: &str) -> Result<Option<UserRow>, DbError> {
    let query = sqlx::query_as!(
        UserRow,
        r#"SELECT user_id, username, password_hash, role::text AS "role!", token_version
           FROM users WHERE username = $1"#,
        username
    );
    Ok(query.fetch_optional(conn).await?)
}

/// The user of that id.
pub async fn by_id(conn: impl PgExecutor<'_>, user_id: Uuid) -> Result<Option<UserRow>, DbError> {
    let query = sqlx::query_as!(
        UserRow,
        r#"SELECT user_id, username, password_hash, role::text AS "role!", token_version
           FROM users WHERE user_id = $1"#,
        user_id
    );
    Ok(query.fetch_optional(conn).await?)
}

/// What a session of a user is worth, if the user (still) exists.
pub async fn identity(conn: impl PgExecutor<'_>, user_id: Uuid, session_id: Uuid) -> Result<Option<Identity>, DbError> {
    let query = sqlx::query_as!(
        Identity,
        r#"SELECT username, role::text AS "role!", token_version,
                  EXISTS (SELECT FROM ended_sessions WHERE session_id = $2) AS "logged_out!"
           FROM users WHERE user_id = $1"#,
        user_id,
        session_id
    );
    Ok(query.fetch_optional(conn).await?)
}

/// Which users to read.
#[derive(Clone, Copy, Debug)]
pub enum Which<'a> {
    /// This one.
    One(Uuid),
    /// At most `limit`, behind that name.
    Page {
        /// The last one of the page before; nobody has to have that name any more.
        after: Option<&'a str>,
        /// Most of them.
        limit: u32,
    },
}

/// Users by name.
pub async fn list(conn: impl PgExecutor<'_>, which: Which<'_>) -> Result<Vec<User>, DbError> {
    let (user_id, after, limit) = match which {
        Which::One(user_id) => (Some(user_id), None, 1),
        Which::Page { after, limit } => (None, after, limit),
    };
    let rows = sqlx::query_file!("src/db/sql/users.sql", user_id, after, i64::from(limit)).fetch_all(conn).await?;
    let users = rows.into_iter().map(|row| User {
        user_id: row.user_id,
        username: row.username,
        role: role_of(&row.role),
        created_at: row.created_at.to_jiff(),
        password_changed_at: row.password_changed_at.map(jiff_sqlx::Timestamp::to_jiff),
        last_login_at: row.last_login_at.map(jiff_sqlx::Timestamp::to_jiff),
    });
    Ok(users.collect())
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

/// Makes a further user. A name that is taken is the constraint [`NAME_TAKEN`].
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

/// The admins, locked until the transaction ends: whoever takes a right away from one waits here for the others that do, and then
/// sees what they left.
pub async fn lock_admins(conn: impl PgExecutor<'_>) -> Result<Vec<Uuid>, DbError> {
    Ok(sqlx::query_scalar!("SELECT user_id FROM users WHERE role = 'admin' ORDER BY user_id FOR UPDATE")
        .fetch_all(conn)
        .await?)
}

/// Gives a user another role, which ends its sessions. False: there is none, or it has that role already.
pub async fn set_role(conn: impl PgExecutor<'_>, user_id: Uuid, role: &str) -> Result<bool, DbError> {
    let done = sqlx::query!(
        "UPDATE users SET role = $2::text::user_role, token_version = token_version + 1
         WHERE user_id = $1 AND role <> $2::text::user_role",
        user_id,
        role
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Gives a user another password, which ends its sessions, and gives what new tokens have to carry. None: there is no such user, or
/// its password is not the one that `instead_of` is the hash of.
pub async fn set_password(
    conn: impl PgExecutor<'_>,
    user_id: Uuid,
    password_hash: &str,
    instead_of: Option<&str>,
) -> Result<Option<i32>, DbError> {
    Ok(sqlx::query_scalar!(
        "UPDATE users SET password_hash = $2, password_changed_at = now(), token_version = token_version + 1
         WHERE user_id = $1 AND ($3::text IS NULL OR password_hash = $3) RETURNING token_version",
        user_id,
        password_hash,
        instead_of
    )
    .fetch_optional(conn)
    .await?)
}

/// Ends all sessions of a user. False: there is no such user.
pub async fn end_sessions(conn: impl PgExecutor<'_>, user_id: Uuid) -> Result<bool, DbError> {
    let done = sqlx::query!("UPDATE users SET token_version = token_version + 1 WHERE user_id = $1", user_id);
    Ok(done.execute(conn).await?.rows_affected() == 1)
}

/// Ends one session. Forgets those whose tokens have expired since.
pub async fn end_session(
    conn: &mut PgConnection,
    user_id: Uuid,
    session_id: Uuid,
    expires_at: Timestamp,
) -> Result<(), DbError> {
    sqlx::query!(
        "INSERT INTO ended_sessions (session_id, user_id, expires_at) VALUES ($1, $2, $3)
         ON CONFLICT (session_id) DO NOTHING",
        session_id,
        user_id,
        expires_at.to_sqlx() as jiff_sqlx::Timestamp
    )
    .execute(&mut *conn)
    .await?;
    // An hour is far more than clocks may differ by.
    sqlx::query!("DELETE FROM ended_sessions WHERE expires_at < now() - interval '1 hour'").execute(conn).await?;
    Ok(())
}

/// Writes down that a user logged in now. False: there is no such user (any more).
pub async fn logged_in(conn: impl PgExecutor<'_>, user_id: Uuid) -> Result<bool, DbError> {
    let done = sqlx::query!("UPDATE users SET last_login_at = now() WHERE user_id = $1", user_id);
    Ok(done.execute(conn).await?.rows_affected() == 1)
}

/// Removes a user; its sessions end with it. False: there was none.
pub async fn delete(conn: impl PgExecutor<'_>, user_id: Uuid) -> Result<bool, DbError> {
    Ok(sqlx::query!("DELETE FROM users WHERE user_id = $1", user_id).execute(conn).await?.rows_affected() == 1)
}
