//! Logins, enrollments and connections that were turned away.

use prometheus_client::registry::Registry;

use super::Counters;

/// Results of logins, there from the start.
const LOGINS: [&str; 4] = ["ok", "wrong_credentials", "too_many_attempts", "failed"];
/// Results of enrollments, there from the start.
const ENROLLMENTS: [&str; 3] = ["ok", "refused", "failed"];
/// Ways in which connections end before they begin.
const CONNECTIONS: [&str; 4] = ["accepted", "handshake_failed", "handshake_timeout", "penalised"];

/// Counters of what was let in and what was not.
#[derive(Clone, Debug)]
pub struct SecurityMetrics {
    logins: Counters<1>,
    enrollments: Counters<1>,
    connections: Counters<2>,
}

impl SecurityMetrics {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let (logins, enrollments, connections) =
            (Counters::<1>::default(), Counters::<1>::default(), Counters::default());
        for result in LOGINS {
            let _ = logins.get_or_create(&[("result", result)]);
        }
        for result in ENROLLMENTS {
            let _ = enrollments.get_or_create(&[("result", result)]);
        }
        for door in ["grpc", "rest"] {
            for result in CONNECTIONS {
                let _ = connections.get_or_create(&[("door", door), ("result", result)]);
            }
        }
        registry.register("tyr_logins", "Tries to log in, by result", logins.clone());
        registry.register("tyr_enrollments", "Tries of hosts to enroll, by result", enrollments.clone());
        registry.register("tyr_connections", "TCP connections, by door and by how they began", connections.clone());
        Self { logins, enrollments, connections }
    }

    /// Somebody tried to log in: `ok`, `wrong_credentials`, `too_many_attempts` or `failed`.
    pub fn login(&self, result: &'static str) {
        self.logins.get_or_create(&[("result", result)]).inc();
    }

    /// A host tried to enroll: `ok`, `refused` or `failed`.
    pub fn enrollment(&self, result: &'static str) {
        self.enrollments.get_or_create(&[("result", result)]).inc();
    }

    /// A connection came at the door `grpc` or `rest`: `accepted` (after its handshake), `handshake_failed`,
    /// `handshake_timeout` or `penalised`.
    pub fn connection(&self, door: &'static str, result: &'static str) {
        self.connections.get_or_create(&[("door", door), ("result", result)]).inc();
    }
}
