//! Setup, login, sessions: how they begin, what they are worth, how they end.

pub mod attempts;
pub mod endings;
pub mod keys;
pub mod secrets;
pub mod sessions;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::task::spawn_blocking;
use tyr_api::auth::{AuthStatus, Credentials, Role, Session};
use tyr_api::users::{KeyRotation, PasswordChange};
use uuid::Uuid;

use crate::app::App;
use crate::app::audit::{self, Action, Actor};
use crate::app::auth::endings::Ended;
use crate::app::auth::keys::KeyError;
use crate::app::auth::secrets::HashError;
use crate::app::auth::sessions::TokenError;
use crate::db::users::{role_of, role_word};
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
    /// The session that asks.
    pub session_id: Uuid,
    /// When that session ends.
    pub session_expires_at: Timestamp,
    /// What the session's token carries; all end when the user's goes up.
    pub token_version: i32,
    /// Name of the key that signed the token.
    pub key_id: String,
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

impl Origin {
    /// What failed logins are counted by; one source for all where none is known.
    fn counted(self) -> IpAddr {
        self.source.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
    }
}

/// Why there is no session.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// The first admin exists already.
    #[error("this server is set up already")]
    AlreadySetUp,
    /// The name for a new user is no good.
    #[error(
        "a user name has 1 to {USERNAME_CHARS_MAX} letters, digits and `. _ - @ +`, and begins with a letter or digit"
    )]
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
    /// The current password that came with a change was another.
    #[error("the current password is wrong")]
    WrongPassword,
    /// A change to the same password.
    #[error("the new password is the current one")]
    SamePassword,
    /// The session was logged out, or all of the user's were ended: by a change of password or role, or by logging out everywhere.
    #[error("the session was ended")]
    SessionEnded,
    /// The token is not good.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The token is good, but its user was removed.
    #[error("the user of this session does not exist any more")]
    UserGone,
    /// The password could not be checked.
    #[error("the password could not be checked")]
    Hash(#[from] HashError),
    /// The session keys could not be replaced; those from before hold.
    #[error("the session keys could not be replaced")]
    Key(#[from] KeyError),
    /// The task that replaces the keys panicked.
    #[error("the session keys could not be replaced")]
    Task(#[source] tokio::task::JoinError),
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
pub async fn set_up(app: &App, credentials: &Credentials, origin: Origin) -> Result<Session, AuthError> {
    if users::exist(&app.pool).await? {
        return Err(AuthError::AlreadySetUp);
    }
    check_username(&credentials.username)?;
    check_password(&credentials.password)?;
    let hash = app.secrets.hash(&credentials.password).await?;
    let user_id = Uuid::now_v7();
    let mut tx = app.pool.begin().await.map_err(DbError::from)?;
    let (username, role) = (credentials.username.clone(), Role::Admin);
    if !users::insert_first(&mut tx, user_id, &username, &hash, role_word(role)).await? {
        return Err(AuthError::AlreadySetUp);
    }
    users::logged_in(&mut *tx, user_id).await?;
    audit::record(&mut tx, &actor(&username, user_id, origin), Action::Setup, &username, &[]).await?;
    tx.commit().await.map_err(DbError::from)?;
    tracing::info!(user.name = username, "the first admin was made");
    Ok(session(app, user_id, 0, username, role))
}

/// Trades name and password for a session. Unknown users take as long as known ones.
///
/// # Errors
/// See [`AuthError`].
pub async fn log_in(app: &App, credentials: &Credentials, origin: Origin) -> Result<Session, AuthError> {
    let Credentials { username, password } = credentials;
    if username.chars().count() > USERNAME_CHARS_MAX || username.contains('\0') || password.len() > PASSWORD_BYTES_MAX {
        return Err(AuthError::WrongCredentials);
    }
    app.attempts.begin(username, origin.counted(), Instant::now()).map_err(AuthError::TooManyAttempts)?;
    let user = users::by_name(&app.pool, username).await?;
    let right = app.secrets.verify(password, user.as_ref().map(|user| user.password_hash.as_str())).await?;
    let Some(user) = user.as_ref().filter(|_| right) else {
        // Both kinds of failure take the same way.
        let actor = match &user {
            Some(user) => actor(&user.username, user.user_id, origin),
            None => Actor::unknown(origin.source, origin.request_id),
        };
        let mut tx = app.pool.begin().await.map_err(DbError::from)?;
        audit::record(&mut tx, &actor, Action::LoginFailed, "", &[]).await?;
        tx.commit().await.map_err(DbError::from)?;
        tracing::warn!(user.name = actor.name, peer.address = %origin.counted(), "a login failed");
        return Err(AuthError::WrongCredentials);
    };
    let mut tx = app.pool.begin().await.map_err(DbError::from)?;
    // Removed while the password was checked.
    if !users::logged_in(&mut *tx, user.user_id).await? {
        return Err(AuthError::WrongCredentials);
    }
    audit::record(&mut tx, &actor(username, user.user_id, origin), Action::Login, "", &[]).await?;
    tx.commit().await.map_err(DbError::from)?;
    app.attempts.succeeded(username, origin.counted(), Instant::now());
    // With the version from before the check: a password that was changed meanwhile gives a session that has ended.
    Ok(session(app, user.user_id, user.token_version, user.username.clone(), role_of(&user.role)))
}

/// Whose token this is, by what the database says now.
///
/// # Errors
/// [`AuthError::Token`], [`AuthError::UserGone`], [`AuthError::SessionEnded`] or [`AuthError::Db`].
pub async fn identify(app: &App, token: &str, origin: Origin) -> Result<User, AuthError> {
    let session = app.session_keys.check(token)?;
    let user = users::identity(&app.pool, session.user_id, session.session_id).await?.ok_or(AuthError::UserGone)?;
    if user.logged_out || user.token_version != session.token_version {
        return Err(AuthError::SessionEnded);
    }
    Ok(User {
        user_id: session.user_id,
        username: user.username,
        role: role_of(&user.role),
        session_id: session.session_id,
        session_expires_at: session.expires_at,
        token_version: session.token_version,
        key_id: session.key_id,
        source: origin.source,
        request_id: origin.request_id,
    })
}

/// Whether a session still holds: not expired, not ended, its key in force and its user there.
///
/// # Errors
/// When the database failed, which says nothing about the session.
pub async fn still_valid(app: &App, user: &User) -> Result<bool, DbError> {
    if Timestamp::now() >= user.session_expires_at || !app.session_keys.takes(&user.key_id) {
        return Ok(false);
    }
    let now = users::identity(&app.pool, user.user_id, user.session_id).await?;
    Ok(now.is_some_and(|now| !now.logged_out && now.token_version == user.token_version))
}

/// Ends the session that asks, or with `everywhere` all of its user.
///
/// # Errors
/// When the database failed: then nothing has ended.
pub async fn log_out(app: &App, user: &User, everywhere: bool) -> Result<(), DbError> {
    let mut tx = app.pool.begin().await?;
    let ended = if everywhere {
        users::end_sessions(&mut *tx, user.user_id).await?;
        Ended::User(user.user_id)
    } else {
        users::end_session(&mut tx, user.user_id, user.session_id, user.session_expires_at).await?;
        Ended::Session(user.session_id)
    };
    audit::record(&mut tx, &user.actor(), Action::Logout, "", &[("everywhere", &everywhere)]).await?;
    tx.commit().await?;
    app.endings.tell(ended);
    Ok(())
}

/// Changes the password of the user who asks. All of its sessions end; the answer is a new one. Wrong current passwords count as
/// failed logins do: a stolen session must not be a way to guess.
///
/// # Errors
/// See [`AuthError`]: then nothing has changed.
pub async fn change_password(app: &App, user: &User, change: &PasswordChange) -> Result<Session, AuthError> {
    check_password(&change.new_password)?;
    let source = user.source.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    app.attempts.begin(&user.username, source, Instant::now()).map_err(AuthError::TooManyAttempts)?;
    let row = users::by_id(&app.pool, user.user_id).await?.ok_or(AuthError::UserGone)?;
    let known = change.current_password.len() <= PASSWORD_BYTES_MAX;
    if !known || !app.secrets.verify(&change.current_password, Some(&row.password_hash)).await? {
        let mut tx = app.pool.begin().await.map_err(DbError::from)?;
        audit::record(&mut tx, &user.actor(), Action::PasswordChangeFailed, "", &[]).await?;
        tx.commit().await.map_err(DbError::from)?;
        return Err(AuthError::WrongPassword);
    }
    app.attempts.succeeded(&user.username, source, Instant::now());
    if change.current_password == change.new_password {
        return Err(AuthError::SamePassword);
    }
    let hash = app.secrets.hash(&change.new_password).await?;
    let mut tx = app.pool.begin().await.map_err(DbError::from)?;
    // Changed by somebody else while this one was checked: the current password was not right any more.
    let Some(version) = users::set_password(&mut *tx, user.user_id, &hash, Some(&row.password_hash)).await? else {
        return Err(AuthError::WrongPassword);
    };
    audit::record(&mut tx, &user.actor(), Action::PasswordChange, "", &[]).await?;
    tx.commit().await.map_err(DbError::from)?;
    app.endings.tell(Ended::User(user.user_id));
    tracing::info!(user.name = user.username, "a password was changed");
    Ok(session(app, user.user_id, version, user.username.clone(), user.role))
}

/// Makes a new key for session tokens. Tokens of the key before stay good until they expire, or, with `end_sessions`, all end but
/// for a new one of who asked.
///
/// # Errors
/// See [`AuthError`]. When the database fails last, the key was replaced without an entry in the audit log; the log has a line.
pub async fn rotate_key(app: &Arc<App>, user: &User, end_sessions: bool) -> Result<KeyRotation, AuthError> {
    let mut tx = app.pool.begin().await.map_err(DbError::from)?;
    let shared = Arc::clone(app);
    let ring = spawn_blocking(move || shared.session_keys.rotate(end_sessions)).await.map_err(AuthError::Task)??;
    tracing::info!(key.id = ring.current.id, end_sessions, user.name = user.username, "the session key was replaced");
    if end_sessions {
        app.endings.tell(Ended::Key);
    }
    let actor = user.actor();
    audit::record(&mut tx, &actor, Action::KeyRotate, &ring.current.id, &[("end_sessions", &end_sessions)]).await?;
    tx.commit().await.map_err(DbError::from)?;
    let session =
        end_sessions.then(|| session(app, user.user_id, user.token_version, user.username.clone(), user.role));
    Ok(KeyRotation {
        key_id: ring.current.id.clone(),
        previous_key_id: ring.previous.as_ref().map(|key| key.id.clone()),
        session,
    })
}

pub(super) fn check_username(name: &str) -> Result<(), AuthError> {
    let allowed = |c: char| c.is_alphanumeric() || "._-@+".contains(c);
    let begins = name.chars().next().is_some_and(char::is_alphanumeric);
    if begins && name.chars().count() <= USERNAME_CHARS_MAX && name.chars().all(allowed) {
        Ok(())
    } else {
        Err(AuthError::BadUsername)
    }
}

pub(super) fn check_password(password: &str) -> Result<(), AuthError> {
    if (PASSWORD_BYTES_MIN..=PASSWORD_BYTES_MAX).contains(&password.len()) {
        Ok(())
    } else {
        Err(AuthError::BadPassword)
    }
}

fn actor(username: &str, user_id: Uuid, origin: Origin) -> Actor {
    Actor { name: username.to_owned(), user_id: Some(user_id), source: origin.source, request_id: origin.request_id }
}

fn session(app: &App, user_id: Uuid, token_version: i32, username: String, role: Role) -> Session {
    let (token, expires_at) = app.session_keys.issue(user_id, token_version, Timestamp::now());
    Session { token, expires_at, username, role }
}
