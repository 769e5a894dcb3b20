//! The REST interface: one typed call per route, over one HTTP client.

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use jiff::{SignedDuration, Timestamp};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, DATE, HeaderMap, HeaderValue};
use reqwest::{Method, StatusCode, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tyr_api::agents::{
    Agent, AgentChange, AgentsQuery, DiscoveredAgent, DiscoveredAgentChange, DiscoveredAgentsQuery, List,
};
use tyr_api::alerts::{Acknowledgement, Alert, AlertQuery, CreatedWebhook, NewWebhook, Webhook, WebhookTest};
use tyr_api::audit::{AuditEntry, AuditQuery};
use tyr_api::auth::{AuthStatus, CreatedEnrollmentToken, Credentials, EnrollmentToken, NewEnrollmentToken, Session};
use tyr_api::db::DbReport;
use tyr_api::error::ErrorBody;
use tyr_api::events::{Event, EventPage, EventQuery};
use tyr_api::health::Health;
use tyr_api::page::Page;
use tyr_api::policies::{Assignment, EffectivePolicy, NewAssignment, NewPolicy, PolicyDocument, PolicyVersion};
use tyr_api::stats::{AgentEvents, AgentEventsQuery, DriftQuery, DriftRow, RateGroup, RateQuery};
use tyr_api::stream::Snapshot;
use tyr_api::users::{KeyRotation, Me, NewUser, PasswordChange, User, UserChange};
use uuid::Uuid;

use crate::auth::{Secret, TokenSource};
use crate::error::{Failure, Kind};

pub mod sse;
pub mod trust;

/// Largest answer that is read, in bytes: a snapshot of 10,000 agents takes about 10 MiB.
const ANSWER_BYTES_MAX: usize = 128 * 1024 * 1024;
/// Largest error answer that is read, in bytes.
const ERROR_BYTES_MAX: usize = 64 * 1024;

/// Where the server is and how to talk to it.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// `https://host:7701`, without a path.
    pub server: Url,
    /// PEM file with the only authorities to trust; absent for those of the system.
    pub ca_file: Option<std::path::PathBuf>,
    /// Where the access token comes from; read anew for each request.
    pub token: TokenSource,
    /// Limit for one request from start to end, and for the head of a stream's answer.
    pub timeout: Duration,
}

impl Endpoint {
    /// The server's address as people write it.
    pub fn name(&self) -> &str {
        self.server.as_str().trim_end_matches('/')
    }
}

/// A client of one server. Clones share connections.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    http: reqwest::Client,
    endpoint: Endpoint,
    /// Of a login in this very process; goes before the endpoint's own.
    token: Mutex<Option<Secret>>,
    /// Refuse what changes something on the server.
    read_only: bool,
    /// Seconds that our clock is ahead of the server's, as of the last answer; [`SKEW_UNKNOWN`] before the first.
    clock_skew_s: AtomicI64,
}

const SKEW_UNKNOWN: i64 = i64::MIN;

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("server", &self.0.endpoint.server.as_str()).finish_non_exhaustive()
    }
}

/// Whether a call needs a login.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    Open,
    LoggedIn,
}

impl Client {
    /// A client for that server; nothing is sent yet.
    ///
    /// # Errors
    /// When the CA file can't be read or holds no certificate.
    pub fn new(endpoint: Endpoint) -> Result<Self, Failure> {
        Self::with(endpoint, false)
    }

    /// A client that refuses what changes something on the server, one's own login and password aside.
    ///
    /// # Errors
    /// When the CA file can't be read or holds no certificate.
    pub fn read_only(endpoint: Endpoint) -> Result<Self, Failure> {
        Self::with(endpoint, true)
    }

    fn with(endpoint: Endpoint, read_only: bool) -> Result<Self, Failure> {
        // The one provider of the whole process; a second call finds it in place.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let mut builder = reqwest::Client::builder();
        if let Some(file) = &endpoint.ca_file {
            builder = builder.tls_certs_only(trust::authorities(file)?);
        }
        let http = builder
            .user_agent(concat!("tyrctl/", env!("CARGO_PKG_VERSION")))
            // The token must not follow a redirect to somewhere else, and the server sends none.
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(endpoint.timeout)
            .build()
            .map_err(|error| Failure::failed("the HTTP client could not be made").because(&error))?;
        let clock_skew_s = AtomicI64::new(SKEW_UNKNOWN);
        Ok(Self(Arc::new(Inner { http, endpoint, token: Mutex::new(None), read_only, clock_skew_s })))
    }

