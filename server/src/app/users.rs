//! Users.

use tyr_api::auth::{Credentials, Role};
use uuid::Uuid;

use crate::app::App;
use crate::app::auth::{AuthError, check_new, role_word};
use crate::db::{DbError, users};

/// Why a user was not made.
#[derive(Debug, thiserror::Error)]
pub enum UserError {
    /// Somebody has that name.
    #[error("there is a user of that name already")]
    NameTaken,
    /// Name or password is no good, or could not be hashed.
    #[error(transparent)]
    Credentials(#[from] AuthError),
    /// The database failed; nothing was changed.
    #[error("the database failed")]
    Db(#[from] DbError),
}

/// Makes a user and gives its id.
///
/// # Errors
/// See [`UserError`].
pub async fn create(app: &App, credentials: &Credentials, role: Role) -> Result<Uuid, UserError> {
    check_new(credentials)?;
    let hash = app.secrets.hash(&credentials.password).await.map_err(AuthError::from)?;
    let user_id = Uuid::now_v7();
    users::insert(&app.pool, user_id, &credentials.username, &hash, role_word(role)).await.map_err(
        |error| match error.constraint() {
            Some("users_username_unique") => UserError::NameTaken,
            _ => UserError::Db(error),
        },
    )?;
    Ok(user_id)
}

/// Removes a user: its sessions are refused from now on and its streams end within five seconds. False: there was none.
pub async fn delete(app: &App, user_id: Uuid) -> Result<bool, DbError> {
    users::delete(&app.pool, user_id).await
}
