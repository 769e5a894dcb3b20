//! `/api/v1/users…`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use tyr_api::error::ErrorBody;
use tyr_api::page::{Page, PageQuery};
use tyr_api::users::{NewUser, User, UserChange};
use uuid::Uuid;

use super::error::ApiError;
use super::json::Json;
use super::params::{CURSOR, NoParams, Params, invalid, page};
use super::path::{Id, missing};
use super::who::Admin;
use crate::app::App;
use crate::app::users::{self, UserError};

/// Users, by name.
#[utoipa::path(
    get,
    path = "/api/v1/users",
    tag = "users",
    params(PageQuery),
    responses((status = 200, description = "Users, by name", body = Page<User>)),
    security(("session" = ["admin"])),
)]
pub async fn list(_: Admin, State(app): State<Arc<App>>, params: Params) -> Result<Json<Page<User>>, ApiError> {
    let (params, limit) = page(params)?;
    let cursor = params.text("cursor");
    let known = users::list(&app, cursor, limit).await?;
    known.map(Json).ok_or_else(|| invalid("cursor", cursor.unwrap_or_default(), &CURSOR))
}

/// One user.
#[utoipa::path(
    get,
    path = "/api/v1/users/{id}",
    tag = "users",
    params(("id" = Uuid, Path, description = "The user's id")),
    responses((status = 200, description = "The user", body = User)),
    security(("session" = ["admin"])),
)]
pub async fn show(
    _: Admin,
    State(app): State<Arc<App>>,
    Id(id): Id<Uuid>,
    _: NoParams,
) -> Result<Json<User>, ApiError> {
    Ok(Json(users::show(&app, id).await?.ok_or_else(|| missing("user", id))?))
}

/// Makes a user.
#[utoipa::path(
    post,
    path = "/api/v1/users",
    tag = "users",
    request_body = NewUser,
    responses(
        (status = 201, description = "The user", body = User),
        (status = 409, description = "There is a user of that name", body = ErrorBody),
    ),
    security(("session" = ["admin"])),
)]
pub async fn create(
    Admin(admin): Admin,
    State(app): State<Arc<App>>,
    _: NoParams,
    Json(new): Json<NewUser>,
) -> Result<(StatusCode, Json<User>), ApiError> {
    Ok((StatusCode::CREATED, Json(users::create(&app, &new, &admin.actor()).await?)))
}

/// Changes a user's role or password, which ends its sessions.
#[utoipa::path(
    patch,
    path = "/api/v1/users/{id}",
    tag = "users",
    params(("id" = Uuid, Path, description = "The user's id")),
    request_body = UserChange,
    responses(
        (status = 200, description = "The user as it is now", body = User),
        (status = 409, description = "It is the last admin", body = ErrorBody),
    ),
    security(("session" = ["admin"])),
)]
pub async fn change(
    Admin(admin): Admin,
    State(app): State<Arc<App>>,
    Id(id): Id<Uuid>,
    _: NoParams,
    Json(change): Json<UserChange>,
) -> Result<Json<User>, ApiError> {
    Ok(Json(users::change(&app, id, &change, &admin.actor()).await?))
}

/// Removes a user, which ends its sessions.
#[utoipa::path(
    delete,
    path = "/api/v1/users/{id}",
    tag = "users",
    params(("id" = Uuid, Path, description = "The user's id")),
    responses(
        (status = 204, description = "Removed"),
        (status = 409, description = "It is the last admin", body = ErrorBody),
    ),
    security(("session" = ["admin"])),
)]
pub async fn delete(
    Admin(admin): Admin,
    State(app): State<Arc<App>>,
    Id(id): Id<Uuid>,
    _: NoParams,
) -> Result<StatusCode, ApiError> {
    users::delete(&app, id, &admin.actor()).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl From<UserError> for ApiError {
    fn from(error: UserError) -> Self {
        let message = error.to_string();
        match error {
            UserError::Unknown(id) => missing("user", id),
            UserError::NameTaken => Self::conflict("username_taken", message).hint("choose another name"),
            UserError::LastAdmin(_) => {
                Self::conflict("last_admin", message).hint("make another user an admin first, so that somebody is left")
            }
            UserError::NoChange => Self::bad_request("invalid_body", message),
            UserError::Credentials(error) => error.into(),
            UserError::Db(error) => error.into(),
        }
    }
}
