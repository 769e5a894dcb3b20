//! What the server counts of itself, for `/metrics`.
//!
//! One method per thing that happens, called where it happens. What is a state rather than an event (agents by liveness, the
//! pool, the process) is not kept up to date here but looked at when somebody asks: see [`sample`].
//!
//! Every label value is a `&'static str`, so that nothing that comes from outside can become one and the number of series is
//! known beforehand. The one exception is `agent_id`, whose number is limited: see [`agents`].
//!
//! Counters begin at zero with the process, which is what Prometheus expects: `rate` and `increase` know a restart.

pub mod agents;
pub mod exposition;
pub mod grpc;
pub mod http;
pub mod ingest;
pub mod policy;
pub mod process;
pub mod sample;
pub mod security;
pub mod sse;

use std::fmt;
use std::sync::LazyLock;

use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use self::agents::AgentMetrics;
use self::grpc::GrpcMetrics;
use self::http::HttpMetrics;
use self::ingest::IngestMetrics;
use self::policy::PolicyMetrics;
pub use self::security::SecurityMetrics;
use self::sse::SseMetrics;

/// Name and value of `N` labels, all known at compile time.
pub(crate) type Labels<const N: usize> = [(&'static str, &'static str); N];
/// A counter per combination of `N` labels.
pub(crate) type Counters<const N: usize> = Family<Labels<N>, Counter>;

/// Upper bounds, in seconds, of what takes from half a millisecond to ten seconds.
pub(crate) const SECONDS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Time that `acquire` of the pool took, connecting included.
///
/// Of the process and not of a server, because the pool tells it through `tracing` alone: see [`crate::telemetry`].
pub static POOL_ACQUIRE_SECONDS: LazyLock<Histogram> = LazyLock::new(|| Histogram::new(SECONDS));

/// All counters of one server.
pub struct Metrics {
    registry: Registry,
    /// From batches of agents to rows.
    pub ingest: IngestMetrics,
    /// Denials and drift by agent.
    pub agents: AgentMetrics,
    /// Policies on their way to agents.
    pub policy: PolicyMetrics,
    /// The door for agents.
    pub grpc: GrpcMetrics,
    /// The door for people.
    pub http: HttpMetrics,
    /// Readers of the event stream.
    pub sse: SseMetrics,
    /// Logins and connections that were turned away.
    pub security: SecurityMetrics,
    /// Results of sending alerts, by result.
    webhooks: Counters<1>,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Metrics {
    /// All at zero. `agents_max` agents get figures of their own.
    pub fn new(agents_max: usize) -> Self {
        let mut registry = Registry::default();
        let webhooks = Counters::<1>::default();
        for result in ["delivered", "retried", "failed"] {
            let _ = webhooks.get_or_create(&[("result", result)]);
        }
        registry.register("tyr_webhook_deliveries", "Tries to send an alert to a webhook, by result", webhooks.clone());
        registry.register(
            "tyr_database_acquire_duration_seconds",
            "Time to get a connection of the pool, waiting and connecting included",
            POOL_ACQUIRE_SECONDS.clone(),
        );
        Self {
            ingest: IngestMetrics::new(&mut registry),
            agents: AgentMetrics::new(&mut registry, agents_max),
            policy: PolicyMetrics::new(&mut registry),
            grpc: GrpcMetrics::new(&mut registry),
            http: HttpMetrics::new(&mut registry),
            sse: SseMetrics::new(&mut registry),
            security: SecurityMetrics::new(&mut registry),
            webhooks,
            registry,
        }
    }

    /// A try to send an alert to a webhook ended; a word among `delivered`, `retried` (it failed and is tried again) and
    /// `failed` (given up).
    pub fn webhook(&self, result: &'static str) {
        self.webhooks.get_or_create(&[("result", result)]).inc();
    }

    /// Everything that was counted, followed by `sampled`, as OpenMetrics text.
    ///
    /// # Errors
    /// None at present: the text is written to memory.
    pub fn open_metrics(&self, sampled: &Registry) -> Result<String, fmt::Error> {
        let mut out = String::with_capacity(64 * 1024);
        text::encode_registry(&mut out, &self.registry)?;
        text::encode_registry(&mut out, sampled)?;
        text::encode_eof(&mut out)?;
        Ok(out)
    }
}

/// A gauge that goes up with [`Held::new`] and down when that is dropped.
#[derive(Debug)]
pub struct Held(Gauge);

impl Held {
    pub(crate) fn new(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.dec();
    }
}
