//! `GET /health`, for load balancers, readiness and uptime probes.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use tokio::time::timeout;
use tyr_api::health::Health;

use super::json::Json;
use super::layers::OwnBody;
use crate::app::App;
use crate::{VERSION, db};

/// A database that takes longer for one round trip is away, as far as a probe is concerned.
const ROUND_TRIP_MAX: Duration = Duration::from_secs(2);

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
    let alive = matches!(timeout(ROUND_TRIP_MAX, db::ping(&app.pool)).await, Ok(Ok(())));
    let (status, word) = if alive { (StatusCode::OK, "ok") } else { (StatusCode::SERVICE_UNAVAILABLE, "error") };
    let health = Health { status: word.to_owned(), db: word.to_owned(), version: VERSION.to_owned() };
    let mut response = (status, Json(health)).into_response();
    response.extensions_mut().insert(OwnBody);
    response
}
