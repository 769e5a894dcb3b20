//! The way to the server: enrolls, keeps one stream open, sends what the spool holds, and takes what the server says.
//!
//! Connections are made by us, not by tonic, so that each way to fail has its own words; tonic speaks HTTP/2 over them.

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};
use tyr_proto::v1::CapabilityReport;

use crate::config::{Config, read_token};
use crate::data_dir::DataDir;
use crate::enrich::AiProcess;
use crate::fault::{Fault, chain};
use crate::identity::Identity;
use crate::policies::Policies;
use crate::spool::Spool;
use crate::status::Proof;

mod backoff;
mod connect;
mod enroll;
mod session;

use backoff::Backoff;
use connect::Trust;
pub use connect::{ConnectError, HANDSHAKE_TIMEOUT};
pub use enroll::EnrollError;
pub use session::SessionEnd;

/// Longest that a stopping agent waits for the server to acknowledge what is left.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

/// How the agent stands with its server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Connection {
    /// Not enrolled yet.
    Enrolling,
    /// On the way.
    Connecting,
    /// The stream is open.
    Connected {
        /// Since when, microseconds since the Unix epoch.
        since_unix_us: i64,
    },
    /// Not connected; tries again by itself.
    Disconnected {
        /// Why.
        reason: String,
    },
    /// The server does not take this agent's identity; tries again by itself, more for form's sake.
    Refused {
        /// What the server said.
        reason: String,
    },
}

/// What the stream is about: the parts of the agent that the server hears of or speaks to.
pub struct Shipper {
    /// The configuration as read at start.
    pub config: Config,
    /// Where it came from: a fresh token may appear in it.
    pub config_file: PathBuf,
    /// Identity and cached policy.
    pub data: Arc<DataDir>,
    /// What is to be sent.
    pub spool: Arc<Spool>,
    /// Takes policies.
    pub policies: Arc<Policies>,
    /// What this host can do; sent again whenever it changes.
    pub capabilities: watch::Receiver<CapabilityReport>,
    /// Live trees of AI processes.
    pub ai_processes: watch::Receiver<Arc<[AiProcess]>>,
    /// What the last look at the kernel showed.
    pub proof: watch::Receiver<Proof>,
    /// Tells others how the connection stands.
    pub connection: watch::Sender<Connection>,
}

impl Shipper {
    /// Works until `stop`, and then until the spool is empty, at most [`DRAIN_TIMEOUT`].
    ///
    /// # Errors
    ///
    /// Only what no waiting can mend: no identity and no way to get one.
    pub async fn run(self, stop: CancellationToken) -> Result<(), Fault> {
        let mut identity = match self.load_identity()? {
            Some(identity) => identity,
            None => match Box::pin(self.enroll(&stop)).await? {
                Some(identity) => identity,
                None => return Ok(()),
            },
        };
        let mut backoff = Backoff::default();
        let mut refused_before = false;
        while !stop.is_cancelled() {
            self.connection.send_replace(Connection::Connecting);
            let end = session::run(&self, &mut identity, &mut backoff, &stop).await;
            match &end {
                SessionEnd::Stopped => return Ok(()),
                SessionEnd::Refused(reason) => {
                    if let Some(fresh) = self.enroll_again().await {
                        identity = fresh;
                        backoff = Backoff::default();
                        refused_before = false;
                        continue;
                    }
                    if !refused_before {
                        error!(
                            agent.id = %identity.agent_id,
                            reason,
                            "the server refuses this agent: it was revoked, archived, is unknown there, or its \
                             certificate expired too long ago; enforcement goes on, events are kept; to enroll it \
                             again put a fresh enrollment_token (`tyrctl token create`) into the configuration"
                        );
                    }
                    refused_before = true;
                    self.connection.send_replace(Connection::Refused { reason: reason.clone() });
                }
                SessionEnd::Unacceptable(reason) => {
                    refused_before = false;
                    let given_up = self.spool.refused();
                    warn!(reason, given_up, "the server can't take what it was sent; trying again with less at a time");
                    self.connection.send_replace(Connection::Disconnected { reason: reason.clone() });
                }
                SessionEnd::Lost(reason) => {
                    refused_before = false;
                    warn!(reason, "not connected to the server");
                    self.connection.send_replace(Connection::Disconnected { reason: reason.clone() });
                }
            }
            or_stop(&stop, tokio::time::sleep(backoff.next())).await;
        }
        Ok(())
    }

    fn load_identity(&self) -> Result<Option<Identity>, Fault> {
        Identity::load(&self.data).map_err(|error| {
            Fault::new("this host's identity can't be used")
                .because(&error)
                .hint("remove the file and enroll the host again with a fresh enrollment_token")
        })
    }

    /// First enrollment: tries until it succeeds, is refused for good, or `stop` (then `None`).
    async fn enroll(&self, stop: &CancellationToken) -> Result<Option<Identity>, Fault> {
        self.connection.send_replace(Connection::Enrolling);
        let Some(token) = &self.config.enrollment_token else {
            return Err(Fault::new("this host is not enrolled, and there is no enrollment token").hint(format!(
                "make one with `tyrctl token create` and write `enrollment_token: TOKEN` into {}",
                self.config_file.display()
            )));
        };
        let mut backoff = Backoff::default();
        loop {
            let Some(result) = or_stop(stop, Box::pin(enroll::enroll(self, token))).await else { return Ok(None) };
            match result {
                Ok(identity) => return Ok(Some(identity)),
                Err(error) if error.may_pass() => {
                    let delay = backoff.next();
                    warn!(
                        server = %self.config.server,
                        reason = chain(&error),
                        retry_in_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX),
                        "enrollment is waiting for the server"
                    );
                    if or_stop(stop, tokio::time::sleep(delay)).await.is_none() {
                        return Ok(None);
                    }
                }
                Err(error) => {
                    let hint = error.hint();
                    return Err(Fault::new("enrollment failed").because(&error).hint(hint));
                }
            }
        }
    }

    /// A host that was revoked may enroll again, with a token that is put into the file while the agent runs.
    async fn enroll_again(&self) -> Option<Identity> {
        let token = read_token(&self.config_file)?;
        info!("the identity is refused, but the configuration holds an enrollment token: enrolling again");
        match enroll::enroll(self, &token).await {
            Ok(identity) => Some(identity),
            Err(error) => {
                error!(reason = chain(&error), hint = error.hint(), "enrollment failed");
                None
            }
        }
    }

    /// What the server's certificate is checked against before there is an identity.
    fn first_trust(&self) -> Result<Trust, ConnectError> {
        match (&self.config.ca_file, self.config.ca_sha256) {
            (Some(file), _) => Trust::from_file(file),
            (None, Some(pin)) => Ok(Trust::Pin(pin)),
            (None, None) => unreachable!("Config::check asks for one of them"),
        }
    }
}

/// The future's result, or `None` when `stop` comes first.
async fn or_stop<T>(stop: &CancellationToken, future: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        () = stop.cancelled() => None,
        result = future => Some(result),
    }
}
