//! The door for people and scripts.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::{Held, Labels, SECONDS};

/// One request, as it is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Answered {
    /// Method; `other` for those that no route takes.
    pub method: &'static str,
    /// Template of the route, such as `/api/v1/agents/{id}`; `none` when no route was found.
    pub route: &'static str,
    /// Status of the answer.
    pub status: u16,
}

/// Counters of requests.
#[derive(Debug)]
pub struct HttpMetrics {
    requests: Family<Answered, Counter>,
    seconds: Family<Labels<2>, Histogram, fn() -> Histogram>,
    in_flight: Gauge,
}

impl HttpMetrics {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let requests = Family::default();
        registry.register(
            "tyr_http_requests",
            "Requests answered, by method, template of the route, and status",
            requests.clone(),
        );
        let seconds: Family<_, _, fn() -> Histogram> = Family::new_with_constructor(|| Histogram::new(SECONDS));
        registry.register(
            "tyr_http_request_duration_seconds",
            "Time from a request's head to its answer's head; a stream is not measured to its end",
            seconds.clone(),
        );
        let in_flight = Gauge::default();
        registry.register("tyr_http_requests_in_flight", "Requests that are not answered yet", in_flight.clone());
        Self { requests, seconds, in_flight }
    }

    /// A request is being answered until this is dropped.
    pub fn begun(&self) -> Held {
        Held::new(&self.in_flight)
    }

    /// A request was answered after that time.
    pub fn answered(&self, what: Answered, took: Duration) {
        self.requests.get_or_create(&what).inc();
        let labels = [("method", what.method), ("route", what.route)];
        self.seconds.get_or_create(&labels).observe(took.as_secs_f64());
    }
}
