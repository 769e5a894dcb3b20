//! One typed call per route.

use reqwest::{Method, StatusCode};
use tyr_api::agents::{
    Agent, AgentChange, AgentType, AgentsQuery, DiscoveredAgent, DiscoveredAgentChange, DiscoveredAgentsQuery, List,
};
use tyr_api::alerts::{Acknowledgement, Alert, AlertQuery, CreatedWebhook, NewWebhook, Webhook, WebhookTest};
use tyr_api::audit::{AuditEntry, AuditQuery};
use tyr_api::auth::{AuthStatus, CreatedEnrollmentToken, Credentials, EnrollmentToken, NewEnrollmentToken, Session};
use tyr_api::db::DbReport;
use tyr_api::events::{Event, EventPage, EventQuery};
use tyr_api::health::Health;
use tyr_api::page::Page;
use tyr_api::policies::{Assignment, EffectivePolicy, NewAssignment, NewPolicy, PolicyDocument, PolicyVersion};
use tyr_api::stats::{AgentEvents, AgentEventsQuery, DriftQuery, DriftRow, RateGroup, RateQuery};
use tyr_api::stream::Snapshot;
use tyr_api::users::{KeyRotation, Me, NewUser, PasswordChange, User, UserChange};
use uuid::Uuid;

use super::Client;
use super::request::Access;
use crate::error::Failure;

impl Client {
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

    /// `GET /api/v1/agent-types`.
    pub async fn agent_types(&self) -> Result<Vec<AgentType>, Failure> {
        Ok(self.get::<List<AgentType>>("/api/v1/agent-types").await?.items)
    }

    /// `PUT /api/v1/agent-types/{agent_type}` registers a type, `DELETE /api/v1/agent-types/{agent_type}` takes that back. Its letters
    /// need no escape.
    pub async fn register_agent_type(&self, agent_type: &str, registered: bool) -> Result<AgentType, Failure> {
        let method = if registered { Method::PUT } else { Method::DELETE };
        let path = format!("/api/v1/agent-types/{agent_type}");
        self.call(method, &path, None::<&()>, None::<&()>, Access::LoggedIn).await
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
}