    /// Sends this token from now on, whatever the endpoint says.
    pub fn use_token(&self, token: Secret) {
        *self.0.token.lock().unwrap_or_else(PoisonError::into_inner) = Some(token);
    }

    /// How far our clock is ahead of the server's, to the second, as of the last answer.
    pub fn clock_skew(&self) -> Option<SignedDuration> {
        let seconds = self.0.clock_skew_s.load(Ordering::Relaxed);
        (seconds != SKEW_UNKNOWN).then(|| SignedDuration::from_secs(seconds))
    }

    /// Compares clocks: a `Date` that can't be read says nothing.
    fn note_time(&self, headers: &HeaderMap) {
        let date = headers.get(DATE).and_then(|date| date.to_str().ok());
        if let Some(date) = date.and_then(|date| jiff::fmt::rfc2822::parse(date).ok()) {
            let skew = Timestamp::now().as_second().saturating_sub(date.timestamp().as_second());
            self.0.clock_skew_s.store(skew, Ordering::Relaxed);
        }
    }

    /// Where it talks to.
    pub fn endpoint(&self) -> &Endpoint {
        &self.0.endpoint
    }

    /// `GET /health`: also what an unwell server answers (503).
    pub async fn health(&self) -> Result<Health, Failure> {
        let (status, body) = self.exchange::<()>(Method::GET, "/health", None, None, Access::Open).await?;
        match serde_json::from_slice(&body) {
            Ok(health) if status.is_success() || status == StatusCode::SERVICE_UNAVAILABLE => Ok(health),
            _ => Err(self.refused(status, &body, "/health")),
        }
    }

    /// `GET /metrics` in the text format 0.0.4.
    pub async fn metrics(&self) -> Result<String, Failure> {
        let (status, body) = self.exchange::<()>(Method::GET, "/metrics", None, None, Access::LoggedIn).await?;
        if status.is_success() {
            Ok(String::from_utf8_lossy(&body).into_owned())
        } else {
            Err(self.refused(status, &body, "/metrics"))
        }
    }

    /// `GET /api/v1/auth/status`: whether the first admin exists.
    pub async fn auth_status(&self) -> Result<AuthStatus, Failure> {
        self.call(Method::GET, "/api/v1/auth/status", None::<&()>, None::<&()>, Access::Open).await
    }

    /// `POST /api/v1/auth/setup`: makes the first admin.
    pub async fn setup(&self, credentials: &Credentials) -> Result<Session, Failure> {
        self.call(Method::POST, "/api/v1/auth/setup", None::<&()>, Some(credentials), Access::Open).await
    }

    /// `POST /api/v1/auth/login`.
    pub async fn login(&self, credentials: &Credentials) -> Result<Session, Failure> {
        self.call(Method::POST, "/api/v1/auth/login", None::<&()>, Some(credentials), Access::Open).await
    }

    /// `GET /api/v1/auth/me`: whose session ours is.
    pub async fn me(&self) -> Result<Me, Failure> {
        self.get("/api/v1/auth/me").await
    }

    /// `POST /api/v1/auth/logout`: ends our session, or all of our user.
    pub async fn logout(&self, everywhere: bool) -> Result<(), Failure> {
        let path = if everywhere { "/api/v1/auth/logout?everywhere=true" } else { "/api/v1/auth/logout" };
        self.done(Method::POST, path).await
    }

    /// `POST /api/v1/auth/password`: changes our password; the answer is our new session.
    pub async fn change_password(&self, change: &PasswordChange) -> Result<Session, Failure> {
        self.post("/api/v1/auth/password", change).await
    }

    /// `POST /api/v1/auth/rotate-key`: a new key for session tokens.
    pub async fn rotate_key(&self, end_sessions: bool) -> Result<KeyRotation, Failure> {
        let path = if end_sessions { "/api/v1/auth/rotate-key?end_sessions=true" } else { "/api/v1/auth/rotate-key" };
        self.call(Method::POST, path, None::<&()>, None::<&()>, Access::LoggedIn).await
    }

    /// `GET /api/v1/users`.
    pub async fn users(&self) -> Result<Vec<User>, Failure> {
        self.pages("/api/v1/users", &()).await
    }

