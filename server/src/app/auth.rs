//! Setup, login, sessions.

pub mod attempts;
pub mod secrets;
pub mod sessions;

use std::net::IpAddr;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tyr_api::auth::{AuthStatus, Credentials, Role, Session};
use uuid::Uuid;

use crate::app::App;
use crate::app::audit::Actor;
use crate::app::auth::secrets::HashError;
use crate::app::auth::sessions::TokenError;
use crate::db::{DbError, users};

/// Longest user name, in characters.
pub const USERNAME_CHARS_MAX: usize = 64;
/// Shortest password of a new user, in bytes.
pub const PASSWORD_BYTES_MIN: usize = 12;
/// Longest password, in bytes.
pub const PASSWORD_BYTES_MAX: usize = 1024;

/// Who is asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Its id.
    pub user_id: Uuid,
    /// Its unique name.
    pub username: String,
    /// What it may do.
    pub role: Role,
    /// When its session ends.
    pub session_expires_at: Timestamp,
    /// Address that the request came from.
    pub source: Option<IpAddr>,
    /// The request, as in the log.
    pub request_id: Option<Uuid>,
}

impl User {
    /// The user as the one who does something, for the audit log.
    pub fn actor(&self) -> Actor {
        Actor {
            name: self.username.clone(),
            user_id: Some(self.user_id),
            source: self.source,
            request_id: self.request_id,
        }
    }
}

/// From where something is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Address of the client, or of the proxy in front of us.
    pub source: Option<IpAddr>,
    /// The request, as in the log.
    pub request_id: Option<Uuid>,
}

/// Why there is no session.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// The first admin exists already.
    #[error("this server is set up already")]
    AlreadySetUp,
    /// The name for a new user is no good.
    #[error("a user name has 1 to {USERNAME_CHARS_MAX} characters, without spaces and control characters")]
    BadUsername,
    /// The password for a new user is no good.
    #[error("a password has {PASSWORD_BYTES_MIN} to {PASSWORD_BYTES_MAX} bytes")]
    BadPassword,
    /// No such user, or another password; which of the two is nobody's business.
    #[error("user name or password is wrong")]
    WrongCredentials,
    /// Too many failures from there.
    #[error("too many failed logins for this account from this address")]
    TooManyAttempts(Duration),
    /// The token is not good.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The token is good, but its user was removed.
    #[error("the user of this session does not exist any more")]
    UserGone,
    /// The password could not be checked.
    #[error("the password could not be checked")]
    Hash(#[from] HashError),
    /// The database failed; nothing was changed.
    #[error("the database failed")]
    Db(#[from] DbError),
}

/// Whether the first admin exists.
pub async fn status(app: &App) -> Result<AuthStatus, DbError> {
    Ok(AuthStatus { configured: users::exist(&app.pool).await? })
}

/// Makes the first admin and logs it in. Of several at once exactly one succeeds.
///
/// # Errors
/// See [`AuthError`]; then there is no new user.
pub async fn set_up(app: &App, credentials: &Credentials) -> Result<Session, AuthError> {
    if users::exist(&app.pool).await? {
        return Err(AuthError::AlreadySetUp);
    }
    check_new(credentials)?;
    let hash = app.secrets.hash(&credentials.password).await?;
    let user_id = Uuid::now_v7();
    let mut tx = app.pool.begin().await.map_err(DbError::from)?;
    let role = Role::Admin;
    if !users::insert_first(&mut tx, user_id, &credentials.username, &hash, role_word(role)).await? {
        return Err(AuthError::AlreadySetUp);
    }
    tx.commit().await.map_err(DbError::from)?;
    tracing::info!(user.name = credentials.username, "the first admin was made");
    Ok(session(app, user_id, credentials.username.clone(), role))
}

/// Trades name and password for a session. Unknown users take as long as known ones.
///
/// # Errors
/// See [`AuthError`].
pub async fn log_in(app: &App, credentials: &Credentials, source: IpAddr) -> Result<Session, AuthError> {
    let Credentials { username, password } = credentials;
    if username.chars().count() > USERNAME_CHARS_MAX || username.contains('\0') || password.len() > PASSWORD_BYTES_MAX {
        return Err(AuthError::WrongCredentials);
    }
    if let Some(wait) = app.attempts.wait(username, source, Instant::now()) {
        return Err(AuthError::TooManyAttempts(wait));
    }
    app.attempts.begin(username, source, Instant::now());
    let user = users::by_name(&app.pool, username).await?;
    if !app.secrets.verify(password, user.as_ref().map(|user| user.password_hash.as_str())).await? {
        tracing::warn!(user.name = username, peer.address = %source, "a login failed");
        return Err(AuthError::WrongCredentials);
    }
    let user = user.ok_or(AuthError::WrongCredentials)?;
    app.attempts.succeeded(username, source);
    Ok(session(app, user.user_id, user.username, role_of(&user.role)))
}

/// Whose token this is, by what the database says now.
///
/// # Errors
/// [`AuthError::Token`], [`AuthError::UserGone`] or [`AuthError::Db`].
pub async fn identify(app: &App, token: &str, origin: Origin) -> Result<User, AuthError> {
    let session = app.session_key.check(token)?;
    let (username, role) = users::identity(&app.pool, session.user_id).await?.ok_or(AuthError::UserGone)?;
    Ok(User {
        user_id: session.user_id,
        username,
        role: role_of(&role),
        session_expires_at: session.expires_at,
        source: origin.source,
        request_id: origin.request_id,
    })
}

/// Whether a session still holds: not expired, and its user there.
///
/// # Errors
/// When the database failed, which says nothing about the session.
pub async fn still_valid(app: &App, user: &User) -> Result<bool, DbError> {
    Ok(Timestamp::now() < user.session_expires_at && users::identity(&app.pool, user.user_id).await?.is_some())
}

pub(super) fn check_new(credentials: &Credentials) -> Result<(), AuthError> {
    let name = &credentials.username;
    let plain = !name.chars().any(|c| c.is_control() || c.is_whitespace());
    if name.is_empty() || name.chars().count() > USERNAME_CHARS_MAX || !plain {
        return Err(AuthError::BadUsername);
    }
    if !(PASSWORD_BYTES_MIN..=PASSWORD_BYTES_MAX).contains(&credentials.password.len()) {
        return Err(AuthError::BadPassword);
    }
    Ok(())
}

fn session(app: &App, user_id: Uuid, username: String, role: Role) -> Session {
    let (token, expires_at) = app.session_key.issue(user_id, Timestamp::now());
    Session { token, expires_at, username, role }
}

/// The word of the type `user_role`.
pub(super) fn role_word(role: Role) -> &'static str {
    match role {
        Role::Viewer => "viewer",
        Role::Admin => "admin",
    }
}

/// The lesser role for a word from a newer schema: unknown rights are no rights.
fn role_of(word: &str) -> Role {
    if word == "admin" { Role::Admin } else { Role::Viewer }
}
