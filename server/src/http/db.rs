//! `/api/v1/db`: the database behind the server.

use std::sync::Arc;

use axum::extract::State;
use tyr_api::db::DbReport;

use super::error::ApiError;
use super::json::Json;
use super::params::NoParams;
use super::who::Viewer;
use crate::app::{App, query};

/// Connections, sizes, partitions, indexes.
#[utoipa::path(
    get,
    path = "/api/v1/db",
    tag = "server",
    responses((status = 200, description = "Connections, sizes, partitions, indexes", body = DbReport)),
    security(("session" = ["viewer"])),
)]
pub async fn show(_: Viewer, State(app): State<Arc<App>>, _: NoParams) -> Result<Json<DbReport>, ApiError> {
    Ok(Json(query::database(&app).await?))
}
