//! How one request goes: limits, token, what an answer means.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use futures_util::StreamExt;
use jiff::Timestamp;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, DATE, HeaderMap, HeaderValue};
use reqwest::{Method, StatusCode, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tyr_api::error::ErrorBody;
use tyr_api::page::Page;

use super::{Client, refused_as_read_only, trust};
use crate::error::{Failure, Kind};

/// Largest answer that is read, in bytes: a snapshot of 10,000 agents takes about 10 MiB.
const ANSWER_BYTES_MAX: usize = 128 * 1024 * 1024;
/// Largest error answer that is read, in bytes.
pub(super) const ERROR_BYTES_MAX: usize = 64 * 1024;

/// Whether a call needs a login.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Open,
    LoggedIn,
}

impl Client {
    /// One request as the user wrote it, and the body of its answer.
    ///
    /// # Errors
    /// Like every call.
    pub async fn raw(
        &self,
        method: Method,
        path: &str,
        query: &[(String, String)],
        body: Option<&serde_json::Value>,
    ) -> Result<Vec<u8>, Failure> {
        let mut url = self.url(path)?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
        let (status, answer) = self.exchange(method, target, None, body, Access::LoggedIn).await?;
        if status.is_success() { Ok(answer) } else { Err(self.refused(status, &answer, path)) }
    }

