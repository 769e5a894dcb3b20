//! The door for agents.

use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::{Counters, Held};

/// Statuses that this server gives, by their names in the gRPC protocol: there from the start, so that a first refusal is seen
/// as an increase. See <https://grpc.github.io/grpc/core/md_doc_statuscodes.html>.
const STATUSES: [&str; 8] = [
    "OK",
    "INVALID_ARGUMENT",
    "UNAUTHENTICATED",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "ABORTED",
    "UNAVAILABLE",
    "INTERNAL",
];
/// Messages of agents.
const MESSAGES: [&str; 7] = [
    "heartbeat",
    "event_batch",
    "capabilities",
    "policy_status",
    "live_ai_processes",
    "certificate_request",
    "unknown",
];

/// Counters of the agents' door.
#[derive(Debug)]
pub struct GrpcMetrics {
    requests: Counters<1>,
    messages: Counters<1>,
    ends: Counters<1>,
    streams: Gauge,
}

impl GrpcMetrics {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let requests = Counters::<1>::default();
        let ends = Counters::<1>::default();
        for status in STATUSES {
            let _ = requests.get_or_create(&[("status", status)]);
            let _ = ends.get_or_create(&[("status", status)]);
        }
        registry.register(
            "tyr_grpc_requests",
            "Calls of agents, by the status that they were answered with; a stream counts when it is opened or refused",
            requests.clone(),
        );
        registry.register(
            "tyr_grpc_stream_ends",
            "Streams of agents that ended, by the status that they ended with; OK when the agent closed it",
            ends.clone(),
        );
        let messages = Counters::<1>::default();
        for message in MESSAGES {
            let _ = messages.get_or_create(&[("message", message)]);
        }
        registry.register("tyr_grpc_messages", "Messages that agents sent on their streams, by kind", messages.clone());
        let streams = Gauge::default();
        registry.register("tyr_grpc_streams", "Streams of agents that are open", streams.clone());
        Self { requests, messages, ends, streams }
    }

    /// A call was answered, a stream's head included; the status by its name in the gRPC protocol.
    pub fn answered(&self, status: &'static str) {
        self.requests.get_or_create(&[("status", status)]).inc();
    }

    /// An agent sent a message of that kind: the field's name in `agent.proto`.
    pub fn message(&self, kind: &'static str) {
        self.messages.get_or_create(&[("message", kind)]).inc();
    }

    /// A stream is open until this is dropped.
    pub fn stream(&self) -> Held {
        Held::new(&self.streams)
    }

    /// A stream ended with that status.
    pub fn stream_ended(&self, status: &'static str) {
        self.ends.get_or_create(&[("status", status)]).inc();
    }
}
