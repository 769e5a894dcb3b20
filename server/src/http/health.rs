//! `GET /health`, for load balancers, readiness and uptime probes.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use tyr_api::health::Health;

use super::json::Json;
use super::layers::OwnBody;
use crate::VERSION;
use crate::app::App;

/// 200, or 503 while the database is away.
#[utoipa::path(
    get,
    path = "/health",
    tag = "server",
    responses(
        (status = 200, description = "All is well", body = Health),
        (status = 503, description = "The database is away", body = Health),
    ),
)]
pub async fn show(State(app): State<Arc<App>>) -> Response {
    let alive = app.probe.is_alive(&app.pool).await;
    let (status, word) = if alive { (StatusCode::OK, "ok") } else { (StatusCode::SERVICE_UNAVAILABLE, "error") };
    let health = Health { status: word.to_owned(), db: word.to_owned(), version: VERSION.to_owned() };
    let mut response = (status, Json(health)).into_response();
    response.extensions_mut().insert(OwnBody);
    response
}
