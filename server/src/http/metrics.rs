//! `GET /metrics`: for Prometheus and whoever speaks its formats.

use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts, State};
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, VARY};
use axum::http::request::Parts;
use axum::response::IntoResponse;

use super::error::ApiError;
use super::params::NoParams;
use super::router::Door;
use super::who::{Viewer, bearer};
use crate::app::App;
use crate::metrics::exposition::{Format, text_from_open_metrics};
use crate::metrics::sample::sample;

/// A scraper: anybody if the operator says so, else who shows the metrics token or a session.
pub struct Scraper;

impl FromRequestParts<Door> for Scraper {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, door: &Door) -> Result<Self, ApiError> {
        let app = Arc::<App>::from_ref(door);
        if app.config.metrics_public {
            return Ok(Self);
        }
        let token = parts.headers.get(AUTHORIZATION).and_then(|header| bearer(header.to_str().ok()?));
        if token.is_some_and(|token| app.metrics_token.is(token)) {
            return Ok(Self);
        }
        Viewer::from_request_parts(parts, door).await.map(|_| Self)
    }
}

/// All metrics, in the format that the `Accept` header prefers.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "server",
    security(("session" = ["viewer"])),
    responses(
        (status = 200, description = "Metrics in the format that `Accept` prefers; the token of the file `metrics.token` is taken too", content(
            (String = "text/plain"),
            (String = "application/openmetrics-text"),
        )),
    ),
)]
pub async fn show(
    _: Scraper,
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    _: NoParams,
) -> Result<impl IntoResponse, ApiError> {
    let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let format = Format::accepted(accept);
    let text = app.metrics.open_metrics(&sample(&app).await).map_err(|error| ApiError::internal(&error))?;
    let text = match format {
        Format::OpenMetrics => text,
        Format::Text => text_from_open_metrics(&text),
    };
    let headers = [(CONTENT_TYPE, format.content_type()), (CACHE_CONTROL, "no-store"), (VARY, "accept, authorization")];
    Ok((headers, text))
}
