//! Policies on their way to agents.

use std::time::{Duration, Instant};

use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::{Counters, Held, SECONDS};

/// Counters of policy pushes.
#[derive(Debug)]
pub struct PolicyMetrics {
    pushes: Counters<1>,
    pending: Gauge,
    reload_seconds: Histogram,
    load_seconds: Histogram,
}

/// A policy that was sent to an agent which did not answer yet; dropped without an answer, it counts as superseded.
#[derive(Debug)]
pub struct Push {
    sent: Instant,
    reload_seconds: Histogram,
    load_seconds: Histogram,
    pushes: Counters<1>,
    result: &'static str,
    _pending: Held,
}

impl PolicyMetrics {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let pushes = Counters::<1>::default();
        for result in ["in_force", "failed", "superseded"] {
            let _ = pushes.get_or_create(&[("result", result)]);
        }
        registry.register(
            "tyr_policy_pushes",
            "Policies sent to agents, by what became of them; superseded by a newer one or by the end of the stream",
            pushes.clone(),
        );
        let pending = Gauge::default();
        registry.register(
            "tyr_policy_pushes_pending",
            "Policies sent to agents that did not say yet that they are in force",
            pending.clone(),
        );
        let reload_seconds = Histogram::new(SECONDS);
        registry.register(
            "tyr_policy_reload_duration_seconds",
            "Time from sending a policy to an agent until the agent says that it is in force",
            reload_seconds.clone(),
        );
        let load_seconds = Histogram::new(SECONDS);
        registry.register(
            "tyr_policy_load_duration_seconds",
            "Part of the reload that agents spend on compiling the policy and loading it into the kernel",
            load_seconds.clone(),
        );
        Self { pushes, pending, reload_seconds, load_seconds }
    }

    /// A policy was sent.
    pub fn pushed(&self) -> Push {
        Push {
            sent: Instant::now(),
            reload_seconds: self.reload_seconds.clone(),
            load_seconds: self.load_seconds.clone(),
            pushes: self.pushes.clone(),
            result: "superseded",
            _pending: Held::new(&self.pending),
        }
    }
}

impl Push {
    /// The agent says that it is in force, and how long loading took there.
    pub fn in_force(mut self, load: Duration) {
        self.result = "in_force";
        self.reload_seconds.observe(self.sent.elapsed().as_secs_f64());
        self.load_seconds.observe(load.as_secs_f64());
    }

    /// The agent says that it could not load it.
    pub fn failed(mut self) {
        self.result = "failed";
    }
}

impl Drop for Push {
    fn drop(&mut self) {
        self.pushes.get_or_create(&[("result", self.result)]).inc();
    }
}
