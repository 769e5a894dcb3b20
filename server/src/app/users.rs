//! Users: made, changed and removed by admins.
//!
//! Whatever takes rights away (another role, another password, removal) ends the user's sessions at once. There is always an
//! admin left: what would take the last one away is refused, also when two of them do it to each other at the same time.

use sqlx::PgConnection;
use tyr_api::auth::Role;
use tyr_api::page::Page;
use tyr_api::users::{NewUser, User, UserChange};
use uuid::Uuid;

use crate::app::App;
use crate::app::audit::{self, Action, Actor};
use crate::app::auth::endings::Ended;
use crate::app::auth::{AuthError, check_password, check_username};
use crate::app::query::cut;
use crate::db::users::{Which, role_word};
use crate::db::{DbError, users};

/// Why a user was not made, changed or removed. Nothing has changed then.
#[derive(Debug, thiserror::Error)]
pub enum UserError {
    /// There is no user of that id.
    #[error("there is no user `{0}`")]
    Unknown(Uuid),
    /// Somebody has that name.
    #[error("there is a user of that name already")]
    NameTaken,
    /// Nobody could make users any more.
    #[error("`{0}` is the last admin")]
    LastAdmin(String),
    /// A change that changes nothing.
    #[error("neither `role` nor `password` is given")]
    NoChange,
    /// Name or password is no good, or could not be hashed.
    #[error(transparent)]
    Credentials(#[from] AuthError),
    /// The database failed.
    #[error("the database failed")]
    Db(#[from] DbError),
}

/// A page of users, by name. None: the cursor is no name that a user can have.
///
/// # Errors
/// When the database failed.
pub async fn list(app: &App, after: Option<&str>, limit: u32) -> Result<Option<Page<User>>, DbError> {
    if after.is_some_and(|after| check_username(after).is_err()) {
        return Ok(None);
    }
    let mut items = users::list(&app.pool, Which::Page { after, limit: limit + 1 }).await?;
    let more = cut(&mut items, limit);
    let next_cursor = items.last().filter(|_| more).map(|last| last.username.clone());
    Ok(Some(Page { items, next_cursor }))
}

/// One user.
///
/// # Errors
/// When the database failed.
pub async fn show(app: &App, user_id: Uuid) -> Result<Option<User>, DbError> {
    Ok(users::list(&app.pool, Which::One(user_id)).await?.pop())
}

/// Makes a user.
///
/// # Errors
/// See [`UserError`].
pub async fn create(app: &App, new: &NewUser, actor: &Actor) -> Result<User, UserError> {
    check_username(&new.username)?;
    check_password(&new.password)?;
    let hash = app.secrets.hash(&new.password).await.map_err(AuthError::from)?;
    let (user_id, role) = (Uuid::now_v7(), role_word(new.role));
    let mut tx = app.pool.begin().await.map_err(DbError::from)?;
    users::insert(&mut *tx, user_id, &new.username, &hash, role).await.map_err(|error| match error.constraint() {
        Some(users::NAME_TAKEN) => UserError::NameTaken,
        _ => UserError::Db(error),
    })?;
    let facts = &[("user_id", &user_id as audit::Fact<'_>), ("role", &role)];
    audit::record(&mut tx, actor, Action::UserCreate, &new.username, facts).await?;
    let user = get(&mut tx, user_id).await?;
    tx.commit().await.map_err(DbError::from)?;
    Ok(user)
}

/// Changes role or password of a user, or both. Its sessions end, unless it only got the role that it has.
///
/// # Errors
/// See [`UserError`].
pub async fn change(app: &App, user_id: Uuid, change: &UserChange, actor: &Actor) -> Result<User, UserError> {
    if change.role.is_none() && change.password.is_none() {
        return Err(UserError::NoChange);
    }
    let hash = match &change.password {
        Some(password) => {
            check_password(password)?;
            Some(app.secrets.hash(password).await.map_err(AuthError::from)?)
        }
        None => None,
    };
    let mut tx = app.pool.begin().await.map_err(DbError::from)?;
    let admins = users::lock_admins(&mut *tx).await?;
    let before = get(&mut tx, user_id).await?;
    if let Some(role) = change.role {
        if role != Role::Admin && admins == [user_id] {
            return Err(UserError::LastAdmin(before.username));
        }
        if users::set_role(&mut *tx, user_id, role_word(role)).await? {
            let (old, new) = (role_word(before.role), role_word(role));
            let facts = &[("user_id", &user_id as audit::Fact<'_>), ("role", &new), ("role_before", &old)];
            audit::record(&mut tx, actor, Action::UserRole, &before.username, facts).await?;
        }
    }
    if let Some(hash) = hash {
        users::set_password(&mut *tx, user_id, &hash, None).await?;
        audit::record(&mut tx, actor, Action::UserPassword, &before.username, &[("user_id", &user_id)]).await?;
    }
    let user = get(&mut tx, user_id).await?;
    tx.commit().await.map_err(DbError::from)?;
    app.endings.tell(Ended::User(user_id));
    Ok(user)
}

/// Removes a user: its sessions are refused from now on and its streams end.
///
/// # Errors
/// See [`UserError`].
pub async fn delete(app: &App, user_id: Uuid, actor: &Actor) -> Result<(), UserError> {
    let mut tx = app.pool.begin().await.map_err(DbError::from)?;
    let admins = users::lock_admins(&mut *tx).await?;
    let user = get(&mut tx, user_id).await?;
    if admins == [user_id] {
        return Err(UserError::LastAdmin(user.username));
    }
    if !users::delete(&mut *tx, user_id).await? {
        return Err(UserError::Unknown(user_id));
    }
    let facts = &[("user_id", &user_id as audit::Fact<'_>), ("role", &role_word(user.role))];
    audit::record(&mut tx, actor, Action::UserDelete, &user.username, facts).await?;
    tx.commit().await.map_err(DbError::from)?;
    app.endings.tell(Ended::User(user_id));
    Ok(())
}

async fn get(conn: &mut PgConnection, user_id: Uuid) -> Result<User, UserError> {
    users::list(conn, Which::One(user_id)).await?.pop().ok_or(UserError::Unknown(user_id))
}
