//! What the server decides: one file per aggregate, called by both doors.

pub mod agent_types;
pub mod agents;
pub mod ai_processes;
pub mod alerts;
pub mod assignments;
pub mod audit;
pub mod auth;
pub mod certificates;
pub mod effective;
pub mod enroll;
pub mod fleet;
pub mod ingest;
pub mod judge;
pub mod live;
pub mod liveness;
pub mod metrics_token;
pub mod policies;
pub mod probe;
pub mod query;
pub mod tables;
pub mod tokens;
pub mod users;

use std::sync::Arc;

use sqlx::PgPool;

use crate::accept::{self, Gate};
use crate::app::alerts::Alerts;
use crate::app::auth::attempts::Attempts;
use crate::app::auth::endings::Endings;
use crate::app::auth::secrets::Secrets;
use crate::app::auth::sessions::SessionKeys;
use crate::app::effective::Pushes;
use crate::app::fleet::Fleet;
use crate::app::ingest::Ingest;
use crate::app::judge::Judge;
use crate::app::live::Live;
use crate::app::liveness::Limits;
use crate::app::metrics_token::MetricsToken;
use crate::app::probe::Probe;
use crate::app::tables::Expected;
use crate::config::{Config, Doors};
use crate::db::{Owner, Pools, Writes};
use crate::metrics::sample::Surveys;
use crate::metrics::{Metrics, SecurityMetrics};
use crate::pki::Pki;
use crate::tls::TlsConfigs;

/// State shared by both doors and all tasks, behind one [`Arc`].
#[derive(Debug)]
pub struct App {
    /// Settings.
    pub config: Config,
    /// Connections to the database, whose schema is up to date: for requests, so their statements are cut off in time.
    pub pool: PgPool,
    /// Connections for batches of events.
    pub writes: Writes,
    /// Who makes and drops partitions.
    pub owner: Owner,
    /// The internal CA.
    pub pki: Pki,
    /// rustls settings of both ports.
    pub tls: TlsConfigs,
    /// Sign and check session tokens.
    pub session_keys: SessionKeys,
    /// Hashes passwords and token secrets.
    pub secrets: Secrets,
    /// Who may be connected to the two ports.
    pub gates: Gates,
    /// Failed logins of late.
    pub attempts: Attempts,
    /// Sessions that end, for what runs as long as they do.
    pub endings: Endings,
    /// The live stream of stored events.
    pub live: Live,
    /// Agents that are connected now.
    pub fleet: Fleet,
    /// The way of batches into the database.
    pub ingest: Ingest,
    /// Judges events for drift.
    pub judge: Judge,
    /// What agents' kernels should hold.
    pub tables: Expected,
    /// Effective policies as agents get them.
    pub pushes: Pushes,
    /// Alerts: what waits to be counted, and who is told.
    pub alerts: Alerts,
    /// When an agent counts as late, stale, offline.
    pub liveness: Limits,
    /// What this server counted.
    pub metrics: Metrics,
    /// Figures from the database for metrics.
    pub surveys: Surveys,
    /// Whether the database answers.
    pub probe: Arc<Probe>,
    /// Lets a scraper in.
    pub metrics_token: MetricsToken,
}

impl App {
    /// Puts the state together; starts nothing.
    pub fn new(
        config: Config,
        database: impl Into<Pools>,
        pki: Pki,
        tls: TlsConfigs,
        session_keys: SessionKeys,
    ) -> Arc<Self> {
        let Pools { reads, writes, owner } = database.into();
        let liveness = Limits::new(config.stale_after, config.heartbeat_interval);
        let metrics = Metrics::new(config.metrics_agents_max.into());
        let gates = Gates::new(&config.doors, &metrics.security);
        let metrics_token = MetricsToken::new(&config.data_dir);
        Arc::new(Self {
            config,
            gates,
            pool: reads,
            writes,
            owner,
            pki,
            tls,
            session_keys,
            secrets: Secrets::new(),
            attempts: Attempts::default(),
            endings: Endings::default(),
            live: Live::new(),
            fleet: Fleet::new(liveness),
            ingest: Ingest::new(),
            tables: Expected::default(),
            pushes: Pushes::default(),
            judge: Judge::default(),
            alerts: Alerts::new(),
            liveness,
            metrics,
            surveys: Surveys::default(),
            probe: Arc::default(),
            metrics_token,
        })
    }
}

/// The gates of both doors.
#[derive(Debug)]
pub struct Gates {
    /// Agents'.
    pub grpc: Arc<Gate>,
    /// People's and scripts'.
    pub rest: Arc<Gate>,
}

impl Gates {
    fn new(doors: &Doors, metrics: &SecurityMetrics) -> Self {
        let gate = |door, connections_max| {
            Gate::counted(accept::Limits::new(connections_max, doors.per_source_max), door, metrics.clone())
        };
        Self { grpc: gate("grpc", doors.grpc_connections_max), rest: gate("rest", doors.rest_connections_max) }
    }
}
