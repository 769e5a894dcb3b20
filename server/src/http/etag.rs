//! Entity tags: a client that polls a list gets 304 and no body while nothing changed.
//!
//! Tags are weak (RFC 9110, 8.8.1) and made from the answer, so they save the way and the client's work, not the query.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Serialize;

use super::error::ApiError;

/// Bytes of the hash that a tag shows: 96 bits, where a chance in 2^48 would need as many different answers.
const TAG_BYTES: usize = 12;

/// An answer's tag, for handlers whose answers say the same in different bytes.
#[derive(Clone, Debug)]
pub struct Tag(HeaderValue);

impl Tag {
    /// Tag of what an answer says.
    ///
    /// # Errors
    /// When it is no JSON.
    pub fn of(content: &impl Serialize) -> Result<Self, ApiError> {
        let bytes = serde_json::to_vec(content).map_err(|error| ApiError::internal(&error))?;
        Ok(Self::of_bytes(&bytes))
    }

    fn of_bytes(bytes: &[u8]) -> Self {
        let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
        let text = format!("W/\"{}\"", BASE64_URL_SAFE_NO_PAD.encode(&hash.as_ref()[..TAG_BYTES]));
        Self(HeaderValue::try_from(text).expect("base64 is a header value"))
    }
}

/// Adds `ETag` to each JSON answer of a GET, and answers 304 where `If-None-Match` names it.
pub(super) async fn compare(mut request: Request, next: Next) -> Response {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return next.run(request).await;
    }
    let known = request.headers().clone();
    // What a HEAD tells is what a GET would; the route around this layer leaves the body out.
    *request.method_mut() = Method::GET;
    let response = next.run(request).await;
    let is_json = response.headers().get(CONTENT_TYPE).is_some_and(|value| value == "application/json");
    if response.status() != StatusCode::OK || !is_json {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let (tag, body) = match parts.extensions.remove::<Tag>() {
        Some(tag) => (tag, body),
        // In memory already, and bounded by what its handler made.
        None => match to_bytes(body, usize::MAX).await {
            Ok(bytes) => (Tag::of_bytes(&bytes), Body::from(bytes)),
            Err(error) => return ApiError::internal(&error).into_response(),
        },
    };
    let unchanged = names(&known, &tag.0);
    parts.headers.insert(ETAG, tag.0);
    if unchanged {
        parts.status = StatusCode::NOT_MODIFIED;
        parts.headers.remove(CONTENT_TYPE);
        parts.headers.remove(CONTENT_LENGTH);
        return Response::from_parts(parts, Body::empty());
    }
    Response::from_parts(parts, body)
}

/// Whether `If-None-Match` names the tag, or anything: the weak comparison, which ignores `W/`.
fn names(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    let opaque = |text: &str| text.trim().trim_start_matches("W/").to_owned();
    let Ok(tag) = tag.to_str().map(opaque) else { return false };
    headers
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|one| one.trim() == "*" || opaque(one) == tag)
}
