//! `GET /api/v1/ca.pem`: the certificate that clients and agents trust.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

use super::params::NoParams;
use crate::app::App;

/// The CA's certificate in PEM.
#[utoipa::path(
    get,
    path = "/api/v1/ca.pem",
    tag = "server",
    responses(
        (status = 200, description = "The certificate", body = String, content_type = "application/x-pem-file"),
    ),
)]
pub async fn show(State(app): State<Arc<App>>, _: NoParams) -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/x-pem-file")], app.pki.ca_pem().to_owned())
}
