//! JSON in and out.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::{ApiError, nearest};

/// Largest request body.
pub const BODY_BYTES_MAX: usize = 512 * 1024;
/// Longest time that a body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// A body in JSON.
pub struct Json<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Response;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Response> {
        let media_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if !is_json(media_type) {
            return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response());
        }
        let body = read(request.into_body()).await.map_err(IntoResponse::into_response)?;
        parse(&body).map(Self).map_err(IntoResponse::into_response)
    }
}

/// A body within the limit. One that is larger is read on and dropped, for as long as any body may take: over HTTP/2, curl
/// does not see an answer that comes before its request has ended.
async fn read(body: Body) -> Result<Vec<u8>, StatusCode> {
    let deadline = tokio::time::Instant::now() + BODY_TIMEOUT;
    let mut chunks = body.into_data_stream();
    let (mut kept, mut seen) = (Vec::new(), 0);
    loop {
        match tokio::time::timeout_at(deadline, chunks.next()).await {
            Ok(Some(Ok(chunk))) => {
                seen += chunk.len();
                if seen <= BODY_BYTES_MAX {
                    kept.extend_from_slice(&chunk);
                }
            }
            Ok(None) => break,
            _ if seen > BODY_BYTES_MAX => break,
            Ok(Some(Err(_))) => return Err(StatusCode::BAD_REQUEST),
            Err(_) => return Err(StatusCode::REQUEST_TIMEOUT),
        }
    }
    if seen > BODY_BYTES_MAX { Err(StatusCode::PAYLOAD_TOO_LARGE) } else { Ok(kept) }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(body) => ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response(),
            Err(error) => ApiError::internal(&error).into_response(),
        }
    }
}

fn is_json(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    if body.trim_ascii().is_empty() {
        let message = "the body is empty; a JSON object is expected";
        return Err(ApiError::bad_request("invalid_body", message));
    }
    serde_json::from_slice(body).map_err(|error| {
        let text = error.to_string();
        let message = match field_before(body, error.line(), error.column()) {
            Some(field) if error.is_data() && text.starts_with("invalid") => format!("field `{field}`: {text}"),
            _ => format!("the body is not what is expected: {text}"),
        };
        ApiError::bad_request("invalid_body", message).maybe_hint(near_miss(&text))
    })
}

/// The last field name before a position, which is where the value stands that a parser complains about.
fn field_before(body: &[u8], line: usize, column: usize) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    let start: usize = text.split_inclusive('\n').take(line.checked_sub(1)?).map(str::len).sum();
    let before = text.get(..(start + column).min(text.len()))?;
    let name_end = before.rmatch_indices("\":").map(|(at, _)| at).next()?;
    let name_start = before[..name_end].rfind('"')? + 1;
    Some(before[name_start..name_end].to_owned())
}

/// serde names the unknown field first and then those that it knows, all in backticks.
fn near_miss(text: &str) -> Option<String> {
    let rest = text.strip_prefix("unknown field `").or_else(|| text.strip_prefix("unknown variant `"))?;
    let mut quoted = rest.split('`');
    let given = quoted.next()?;
    let known: Vec<&str> = quoted.skip(1).step_by(2).collect();
    nearest(given, known.iter().copied()).map(|meant| format!("did you mean `{meant}`?"))
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse;
    use tyr_api::auth::NewEnrollmentToken;

    use super::{is_json, parse};
    use crate::http::error::Failure;

    fn failure(body: &str) -> Failure {
        let error = parse::<NewEnrollmentToken>(body.as_bytes()).expect_err("refused");
        error.into_response().extensions().get::<Failure>().expect("a failure").clone()
    }

    #[test]
    fn names_the_field_that_is_wrong() {
        let wrong_type = failure("{\"label\": \"x\",\n \"max_uses\": \"many\"}");
        assert_eq!(
            wrong_type.message,
            "field `max_uses`: invalid type: string \"many\", expected u32 at line 2 column 19"
        );
        let unknown = failure("{\"lable\": \"x\"}");
        assert_eq!(unknown.hint.as_deref(), Some("did you mean `label`?"));
        assert!(failure(" ").message.contains("empty"));
        assert!(failure("{\"label\": ").message.contains("EOF while parsing"));
    }

    #[test]
    fn takes_json_under_each_of_its_names() {
        assert!(is_json("application/json; charset=utf-8"));
        assert!(is_json("Application/Problem+JSON"));
        assert!(!is_json("application/x-www-form-urlencoded"));
        assert!(!is_json(""));
    }
}
