//! A server's REST side on a port of its own, with a database of its own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp, Unit};
use reqwest::{Method, Response, StatusCode};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tyr_api::error::ErrorDetail;
use tyr_api::events::{Event, EventKind, Severity, Verdict};
use tyr_server::app::App;
use tyr_server::app::auth::sessions::SessionKeys;
use tyr_server::config::{AgentRate, Certificates, Config, Database, Doors};
use tyr_server::db::agents::NewAgent;
use tyr_server::db::connect_for_reads;
use tyr_server::db::{agents, events, users};
use tyr_server::http;
use tyr_server::pki::Pki;
use tyr_server::tls::TlsConfigs;
use uuid::Uuid;

use crate::testdb::TestDb;

/// Longest wait for anything in these tests; reached only when something is broken.
pub(crate) const LIMIT: Duration = Duration::from_secs(20);

/// The setting that stands for no time-out of statements.
const READ_TIMEOUT: Duration = Duration::from_secs(5);

/// A running REST side.
pub(crate) struct Rest {
    pub(crate) app: Arc<App>,
    pub(crate) address: SocketAddr,
    pub(crate) db: TestDb,
    pub(crate) client: reqwest::Client,
    stop: CancellationToken,
    task: JoinHandle<std::io::Result<()>>,
    dir: tempfile::TempDir,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) async fn read(response: Response) -> Self {
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = response.bytes().await.expect("a body");
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::String(text));
        Self { status, headers, body }
    }

    /// The body of an answer that has to be this one.
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{:#}", self.body);
        self.body
    }

    /// The error of an answer that has to be this one, in the one shape of errors.
    pub(crate) fn error(self, status: u16, code: &str) -> ErrorDetail {
        assert_eq!(self.status.as_u16(), status, "{:#}", self.body);
        let header = self.headers["x-request-id"].to_str().expect("text").to_owned();
        let fields: Vec<&String> = self.body.as_object().expect("an object").keys().collect();
        assert_eq!(fields, ["error"]);
        let detail: ErrorDetail = serde_json::from_value(self.body["error"].clone()).expect("the shape of errors");
        assert_eq!(detail.code, code, "{detail:?}");
        assert_eq!(detail.request_id, header);
        assert!(!detail.message.is_empty());
        let hint = detail.hint.as_deref();
        assert!(status >= 500 || hint.is_some_and(|hint| !hint.is_empty()), "no hint: {detail:?}");
        detail
    }
}

impl Rest {
    pub(crate) async fn start() -> Self {
        Self::with_tls(false).await
    }

    pub(crate) async fn with_tls(tls: bool) -> Self {
        Self::make(tls, |_| {}).await
    }