    /// A whole list, page by page.
    pub(super) async fn pages<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &impl Serialize,
    ) -> Result<Vec<T>, Failure> {
        // A query is a flat structure, or nothing.
        let mut query = match serde_json::to_value(query) {
            Ok(serde_json::Value::Object(query)) => query,
            _ => serde_json::Map::new(),
        };
        query.sort_keys();
        let mut rows = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            query.extend(cursor.clone().map(|cursor| ("cursor".to_owned(), cursor.into())));
            let page: Page<T> = self.call(Method::GET, path, Some(&query), None::<&()>, Access::LoggedIn).await?;
            rows.extend(page.items);
            // A server that gives the same place again would keep us for ever.
            if page.next_cursor.is_none() || page.next_cursor == cursor {
                return Ok(rows);
            }
            cursor = page.next_cursor;
        }
    }

    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        self.call(Method::GET, path, None::<&()>, None::<&()>, Access::LoggedIn).await
    }

    pub(super) async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, Failure> {
        self.call(Method::POST, path, None::<&()>, Some(body), Access::LoggedIn).await
    }

    pub(super) async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        query: Option<&impl Serialize>,
        body: Option<&impl Serialize>,
        access: Access,
    ) -> Result<T, Failure> {
        let mut query = query
            .map(serde_json::to_value)
            .transpose()
            .map_err(|error| Failure::failed("the query could not be written").because(&error))?;
        query.iter_mut().for_each(serde_json::Value::sort_all_objects);
        let (status, answer) = self.exchange(method, path, query.as_ref(), body, access).await?;
        if !status.is_success() {
            return Err(self.refused(status, &answer, path));
        }
        match serde_json::from_slice(&answer) {
            Ok(content) => Ok(content),
            Err(error) => {
                let begin = String::from_utf8_lossy(&answer[..answer.len().min(80)]).into_owned();
                let failure = Failure::failed(format!("the answer to `{path}` could not be read"))
                    .cause(format!("{error}; it begins with: {begin}"));
                Err(failure.hint(self.version_hint().await))
            }
        }
    }

    /// What to say when an answer made no sense: whether the server is one, and of our version.
    pub(super) async fn version_hint(&self) -> String {
        const OURS: &str = env!("CARGO_PKG_VERSION");
        match self.health().await {
            Ok(health) if health.version == OURS => {
                "server and tyrctl have the same version; please report this".to_owned()
            }
            Ok(health) => format!("the server has version {}, this tyrctl {OURS}: use the server's", health.version),
            Err(_) => format!("is `{}` a tyr-server? try `tyrctl doctor`", self.0.endpoint.name()),
        }
    }

    /// One request and its whole answer, within the time-out.
    pub(super) async fn exchange<B: Serialize>(
        &self,
        method: Method,
        path: &str,
        query: Option<&serde_json::Value>,
        body: Option<&B>,
        access: Access,
    ) -> Result<(StatusCode, Vec<u8>), Failure> {
        if self.0.read_only && changes(&method, path) {
            return Err(refused_as_read_only(&format!("`{method} {path}` was not sent")));
        }
        let mut request = self.0.http.request(method, self.url(path)?).header(ACCEPT, "application/json");
        if let Some(query) = query {
            request = request.query(query);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        if access == Access::LoggedIn {
            request = request.header(AUTHORIZATION, self.bearer()?);
        }
        let answer = tokio::time::timeout(self.0.endpoint.timeout, async {
            let response = request.send().await.map_err(|error| self.unreachable(&error))?;
            let status = response.status();
            self.note_time(response.headers());
            if has_content_type(response.headers(), "application/grpc") {
                let message = format!("`{}` is tyr-server's port for agents", self.0.endpoint.name());
                return Err(Failure::new(Kind::Unreachable, message).hint("the REST port is 7701 unless set otherwise"));
            }
            let bytes_max = if status.is_success() { ANSWER_BYTES_MAX } else { ERROR_BYTES_MAX };
            let mut body = Vec::new();
            let mut chunks = response.bytes_stream();
            while let Some(chunk) = chunks.next().await {
                let chunk = chunk.map_err(|error| trust::cut_off(&error, path))?;
                if body.len() + chunk.len() > bytes_max {
                    return Err(Failure::failed(format!("the answer to `{path}` is larger than {bytes_max} bytes")));
                }
                body.extend_from_slice(&chunk);
            }
            Ok((status, body))
        });
        answer.await.unwrap_or_else(|_| Err(self.too_slow()))
    }

    pub(super) fn url(&self, path: &str) -> Result<Url, Failure> {
        let server = &self.0.endpoint.server;
        let url = server.join(path).map_err(|error| Failure::usage(format!("`{path}` is no path")).because(&error))?;
        // The token is for this server alone, and `//elsewhere/x` leads away from it.
        if url.origin() == server.origin() {
            Ok(url)
        } else {
            Err(Failure::usage(format!("`{path}` is no path on `{}`", self.0.endpoint.name())))
        }
    }

    /// The header for a request that needs a login; read anew each time, as another `tyrctl login` may have renewed it.
    pub(super) fn bearer(&self) -> Result<HeaderValue, Failure> {
        let fresh = self.0.token.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let token = fresh.map_or_else(|| self.0.endpoint.token.read(), |token| Ok(Some(token)))?.ok_or_else(|| {
            Failure::new(Kind::Denied, format!("not logged in to `{}`", self.0.endpoint.name()))
                .hint("`tyrctl login --username NAME`")
        })?;
        let mut value = HeaderValue::try_from(format!("Bearer {}", token.expose())).map_err(|_| {
            Failure::new(Kind::Denied, "the access token holds characters that no token has")
                .hint("log in again: `tyrctl login`")
        })?;
        value.set_sensitive(true);
        Ok(value)
    }

    pub(super) fn too_slow(&self) -> Failure {
        Failure::new(
            Kind::Unreachable,
            format!("no answer from `{}` within {:?}", self.0.endpoint.name(), self.0.endpoint.timeout),
        )
        .hint("is the server busy or a firewall in between? `--timeout 60s` waits longer")
    }

    pub(super) fn unreachable(&self, error: &(dyn std::error::Error + 'static)) -> Failure {
        trust::explain(error, &self.0.endpoint)
    }

    /// What an answer with an error status means.
    pub(super) fn refused(&self, status: StatusCode, body: &[u8], path: &str) -> Failure {
        let server = self.0.endpoint.name();
        let kind = match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Kind::Denied,
            StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => {
                Kind::Unreachable
            }
            _ => Kind::Failed,
        };
        let Ok(ErrorBody { error }) = serde_json::from_slice::<ErrorBody>(body) else {
            let failure = Failure::new(kind, format!("`{server}` answered `{path}` with {status}"));
            return match status {
                StatusCode::NOT_FOUND => {
                    failure.hint("is this a tyr-server, and of this version? try `tyrctl version`")
                }
                status if status.is_redirection() => {
                    failure.hint("redirects are not followed; give the final address as --server")
                }
                _ => failure.hint("is something else than a tyr-server, e.g. a proxy, at this address?"),
            };
        };
        let mut failure = Failure::new(kind, error.message.trim_end_matches('.').to_owned());
        if let Some(hint) = error.hint {
            failure = failure.hint(hint);
        }
        if status == StatusCode::UNAUTHORIZED && failure.hints.is_empty() && !path.contains("/auth/") {
            failure = failure.hint("log in: `tyrctl login --username NAME`");
        }
        if status.is_server_error() {
            failure = failure.hint(format!("the server's log has more about request {}", error.request_id));
        }
        failure
    }

    /// A request whose answer, if it's no error, says nothing more.
    pub(super) async fn done(&self, method: Method, path: &str) -> Result<(), Failure> {
        let (status, body) = self.exchange::<()>(method, path, None, None, Access::LoggedIn).await?;
        if status.is_success() { Ok(()) } else { Err(self.refused(status, &body, path)) }
    }

    /// Compares clocks: a `Date` that can't be read says nothing.
    pub(super) fn note_time(&self, headers: &HeaderMap) {
        let date = headers.get(DATE).and_then(|date| date.to_str().ok());
        if let Some(date) = date.and_then(|date| jiff::fmt::rfc2822::parse(date).ok()) {
            let skew = Timestamp::now().as_second().saturating_sub(date.timestamp().as_second());
            self.0.clock_skew_s.store(skew, Ordering::Relaxed);
        }
    }
}

/// Whether such a request changes something on the server that is not one's own login.
fn changes(method: &Method, path: &str) -> bool {
    const OWN: [&str; 3] = ["/api/v1/auth/login", "/api/v1/auth/logout", "/api/v1/auth/password"];
    let path = path.split('?').next().unwrap_or(path);
    *method != Method::GET && !OWN.contains(&path)
}

/// Whether an answer's content type is this one, parameters aside.
pub(super) fn has_content_type(headers: &HeaderMap, wanted: &str) -> bool {
    headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|media| media.trim().eq_ignore_ascii_case(wanted))
}
