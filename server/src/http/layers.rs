//! What every request passes, outermost first: request id, one log line, error bodies, panics, time limit, body limit.

use std::any::Any;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request};
use axum::http::header::{CONTENT_LENGTH, HeaderName, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;
use tracing::field::Empty;
use tracing::{Span, error, info, info_span, warn};
use tyr_api::error::{ErrorBody, ErrorDetail};
use uuid::Uuid;

use super::error::{Failure, of_status};
use super::json::{BODY_BYTES_MAX, Json};
use super::serve::Peer;

/// Longest time until an answer begins. A stream's head comes at once; its body is not limited.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Names one request in answers and in the log. Made here, never taken from outside, so that it can be believed.
#[derive(Clone, Copy)]
pub(super) struct RequestId(pub(super) Uuid);

/// Wraps all routes in all layers.
pub fn wrap(routes: Router) -> Router {
    // The last one added is the outermost.
    routes
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, ANSWER_TIMEOUT))
        .layer(CatchPanicLayer::custom(after_panic))
        .layer(from_fn(answer_failures))
        .layer(
            TraceLayer::new_for_http()
                .make_span_with(span_of)
                .on_request(())
                .on_response(|response: &Response, latency: Duration, _: &Span| log(response, latency))
                .on_body_chunk(())
                .on_eos(())
                .on_failure(()),
        )
        .layer(from_fn(identify))
}

async fn identify(mut request: Request, next: Next) -> Response {
    let id = RequestId(Uuid::now_v7());
    request.extensions_mut().insert(id);
    let mut response = next.run(request).await;
    let text = HeaderValue::try_from(id.0.to_string()).expect("a UUID is a header value");
    response.headers_mut().insert(X_REQUEST_ID, text);
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// The span's target is what the documented `RUST_LOG=…,tower_http=info` selects.
fn span_of(request: &Request) -> Span {
    let id = request.extensions().get::<RequestId>().map(|id| tracing::field::display(id.0));
    let peer = request.extensions().get::<Peer>().map(|peer| tracing::field::display(peer.0));
    let path = request.extensions().get::<MatchedPath>().map_or_else(|| "", MatchedPath::as_str);
    info_span!(
        target: "tower_http::request",
        "request",
        request.id = id,
        request.method = %request.method(),
        request.route = path,
        peer.address = peer,
        user.name = Empty,
    )
}

fn log(response: &Response, latency: Duration) {
    let status = response.status();
    let latency_ms = u64::try_from(latency.as_millis()).unwrap_or(u64::MAX);
    let failure = response.extensions().get::<Failure>();
    let code = failure.map(|failure| failure.code);
    let cause = failure.and_then(|failure| failure.cause.as_deref());
    if status == StatusCode::INTERNAL_SERVER_ERROR {
        error!(target: "tower_http::response", status = status.as_u16(), latency_ms, error.code = code, error.cause = cause, "request failed");
    } else if status.is_server_error() {
        warn!(target: "tower_http::response", status = status.as_u16(), latency_ms, error.code = code, error.cause = cause, "request could not be answered");
    } else {
        info!(target: "tower_http::response", status = status.as_u16(), latency_ms, error.code = code, error.cause = cause, "request answered");
    }
}

/// Gives every error answer its JSON body.
async fn answer_failures(request: Request, next: Next) -> Response {
    let request_id = request.extensions().get::<RequestId>().map_or_else(String::new, |id| id.0.to_string());
    let (mut parts, body) = next.run(request).await.into_parts();
    if !(parts.status.is_client_error() || parts.status.is_server_error()) {
        return Response::from_parts(parts, body);
    }
    if parts.extensions.get::<OwnBody>().is_some() {
        return Response::from_parts(parts, body);
    }
    // axum answers JSON and query errors that we did not see with 422; to a client both are a wrong request.
    if parts.status == StatusCode::UNPROCESSABLE_ENTITY {
        parts.status = StatusCode::BAD_REQUEST;
    }
    let failure = parts.extensions.get::<Failure>().cloned().unwrap_or_else(|| of_status(parts.status));
    let message = if parts.status.is_server_error() {
        format!("the server could not answer; its log names the cause under request {request_id}")
    } else {
        failure.message.clone()
    };
    let hint = failure.hint.clone().filter(|_| !parts.status.is_server_error());
    let detail = ErrorDetail { code: failure.code.to_owned(), message, hint, request_id };
    let (body_parts, body) = Json(ErrorBody { error: detail }).into_response().into_parts();
    parts.headers.remove(CONTENT_LENGTH);
    parts.headers.extend(body_parts.headers);
    parts.extensions.insert(failure);
    Response::from_parts(parts, body)
}

/// Marks an answer whose status is an error's and whose body is none: `/health` while the database is away.
#[derive(Clone, Copy)]
pub(super) struct OwnBody;

#[expect(clippy::needless_pass_by_value, reason = "the signature that tower-http calls")]
fn after_panic(panic: Box<dyn Any + Send + 'static>) -> axum::http::Response<axum::body::Body> {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("a panic without text");
    let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
    let cause = Some(format!("panic: {text}"));
    response.extensions_mut().insert(Failure { code: "internal", message: String::new(), hint: None, cause });
    response
}
