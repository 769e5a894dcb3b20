//! What every request passes, outermost first: request id, one log line and the counters, error bodies, panics, time limit, body
//! limit.

use std::any::Any;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::header::{ALLOW, CACHE_CONTROL, CONTENT_LENGTH, HeaderName, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;
use tracing::{Instrument, Level, event, info_span};
use tyr_api::error::{ErrorBody, ErrorDetail};
use uuid::Uuid;

use super::error::{Failure, default_hint, of_status};
use super::etag;
use super::json::{BODY_BYTES_MAX, Json};
use super::router;
use super::serve::Peer;
use crate::app::App;
use crate::metrics::http::Answered;

/// Longest time until an answer begins. A stream's head comes at once; its body is not limited.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Names one request in answers and in the log. Made here, never taken from outside, so that it can be believed.
#[derive(Clone, Copy)]
pub(super) struct RequestId(pub(super) Uuid);

/// Wraps all routes in all layers.
pub fn wrap(routes: Router, app: Arc<App>) -> Router {
    // The last one added is the outermost.
    routes
        .layer(from_fn(etag::compare))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, ANSWER_TIMEOUT))
        .layer(CatchPanicLayer::custom(after_panic))
        .layer(from_fn(answer_failures))
        .layer(from_fn_with_state(app, account))
}

/// Who asks, once that is known: set by the extractors, read when the request is accounted for.
#[derive(Clone, Debug, Default)]
pub(super) struct Asker(Arc<OnceLock<String>>);

impl Asker {
    /// This user asks.
    pub(super) fn is(&self, username: &str) {
        // A second extractor of the same request says the same.
        let _ = self.0.set(username.to_owned());
    }
}

/// Names a request, counts it, and gives it its one line in the log.
///
/// The line carries everything by itself, so that it is whole whatever `RUST_LOG` makes of spans. The span is for what is logged
/// on the way.
async fn account(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let began = Instant::now();
    let _in_flight = app.metrics.http.begun();
    let id = RequestId(Uuid::now_v7());
    let asker = Asker::default();
    let peer = request.extensions().get::<Peer>().map(|peer| peer.0);
    let method = method_word(request.method());
    let route = request.extensions().get::<MatchedPath>().and_then(|path| router::template(path.as_str()));
    request.extensions_mut().insert(id);
    request.extensions_mut().insert(asker.clone());
    let span = info_span!(
        target: "tower_http::request",
        "request",
        request.id = %id.0,
        request.method = method,
        request.route = route,
        peer.address = peer.map(tracing::field::display),
    );
    let mut response = next.run(request).instrument(span).await;
    let line = Line { id: id.0, method, route, peer, user: asker.0.get().map(String::as_str), took: began.elapsed() };
    line.log(&response);
    let what = Answered { method, route: route.unwrap_or("none"), status: response.status().as_u16() };
    app.metrics.http.answered(what, line.took);
    let text = HeaderValue::try_from(id.0.to_string()).expect("a UUID is a header value");
    response.headers_mut().insert(X_REQUEST_ID, text);
    // Answers hold tokens and what people do; no proxy may keep them.
    response.headers_mut().entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// A method that some route takes, or `other`: a client may make up words.
fn method_word(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// What the log says of a request. The path itself is not in it: it may hold anything.
struct Line<'a> {
    id: Uuid,
    method: &'static str,
    route: Option<&'static str>,
    peer: Option<IpAddr>,
    user: Option<&'a str>,
    took: Duration,
}

impl Line<'_> {
    /// The target is what the documented `RUST_LOG=…,tower_http=info` selects.
    fn log(&self, response: &Response) {
        let status = response.status();
        let latency_ms = self.took.as_secs_f64() * 1000.0;
        let failure = response.extensions().get::<Failure>();
        macro_rules! line {
            ($level:expr, $message:literal) => {
                event!(
                    target: "tower_http::response",
                    // Its fields would be said twice.
                    parent: None,
                    $level,
                    request.id = %self.id,
                    request.method = self.method,
                    request.route = self.route,
                    status = status.as_u16(),
                    latency_ms,
                    user.name = self.user,
                    peer.address = self.peer.map(tracing::field::display),
                    error.code = failure.map(|failure| failure.code),
                    error.cause = failure.and_then(|failure| failure.cause.as_deref()),
                    $message
                )
            };
        }
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            line!(Level::ERROR, "request failed");
        } else if status.is_server_error() {
            line!(Level::WARN, "request could not be answered");
        } else {
            line!(Level::INFO, "request answered");
        }
    }
}

/// Gives every error answer its JSON body.
async fn answer_failures(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let asks_for_methods = request.method() == Method::OPTIONS;
    let request_id = request.extensions().get::<RequestId>().map_or_else(String::new, |id| id.0.to_string());
    let (mut parts, body) = next.run(request).await.into_parts();
    if !(parts.status.is_client_error() || parts.status.is_server_error()) {
        return Response::from_parts(parts, body);
    }
    if parts.status == StatusCode::METHOD_NOT_ALLOWED {
        parts.headers.insert(ALLOW, allowed(route.as_ref()));
        if asks_for_methods {
            parts.status = StatusCode::NO_CONTENT;
            return Response::from_parts(parts, Body::empty());
        }
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
    // Also with a 5xx: a hint is ours and tells nothing of the inside.
    let hint = failure.hint.clone().or_else(|| default_hint(failure.code).map(str::to_owned));
    let detail = ErrorDetail { code: failure.code.to_owned(), message, hint, request_id };
    let (body_parts, body) = Json(ErrorBody { error: detail }).into_response().into_parts();
    parts.headers.remove(CONTENT_LENGTH);
    parts.headers.extend(body_parts.headers);
    parts.extensions.insert(failure);
    Response::from_parts(parts, body)
}

/// The methods of a route, those included that need no entry in the table.
fn allowed(route: Option<&MatchedPath>) -> HeaderValue {
    let path = route.map_or("", MatchedPath::as_str);
    let mut methods: Vec<String> = router::routes()
        .into_iter()
        .filter(|(_, other)| *other == path)
        .map(|(method, _)| method.to_string())
        .collect();
    if methods.iter().any(|method| method == "GET") {
        methods.push("HEAD".to_owned());
    }
    methods.push("OPTIONS".to_owned());
    HeaderValue::try_from(methods.join(", ")).expect("methods are tokens")
}

/// Marks an answer whose status is an error's and whose body is none: `/health` while the database is away.
#[derive(Clone, Copy)]
pub(super) struct OwnBody;

#[expect(clippy::needless_pass_by_value, reason = "the signature that tower-http calls")]
fn after_panic(panic: Box<dyn Any + Send + 'static>) -> axum::http::Response<Body> {
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
