//! A server without its doors: state, database, writer and fleet, in this process.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tyr_proto::v1;
use tyr_server::app::auth::sessions::SessionKeys;
use tyr_server::app::ingest::{Session, writer};
use tyr_server::app::{App, effective};
use tyr_server::config::{AgentRate, Certificates, Config, Database, Doors};
use tyr_server::db::Pools;
use tyr_server::db::agents::{self, NewAgent};
use tyr_server::pki::Pki;
use tyr_server::tls::TlsConfigs;
use uuid::Uuid;

use crate::testdb::{RETENTION_DAYS, TestDb};

/// Longest wait for anything; reached only when something is broken.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

/// The state of a server, with its writer running.
pub(crate) struct Stack {
    pub(crate) app: Arc<App>,
    pub(crate) db: TestDb,
    _dir: tempfile::TempDir,
    stop: CancellationToken,
    writer: JoinHandle<()>,
}

impl Stack {
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// With other settings than the usual ones.
    pub(crate) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let db = TestDb::new().await;
        let pools = Pools::from(db.pool.clone());
        Self::made(db, pools, change).await
    }

    /// With other ways to the database.
    pub(crate) async fn on(db: TestDb, pools: Pools) -> Self {
        Self::made(db, pools, |_| {}).await
    }

    #[expect(clippy::unused_async, reason = "awaited like the other ways to make one")]
    async fn made(db: TestDb, pools: Pools, change: impl FnOnce(&mut Config)) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let pki = Pki::load_or_create(dir.path(), &[]).expect("a CA");
        let key = SessionKeys::load_or_create(dir.path()).expect("a key");
        let mut config = Config {
            database: Database::Embedded { bin_dir: None, user: None },
            data_dir: dir.path().to_owned(),
            web_dir: dir.path().join("web"),
            rest_bind: SocketAddr::from(([127, 0, 0, 1], 0)),
            rest_tls: true,
            grpc_bind: SocketAddr::from(([127, 0, 0, 1], 0)),
            server_names: Vec::new(),
            bootstrap_enrollment_token: None,
            retention_days: RETENTION_DAYS,
            read_timeout: Duration::from_secs(5),
            audit_retention_days: 400,
            stale_after: Duration::from_secs(90),
            heartbeat_interval: Some(Duration::from_secs(5)),
            certificates: Certificates::default(),
            agent_rate: AgentRate::default(),
            doors: Doors::default(),
            metrics_public: false,
            metrics_agents_max: 2,
            sse_streams_max: 100,
            sse_streams_per_user: 20,
            alerts: tyr_server::app::alerts::Settings::default(),
        };
        change(&mut config);
        let tls = TlsConfigs::new(&pki, true, config.certificates.grace).expect("TLS");
        let app = App::new(config, pools, pki, tls, key);
        let stop = CancellationToken::new();
        let writer = tokio::spawn(writer::run(Arc::clone(&app), stop.clone()));
        Self { app, db, _dir: dir, stop, writer }
    }

    /// Stops the writer as the server does, and removes the database.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        tokio::time::timeout(LIMIT, self.writer).await.expect("in time").expect("no panic");
        drop(self.app);
        self.db.drop().await;
    }

    /// An agent that enrolled, without a certificate.
    pub(crate) async fn agent(&self, name: &str) -> Uuid {
        let agent_id = Uuid::now_v7();
        let agent = NewAgent {
            agent_id,
            name,
            kernel: "6.12.0",
            arch: "x86_64",
            client_cert: "-",
            cert_serial: "01",
            cert_not_after: Timestamp::now() + Duration::from_hours(24),
        };
        agents::insert(&mut self.app.pool.acquire().await.expect("a connection"), &agent).await.expect("inserted");
        agent_id
    }

    /// What a stream of that agent keeps.
    pub(crate) async fn session(&self, agent_id: Uuid) -> Session {
        effective::effective_for(&self.app, agent_id).await.expect("settled");
        Session::open(&self.app, agent_id).await.expect("opened")
    }

    /// Stores events the way that a stream does.
    pub(crate) async fn store(&self, session: &mut Session, events: Vec<v1::Event>) {
        let work = session.prepare(&self.app, batch(events)).await.expect("prepared");
        self.app.ingest.store(work).await.expect("stored");
    }

    /// One number from the database.
    pub(crate) async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.app.pool).await.unwrap_or_else(|error| panic!("{sql}: {error}"))
    }
}

pub(crate) fn batch(events: Vec<v1::Event>) -> v1::EventBatch {
    let record = |event| v1::Record { record: Some(v1::record::Record::Event(event)) };
    v1::EventBatch { spool_epoch: vec![7; 16], first_sequence: 0, records: events.into_iter().map(record).collect() }
}

/// An event as an agent sends it, at that moment.
pub(crate) fn event_at(at: Timestamp) -> v1::Event {
    v1::Event {
        event_id: Uuid::now_v7().to_string(),
        kind: v1::EventKind::FileRead.into(),
        resource: "/etc/hostname".to_owned(),
        verdict: v1::Verdict::Allow.into(),
        severity: v1::Severity::Low.into(),
        pid: 42,
        process_exe: "/usr/bin/node".to_owned(),
        cmdline: "node cli.js".to_owned(),
        timestamp_ns: i64::try_from(at.as_nanosecond()).expect("in range"),
        ..v1::Event::default()
    }
}

/// An event as an agent sends it, now.
pub(crate) fn event() -> v1::Event {
    event_at(Timestamp::now())
}