    /// `POST /api/v1/users`.
    pub async fn create_user(&self, user: &NewUser) -> Result<User, Failure> {
        self.post("/api/v1/users", user).await
    }

    /// `PATCH /api/v1/users/{id}`.
    pub async fn change_user(&self, id: Uuid, change: &UserChange) -> Result<User, Failure> {
        self.call(Method::PATCH, &format!("/api/v1/users/{id}"), None::<&()>, Some(change), Access::LoggedIn).await
    }

    /// `DELETE /api/v1/users/{id}`.
    pub async fn delete_user(&self, id: Uuid) -> Result<(), Failure> {
        self.done(Method::DELETE, &format!("/api/v1/users/{id}")).await
    }

    /// `GET /api/v1/audit`: one page, newest first.
    pub async fn audit(&self, query: &AuditQuery) -> Result<Page<AuditEntry>, Failure> {
        self.call(Method::GET, "/api/v1/audit", Some(query), None::<&()>, Access::LoggedIn).await
    }

    /// `GET /api/v1/snapshot`: what a dashboard starts from.
    pub async fn snapshot(&self) -> Result<Snapshot, Failure> {
        self.get("/api/v1/snapshot").await
    }

    /// `GET /api/v1/agents`, or `/api/v1/daemons?include_archived=true`.
    pub async fn agents(&self, include_archived: bool) -> Result<Vec<Agent>, Failure> {
        let include_archived = include_archived.then_some(true);
        self.agents_where(&AgentsQuery { include_archived, ..AgentsQuery::default() }).await
    }

    /// The same, of those agents alone.
    pub async fn agents_where(&self, query: &AgentsQuery) -> Result<Vec<Agent>, Failure> {
        let archived = query.include_archived == Some(true);
        self.pages(if archived { "/api/v1/daemons" } else { "/api/v1/agents" }, query).await
    }

    /// `GET /api/v1/agents/{id}`.
    pub async fn agent(&self, id: Uuid) -> Result<Agent, Failure> {
        self.get(&format!("/api/v1/agents/{id}")).await
    }

    /// `PATCH /api/v1/agents/{id}`: archives an agent, or takes it back.
    pub async fn archive_agent(&self, id: Uuid, archived: bool) -> Result<Agent, Failure> {
        let (path, change) = (format!("/api/v1/agents/{id}"), AgentChange { archived });
        self.call(Method::PATCH, &path, None::<&()>, Some(&change), Access::LoggedIn).await
    }

    /// `DELETE /api/v1/agents/{id}`: revokes an agent.
    pub async fn revoke_agent(&self, id: Uuid) -> Result<Agent, Failure> {
        let path = format!("/api/v1/agents/{id}");
        self.call(Method::DELETE, &path, None::<&()>, None::<&()>, Access::LoggedIn).await
    }

    /// `GET /api/v1/agents/{id}/effective-policy`.
    pub async fn effective_policy(&self, id: Uuid) -> Result<EffectivePolicy, Failure> {
        self.get(&format!("/api/v1/agents/{id}/effective-policy")).await
    }

    /// `GET /api/v1/discovered-agents`.
    pub async fn discovered_agents(&self, query: &DiscoveredAgentsQuery) -> Result<Vec<DiscoveredAgent>, Failure> {
        self.pages("/api/v1/discovered-agents", query).await
    }

    /// `GET /api/v1/discovered-agents/{id}`.
    pub async fn discovered_agent(&self, id: Uuid) -> Result<DiscoveredAgent, Failure> {
        self.get(&format!("/api/v1/discovered-agents/{id}")).await
    }

    /// `PATCH /api/v1/discovered-agents/{id}`: names an AI process.
    pub async fn rename_discovered_agent(&self, id: Uuid, display_name: &str) -> Result<DiscoveredAgent, Failure> {
        let path = format!("/api/v1/discovered-agents/{id}");
        let change = DiscoveredAgentChange { display_name: display_name.to_owned() };
        self.call(Method::PATCH, &path, None::<&()>, Some(&change), Access::LoggedIn).await
    }

    /// `GET /api/v1/events`: one page, newest first.
    pub async fn events(&self, query: &EventQuery) -> Result<EventPage, Failure> {
        self.call(Method::GET, "/api/v1/events", Some(query), None::<&()>, Access::LoggedIn).await
    }

