//! `GET /api/v1/audit`: what people did.

use std::sync::Arc;

use axum::extract::State;
use tyr_api::audit::{AuditEntry, AuditQuery};
use tyr_api::page::Page;

use super::error::{ApiError, nearest};
use super::json::Json;
use super::params::{CURSOR, Known, Params, invalid};
use super::who::Admin;
use crate::app::App;
use crate::app::audit::{self, Action};
use crate::db::audit::{Filter, Position};

/// Most entries of one page.
const LIMIT_MAX: u32 = 1000;
const LIMIT_DEFAULT: u32 = 100;
/// Longest name of an actor that is worth looking for.
const ACTOR_CHARS_MAX: usize = 256;

/// A page of entries, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/audit",
    tag = "audit",
    params(AuditQuery),
    responses((status = 200, description = "What people did, newest first", body = Page<AuditEntry>)),
    security(("session" = ["admin"])),
)]
pub async fn list(_: Admin, State(app): State<Arc<App>>, params: Params) -> Result<Json<Page<AuditEntry>>, ApiError> {
    let params = params.only(&["actor", "action", "since", "until", "cursor", "limit"])?;
    let actor = params.text("actor").map(str::to_owned);
    if let Some(text) = &actor
        && (text.is_empty() || text.chars().count() > ACTOR_CHARS_MAX || text.contains('\0'))
    {
        return Err(invalid("actor", text, &"a user name"));
    }
    let (action, area) = action(&params)?;
    let filter = Filter { actor, action, area, since: params.instant("since")?, before: params.instant("until")? };
    let cursor: Option<Position> = params.parse("cursor", CURSOR)?;
    let limit = params.number("limit", 1, LIMIT_MAX)?.unwrap_or(LIMIT_DEFAULT);
    Ok(Json(audit::list(&app, &filter, cursor, limit).await?))
}

/// An action, or the area that actions are of.
fn action(params: &Known) -> Result<(Option<String>, Option<String>), ApiError> {
    let Some(text) = params.text("action") else { return Ok((None, None)) };
    if Action::WORDS.contains(&text) {
        return Ok((Some(text.to_owned()), None));
    }
    let areas = || Action::WORDS.iter().filter_map(|word| word.split_once('.')).map(|(area, _)| area);
    if areas().any(|area| area == text) {
        return Ok((None, Some(text.to_owned())));
    }
    let meant = nearest(text, Action::WORDS.iter().copied().chain(areas()));
    let error = invalid("action", text, &format_args!("an area such as user, or one of {}", Action::WORDS.join(", ")));
    Err(error.maybe_hint(meant.map(|meant| format!("did you mean `{meant}`?"))))
}
