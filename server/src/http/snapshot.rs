//! `GET /api/v1/snapshot`: what a dashboard starts from before it follows the stream.

use std::sync::Arc;

use axum::extract::State;
use tyr_api::stream::Snapshot;

use super::error::ApiError;
use super::json::Json;
use super::params::NoParams;
use super::who::Viewer;
use crate::app::{App, query};

/// Everything at once, and the place in the stream to go on from.
#[utoipa::path(
    get,
    path = "/api/v1/snapshot",
    tag = "events",
    responses(
        (status = 200, description = "What a dashboard starts from", body = Snapshot),
    ),
    security(("session" = ["viewer"])),
)]
pub async fn show(_: Viewer, State(app): State<Arc<App>>, _: NoParams) -> Result<Json<Snapshot>, ApiError> {
    Ok(Json(query::snapshot(&app).await?))
}
