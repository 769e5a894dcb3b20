//! `/api/v1/alerts…` and `/api/v1/webhooks…`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use tyr_api::agents::List;
use tyr_api::alerts::{
    Acknowledgement, Alert, AlertFilter, AlertQuery, AlertRule, CreatedWebhook, NewWebhook, Webhook, WebhookTest,
};
use tyr_api::page::Page;
use uuid::Uuid;

use super::error::ApiError;
use super::json::Json;
use super::params::{NoParams, Params, invalid};
use super::path::{Id, missing};
use super::who::{Admin, Viewer};
use crate::app::App;
use crate::app::alerts::list::{self, AcknowledgeError};
use crate::app::alerts::webhooks::{self, WebhookError};
use crate::db::alerts::Filter;

/// Alerts of one answer, unless told.
const LIMIT_DEFAULT: u32 = 100;
const LIMIT_MAX: u32 = 1000;
/// Longest name of an agent that is worth looking for.
const NAME_CHARS_MAX: usize = 256;

/// Alerts, firing ones first.
#[utoipa::path(
    get,
    path = "/api/v1/alerts",
    tag = "alerts",
    params(AlertQuery),
    responses((status = 200, description = "Alerts, firing ones first", body = Page<Alert>)),
    security(("session" = ["viewer"])),
)]
pub async fn list(_: Viewer, State(app): State<Arc<App>>, params: Params) -> Result<Json<Page<Alert>>, ApiError> {
    let params = params.only(&["state", "rule", "agent", "limit", "cursor"])?;
    let mut filter = Filter::state(params.word::<AlertFilter>("state", AlertFilter::WORDS)?);
    filter.rule = params.word("rule", AlertRule::WORDS)?;
    match params.text("agent").map(|text| (text, text.parse())) {
        Some((_, Ok(agent_id))) => filter.agent_id = Some(agent_id),
        Some((name, Err(_))) if name.is_empty() || name.chars().count() > NAME_CHARS_MAX || name.contains('\0') => {
            return Err(invalid("agent", name, &"an agent's id or name"));
        }
        Some((name, Err(_))) => filter.agent_name = Some(name.to_owned()),
        None => {}
    }
    let limit = params.number("limit", 1, LIMIT_MAX)?.unwrap_or(LIMIT_DEFAULT);
    let after = params.parse("cursor", "the `next_cursor` of the page before")?;
    Ok(Json(list::page(&app, &filter, after, limit).await?))
}

/// Says that an alert is known.
#[utoipa::path(
    post,
    path = "/api/v1/alerts/{id}/acknowledge",
    tag = "alerts",
    params(("id" = Uuid, Path, description = "The alert")),
    request_body = Acknowledgement,
    responses(
        (status = 200, description = "The alert as it is now", body = Alert),
        (status = 409, description = "The alert is resolved", body = tyr_api::error::ErrorBody),
    ),
    security(("session" = ["admin"])),
)]
pub async fn acknowledge(
    Admin(user): Admin,
    State(app): State<Arc<App>>,
    Id(id): Id<Uuid>,
    _: NoParams,
    Json(body): Json<Acknowledgement>,
) -> Result<Json<Alert>, ApiError> {
    Ok(Json(list::acknowledge(&app, id, body.note.as_deref(), &user).await.map_err(|error| {
        let message = error.to_string();
        match error {
            AcknowledgeError::Unknown => missing("alert", id),
            AcknowledgeError::Resolved => ApiError::conflict("alert_resolved", message).hint("there is nothing to do"),
            AcknowledgeError::BadNote => ApiError::bad_request("invalid_note", message),
            AcknowledgeError::Db(error) => error.into(),
        }
    })?))
}

/// All webhooks without their secrets, oldest first.
#[utoipa::path(
    get,
    path = "/api/v1/webhooks",
    tag = "alerts",
    responses((status = 200, description = "Webhooks without their secrets, oldest first", body = List<Webhook>)),
    security(("session" = ["admin"])),
)]
pub async fn webhooks(_: Admin, State(app): State<Arc<App>>, _: NoParams) -> Result<Json<List<Webhook>>, ApiError> {
    Ok(Json(List { items: webhooks::list(&app).await? }))
}

/// Makes a webhook and shows its secret this once.
#[utoipa::path(
    post,
    path = "/api/v1/webhooks",
    tag = "alerts",
    request_body = NewWebhook,
    responses(
        (status = 201, description = "The webhook, its secret shown this once", body = CreatedWebhook),
        (status = 409, description = "There are as many as may be", body = tyr_api::error::ErrorBody),
    ),
    security(("session" = ["admin"])),
)]
pub async fn create_webhook(
    Admin(user): Admin,
    State(app): State<Arc<App>>,
    _: NoParams,
    Json(new): Json<NewWebhook>,
) -> Result<(StatusCode, Json<CreatedWebhook>), ApiError> {
    Ok((StatusCode::CREATED, Json(webhooks::create(&app, &new, &user).await?)))
}

/// Removes a webhook and what waits for it, and answers it as it was.
#[utoipa::path(
    delete,
    path = "/api/v1/webhooks/{id}",
    tag = "alerts",
    params(("id" = Uuid, Path, description = "The webhook")),
    responses((status = 200, description = "The webhook as it was", body = Webhook)),
    security(("session" = ["admin"])),
)]
pub async fn delete_webhook(
    Admin(user): Admin,
    State(app): State<Arc<App>>,
    Id(id): Id<Uuid>,
    _: NoParams,
) -> Result<Json<Webhook>, ApiError> {
    Ok(Json(webhooks::delete(&app, id, &user).await?.ok_or_else(|| missing("webhook", id))?))
}

/// Sends a message at once, and answers what became of it.
#[utoipa::path(
    post,
    path = "/api/v1/webhooks/{id}/test",
    tag = "alerts",
    params(("id" = Uuid, Path, description = "The webhook")),
    responses((status = 200, description = "What became of the message", body = WebhookTest)),
    security(("session" = ["admin"])),
)]
pub async fn test_webhook(
    Admin(user): Admin,
    State(app): State<Arc<App>>,
    Id(id): Id<Uuid>,
    _: NoParams,
) -> Result<Json<WebhookTest>, ApiError> {
    Ok(Json(webhooks::test(&app, id, &user).await?.ok_or_else(|| missing("webhook", id))?))
}

impl From<WebhookError> for ApiError {
    fn from(error: WebhookError) -> Self {
        let message = error.to_string();
        match error {
            WebhookError::Url(refused) => Self::bad_request("invalid_url", message).hint(refused.hint()),
            WebhookError::BadSecret => {
                Self::bad_request("invalid_secret", message).hint("leave it out, and the server makes one")
            }
            WebhookError::TooMany => Self::conflict("too_many_webhooks", message).hint("remove one first"),
            WebhookError::Db(error) => error.into(),
        }
    }
}