    /// `GET /api/v1/events/{id}`.
    pub async fn event(&self, id: Uuid) -> Result<Event, Failure> {
        self.get(&format!("/api/v1/events/{id}")).await
    }

    /// `GET /api/v1/stats/rate`.
    pub async fn rate(&self, query: &RateQuery) -> Result<Vec<RateGroup>, Failure> {
        let rows: List<RateGroup> =
            self.call(Method::GET, "/api/v1/stats/rate", Some(query), None::<&()>, Access::LoggedIn).await?;
        Ok(rows.items)
    }

    /// `GET /api/v1/stats/agents`.
    pub async fn agent_events(&self, query: &AgentEventsQuery) -> Result<AgentEvents, Failure> {
        self.call(Method::GET, "/api/v1/stats/agents", Some(query), None::<&()>, Access::LoggedIn).await
    }

    /// `GET /api/v1/db`.
    pub async fn database(&self) -> Result<DbReport, Failure> {
        self.get("/api/v1/db").await
    }

    /// `GET /api/v1/stats/drift`.
    pub async fn drift(&self, query: &DriftQuery) -> Result<Vec<DriftRow>, Failure> {
        let rows: List<DriftRow> =
            self.call(Method::GET, "/api/v1/stats/drift", Some(query), None::<&()>, Access::LoggedIn).await?;
        Ok(rows.items)
    }

    /// `GET /api/v1/policies`.
    pub async fn policies(&self) -> Result<Vec<PolicyVersion>, Failure> {
        self.pages("/api/v1/policies", &()).await
    }

    /// `GET /api/v1/policies/{version}`.
    pub async fn policy(&self, version: u32) -> Result<PolicyDocument, Failure> {
        self.get(&format!("/api/v1/policies/{version}")).await
    }

    /// `POST /api/v1/policies`.
    pub async fn apply_policy(&self, policy: &NewPolicy) -> Result<PolicyDocument, Failure> {
        self.post("/api/v1/policies", policy).await
    }

    /// `POST /api/v1/policies/{version}/rollback`.
    pub async fn roll_back_policy(&self, version: u32) -> Result<PolicyDocument, Failure> {
        self.call(
            Method::POST,
            &format!("/api/v1/policies/{version}/rollback"),
            None::<&()>,
            None::<&()>,
            Access::LoggedIn,
        )
        .await
    }

    /// `GET /api/v1/policy-assignments`.
    pub async fn assignments(&self) -> Result<Vec<Assignment>, Failure> {
        self.pages("/api/v1/policy-assignments", &()).await
    }

    /// `POST /api/v1/policy-assignments`.
    pub async fn assign_policy(&self, assignment: &NewAssignment) -> Result<Assignment, Failure> {
        self.post("/api/v1/policy-assignments", assignment).await
    }

    /// `DELETE /api/v1/policy-assignments/{id}`.
    pub async fn end_assignment(&self, id: Uuid) -> Result<(), Failure> {
        self.done(Method::DELETE, &format!("/api/v1/policy-assignments/{id}")).await
    }

    /// `GET /api/v1/alerts`: one page, firing ones first.
    pub async fn alerts(&self, query: &AlertQuery) -> Result<Page<Alert>, Failure> {
        self.call(Method::GET, "/api/v1/alerts", Some(query), None::<&()>, Access::LoggedIn).await
    }

    /// `POST /api/v1/alerts/{id}/acknowledge`.
    pub async fn acknowledge_alert(&self, id: Uuid, body: &Acknowledgement) -> Result<Alert, Failure> {
        self.post(&format!("/api/v1/alerts/{id}/acknowledge"), body).await
    }

    /// `GET /api/v1/webhooks`.
    pub async fn webhooks(&self) -> Result<Vec<Webhook>, Failure> {
        Ok(self.get::<List<Webhook>>("/api/v1/webhooks").await?.items)
    }

    /// `POST /api/v1/webhooks`.
    pub async fn create_webhook(&self, webhook: &NewWebhook) -> Result<CreatedWebhook, Failure> {
        self.post("/api/v1/webhooks", webhook).await
    }

    /// `DELETE /api/v1/webhooks/{id}`.
    pub async fn delete_webhook(&self, id: Uuid) -> Result<Webhook, Failure> {
        let path = format!("/api/v1/webhooks/{id}");
        self.call(Method::DELETE, &path, None::<&()>, None::<&()>, Access::LoggedIn).await
    }

