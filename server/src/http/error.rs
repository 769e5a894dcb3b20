//! Error answers: one shape for all of them, whoever noticed the error.
//!
//! A handler returns an [`ApiError`]; it travels as a [`Failure`] in the response's extensions, and the layer
//! `answer_failures` writes the body, because only there the request id is known. What axum or tower refused by
//! themselves (no route, wrong method, body too large) gets its text there too.

use std::error::Error;
use std::fmt::Write;

use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::app::auth::secrets::HashError;
use crate::db::DbError;

/// Why a request was refused or failed, in the caller's words.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    failure: Failure,
    retry_after_s: Option<u64>,
}

/// What the body of an error answer will say.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Stable snake_case identifier.
    pub code: &'static str,
    /// One sentence.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// For the log alone: the chain of causes.
    pub cause: Option<String>,
}

impl ApiError {
    /// An error of the given status.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            failure: Failure { code, message: message.into(), hint: None, cause: None },
            retry_after_s: None,
        }
    }

    /// 400: the request itself is wrong.
    pub fn bad_request(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// 401: who is asking is not known; the answer says how to authenticate.
    pub fn unauthorized(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, code, message)
    }

    /// 404: what the path names does not exist.
    pub fn not_found(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, message)
    }

    /// 409: it contradicts what is there.
    pub fn conflict(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, message)
    }

    /// 500: our fault. The text goes to the log.
    pub fn internal(cause: &(dyn Error + 'static)) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "").because(cause)
    }

    /// 503: try again; the text goes to the log.
    pub fn unavailable(code: &'static str, retry_after_s: u64) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, "").retry_after(retry_after_s)
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.failure.hint = Some(hint.into());
        self
    }

    /// Adds what to do about it, if there is anything to say.
    #[must_use]
    pub fn maybe_hint(mut self, hint: Option<String>) -> Self {
        self.failure.hint = hint;
        self
    }

    /// Adds the cause, for the log.
    #[must_use]
    pub fn because(mut self, cause: &(dyn Error + 'static)) -> Self {
        self.failure.cause = Some(chain(cause));
        self
    }

    /// Adds `Retry-After`.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }
}

impl From<DbError> for ApiError {
    fn from(error: DbError) -> Self {
        match &error {
            DbError::Unavailable(_) => Self::unavailable("database_unavailable", 5).because(&error),
            DbError::TimedOut(_) => {
                Self::unavailable("query_timed_out", 5).hint("ask for less: narrow `since` and `until`").because(&error)
            }
            DbError::Constraint { .. } | DbError::Query(_) => Self::internal(&error),
        }
    }
}

impl From<HashError> for ApiError {
    fn from(error: HashError) -> Self {
        match &error {
            HashError::Busy => Self::unavailable("busy", 5).because(&error),
            HashError::Failed(_) => Self::internal(&error),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"tyr\""));
        }
        if let Some(seconds) = self.retry_after_s {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.extensions_mut().insert(self.failure);
        response
    }
}

/// An error and its causes in one line.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        write!(text, ": {cause}").expect("writing to a String");
        source = cause.source();
    }
    text
}

/// What to do about an error whose place had nothing better to say; every code of 4xx has one, which tests ask for.
pub(super) fn default_hint(code: &str) -> Option<&'static str> {
    Some(match code {
        "invalid_id" => "an id is taken from a list as it is; `GET` on the address before it gives that list",
        "not_found" => "`GET` on the address without the id lists what there is",
        "invalid_parameter" | "repeated_parameter" => {
            "give each parameter once, with a value that `/openapi.json` accepts for it"
        }
        "invalid_query" => "write it as `name=value&name=value`, percent-encoded UTF-8, with at most 32 parameters",
        "span_too_long" => "narrow `since` and `until`, or ask in several requests",
        "span_backwards" => "exchange `since` and `until`; `until` is now unless it is given",
        "invalid_last_event_id" => "leave it out to begin with what comes now",
        "invalid_body" => "`/openapi.json` describes the body of each request",
        "invalid_policy" => "`tyrctl policy apply --dry-run` checks a policy and marks the places",
        "invalid_username"
        | "invalid_password"
        | "invalid_label"
        | "invalid_max_uses"
        | "invalid_expires_hours"
        | "invalid_target"
        | "invalid_note"
        | "invalid_display_name"
        | "invalid_url"
        | "invalid_secret" => "correct that field of the body and send it again",
        "wrong_credentials" => "check name and password; an admin can give another with `tyrctl user reset-password`",
        "wrong_password" => "give the password that you have now; an admin can give another",
        "user_removed" => "log in as another user",
        "invalid_token" => "send `Authorization: Bearer <token>`; `POST /api/v1/auth/login` gives one",
        "token_exists" => "choose another id for the token",
        "bad_request" => "see that the request is HTTP of this address and arrives whole",
        "request_too_slow" => "send the body within 10 s",
        "refused" => "`/openapi.json` describes what is accepted",
        _ => return None,
    })
}

/// What to say of a refusal that axum or tower made without our words.
pub(super) fn of_status(status: StatusCode) -> Failure {
    let (code, message, hint) = match status {
        StatusCode::BAD_REQUEST => ("bad_request", "the request is not understood", None),
        StatusCode::NOT_FOUND => ("not_found", "there is nothing at this address", None),
        StatusCode::METHOD_NOT_ALLOWED => (
            "method_not_allowed",
            "this address does not take that method",
            Some("the `Allow` header lists those it takes"),
        ),
        StatusCode::REQUEST_TIMEOUT => ("request_too_slow", "the request did not arrive in time", None),
        StatusCode::PAYLOAD_TOO_LARGE => {
            ("body_too_large", "the body is larger than 512 KiB", Some("a policy document may have 256 KiB"))
        }
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            ("unsupported_media_type", "the body must be JSON", Some("send `Content-Type: application/json`"))
        }
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => ("unavailable", "", None),
        status if status.is_server_error() => ("internal", "", None),
        _ => ("refused", "the request was refused", None),
    };
    Failure { code, message: message.to_owned(), hint: hint.map(str::to_owned), cause: None }
}

/// The candidate that was most likely meant, if any is near.
pub(super) fn nearest<'a>(given: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(given, candidate), candidate))
        .filter(|(similarity, _)| *similarity > 0.8)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn suggests_what_is_near_and_nothing_else() {
        assert_eq!(nearest("agentid", ["agent_id", "kind"]), Some("agent_id"));
        assert_eq!(nearest("colour", ["agent_id", "kind"]), None);
    }
}