    /// With other settings.
    pub(crate) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        Self::make(false, change).await
    }

    pub(crate) async fn make(tls: bool, change: impl FnOnce(&mut Config)) -> Self {
        // Another test of this process may have been first.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let db = TestDb::new().await;
        let dir = tempfile::tempdir().expect("a folder");
        let pki = Pki::load_or_create(dir.path(), &[]).expect("a CA");
        let tls = TlsConfigs::new(&pki, tls, Certificates::default().grace).expect("TLS");
        let key = SessionKeys::load_or_create(dir.path()).expect("a key");
        let mut config = config(dir.path(), tls.rest.is_some());
        change(&mut config);
        // Whoever tests time-outs works with a pool that has them.
        let pool = if config.read_timeout == READ_TIMEOUT {
            db.pool.clone()
        } else {
            connect_for_reads(db.options(), config.read_timeout).await.expect("the database answers")
        };
        let app = App::new(config, pool, pki, tls, key);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let stop = CancellationToken::new();
        let task = tokio::spawn(http::serve(Arc::clone(&app), listener, stop.clone()));
        let client = reqwest::Client::builder().build().expect("a client");
        Self { app, address, db, client, stop, task, dir }
    }

    /// Another server on the same database and the same keys, without doors.
    pub(crate) fn twin(&self) -> Arc<App> {
        let pki = Pki::load_or_create(self.dir.path(), &[]).expect("a CA");
        let tls = TlsConfigs::new(&pki, false, Certificates::default().grace).expect("TLS");
        let key = SessionKeys::load_or_create(self.dir.path()).expect("a key");
        App::new(self.app.config.clone(), self.app.pool.clone(), pki, tls, key)
    }

    /// The authority that this server's certificate is from.
    pub(crate) fn ca_file(&self) -> PathBuf {
        self.dir.path().join("ca.pem")
    }

    /// Stops the server and waits until all connections have ended.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        tokio::time::timeout(LIMIT, self.task).await.expect("drained in time").expect("no panic").expect("no error");
        drop(self.app);
        self.db.drop().await;
    }

    /// Asks the server to stop, as a signal would.
    pub(crate) fn ask_to_stop(&self) {
        self.stop.cancel();
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// A session of a new user with that role, made without hashing a password.
    pub(crate) async fn session(&self, role: &str) -> (Uuid, String) {
        let user_id = Uuid::now_v7();
        users::insert(&self.app.pool, user_id, &format!("{role}-{user_id}"), "no hash", role).await.expect("inserted");
        (user_id, self.app.session_keys.issue(user_id, 0, Timestamp::now()).0)
    }

    pub(crate) async fn admin(&self) -> String {
        self.session("admin").await.1
    }

    pub(crate) async fn send(&self, method: Method, path: &str, token: Option<&str>, body: Option<&Value>) -> Answer {
        let mut request = self.client.request(method, self.url(path));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        Answer::read(request.send().await.expect("an answer")).await
    }

    pub(crate) async fn get(&self, token: &str, path: &str) -> Answer {
        self.send(Method::GET, path, Some(token), None).await
    }

    pub(crate) async fn post(&self, token: &str, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, Some(token), Some(&body)).await
    }

    pub(crate) async fn delete(&self, token: &str, path: &str) -> Answer {
        self.send(Method::DELETE, path, Some(token), None).await
    }

    /// An enrolled agent.
    pub(crate) async fn agent(&self, name: &str) -> Uuid {
        let agent_id = Uuid::now_v7();
        let agent = NewAgent {
            agent_id,
            name,
            kernel: "6.12.0",
            arch: "x86_64",
            client_cert: "-",
            cert_serial: "01",
            cert_not_after: Timestamp::now() + SignedDuration::from_hours(24),
        };
        agents::insert(&mut self.app.pool.acquire().await.expect("a connection"), &agent).await.expect("inserted");
        agent_id
    }

    /// Stores events as the ingest writer does and announces them, in one batch.
    pub(crate) async fn store(&self, mut batch: Vec<Event>) -> Vec<Event> {
        let received_at = Timestamp::now().round(Unit::Microsecond).expect("in range");
        for event in &mut batch {
            event.received_at = received_at;
        }
        batch.sort_by_key(|event| event.event_id);
        let mut tx = self.app.pool.begin().await.expect("a transaction");
        events::ingest::copy(&mut tx, &batch).await.expect("stored");
        events::ingest::count(&mut tx, &batch).await.expect("counted");
        tx.commit().await.expect("committed");
        self.app.alerts.tally.stored(&batch);
        self.app.live.publish(received_at, batch.len() as u64, batch.clone());
        batch
    }
}

/// An event of that agent, now.
pub(crate) fn event(agent_id: Uuid, agent_name: &str, kind: EventKind, verdict: Verdict) -> Event {
    let ts = Timestamp::from_microsecond(Timestamp::now().as_microsecond()).expect("in range");
    Event {
        event_id: Uuid::now_v7(),
        agent_id,
        agent_name: agent_name.to_owned(),
        ts,
        received_at: ts,
        discovered_agent_id: None,
        agent_type: Some("claude-code".to_owned()),
        kind,
        resource: "/etc/passwd".to_owned(),
        verdict,
        server_verdict: Some(verdict),
        drift_detected: false,
        drift_reason: None,
        severity: Severity::Low,
        rule: None,
        policy_id: None,
        policy_version: None,
        pid: 4242,
        process_exe: "/usr/bin/node".to_owned(),
        cmdline: "node cli.js".to_owned(),
        metadata: [("reason".to_owned(), "line\r\nbreak \u{2028} and \u{1b}[2J".to_owned())].into(),
    }
}

fn config(data_dir: &Path, rest_tls: bool) -> Config {
    Config {
        database: Database::Embedded { bin_dir: None, user: None },
        data_dir: data_dir.to_owned(),
        web_dir: data_dir.join("web"),
        rest_bind: SocketAddr::from(([127, 0, 0, 1], 0)),
        rest_tls,
        grpc_bind: SocketAddr::from(([127, 0, 0, 1], 0)),
        server_names: Vec::new(),
        bootstrap_enrollment_token: None,
        retention_days: 30,
        read_timeout: READ_TIMEOUT,
        audit_retention_days: 400,
        stale_after: Duration::from_secs(90),
        heartbeat_interval: None,
        certificates: Certificates::default(),
        agent_rate: AgentRate::default(),
        doors: Doors::default(),
        metrics_public: false,
        metrics_agents_max: 2,
        sse_streams_max: 2000,
        sse_streams_per_user: 20,
        alerts: tyr_server::app::alerts::Settings::default(),
    }
}