    /// `POST /api/v1/webhooks/{id}/test`: the server answers when the receiver did, or gave it up after 10 s.
    pub async fn test_webhook(&self, id: Uuid) -> Result<WebhookTest, Failure> {
        self.call(Method::POST, &format!("/api/v1/webhooks/{id}/test"), None::<&()>, None::<&()>, Access::LoggedIn)
            .await
    }

    /// `GET /api/v1/enrollment-tokens`.
    pub async fn enrollment_tokens(&self) -> Result<Vec<EnrollmentToken>, Failure> {
        self.pages("/api/v1/enrollment-tokens", &()).await
    }

    /// `POST /api/v1/enrollment-tokens`.
    pub async fn create_enrollment_token(&self, token: &NewEnrollmentToken) -> Result<CreatedEnrollmentToken, Failure> {
        self.post("/api/v1/enrollment-tokens", token).await
    }

    /// `DELETE /api/v1/enrollment-tokens/{token_id}`.
    pub async fn revoke_enrollment_token(&self, token_id: &str) -> Result<(), Failure> {
        let mut url = self.url("/api/v1/enrollment-tokens")?;
        url.path_segments_mut().map_err(|()| Failure::usage("the server address can't have a path"))?.push(token_id);
        self.done(Method::DELETE, url.path()).await
    }

    /// A request whose answer, if it's no error, says nothing more.
    async fn done(&self, method: Method, path: &str) -> Result<(), Failure> {
        let (status, body) = self.exchange::<()>(method, path, None, None, Access::LoggedIn).await?;
        if status.is_success() { Ok(()) } else { Err(self.refused(status, &body, path)) }
    }

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
    async fn pages<T: DeserializeOwned>(&self, path: &str, query: &impl Serialize) -> Result<Vec<T>, Failure> {
        // A query is a flat structure, or nothing.
        let mut query = match serde_json::to_value(query) {
            Ok(serde_json::Value::Object(query)) => query,
            _ => serde_json::Map::new(),
        };
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

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        self.call(Method::GET, path, None::<&()>, None::<&()>, Access::LoggedIn).await
    }

    async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, Failure> {
        self.call(Method::POST, path, None::<&()>, Some(body), Access::LoggedIn).await
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        query: Option<&impl Serialize>,
        body: Option<&impl Serialize>,
        access: Access,
    ) -> Result<T, Failure> {
        let query = query
            .map(serde_json::to_value)
            .transpose()
            .map_err(|error| Failure::failed("the query could not be written").because(&error))?;
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
    async fn version_hint(&self) -> String {
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
    async fn exchange<B: Serialize>(
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

    fn url(&self, path: &str) -> Result<Url, Failure> {
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
    fn bearer(&self) -> Result<HeaderValue, Failure> {
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

    fn too_slow(&self) -> Failure {
        Failure::new(
            Kind::Unreachable,
            format!("no answer from `{}` within {:?}", self.0.endpoint.name(), self.0.endpoint.timeout),
        )
        .hint("is the server busy or a firewall in between? `--timeout 60s` waits longer")
    }

    fn unreachable(&self, error: &(dyn std::error::Error + 'static)) -> Failure {
        trust::explain(error, &self.0.endpoint)
    }

    /// What an answer with an error status means.
    fn refused(&self, status: StatusCode, body: &[u8], path: &str) -> Failure {
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
}

/// Whether such a request changes something on the server that is not one's own login.
fn changes(method: &Method, path: &str) -> bool {
    const OWN: [&str; 3] = ["/api/v1/auth/login", "/api/v1/auth/logout", "/api/v1/auth/password"];
    let path = path.split('?').next().unwrap_or(path);
    *method != Method::GET && !OWN.contains(&path)
}

/// The refusal of a change in a read-only context.
pub fn refused_as_read_only(what: &str) -> Failure {
    Failure::new(Kind::Denied, what)
        .cause("the context in use is read-only")
        .hint("`--context NAME` takes another one, `tyrctl context add NAME --read-only=false` lifts it")
}

/// Whether an answer's content type is this one, parameters aside.
fn has_content_type(headers: &HeaderMap, wanted: &str) -> bool {
    headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|media| media.trim().eq_ignore_ascii_case(wanted))
}
