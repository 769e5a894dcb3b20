//! `Stream`: the long-lived connection of an enrolled agent.
//!
//! One task per stream. It pushes the effective policy after the first capability report and whenever it changes, stores
//! what arrives, and acknowledges after COMMIT. A second stream of the same agent ends the first: a host that came back
//! after a cut doesn't wait for its old connection to time out.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{mpsc, watch};
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status, Streaming};
use tracing::Instrument;
use tyr_api::agents::{DenialTrial, Posture, TablesState};
use tyr_policy::{Guard, Unregistered};
use tyr_proto::BATCH_RECORDS_MAX;
use tyr_proto::v1::server_message::Payload as ToAgent;
use tyr_proto::v1::{
    self, CapabilityReport, CertificateRequest, CertificateWanted, ConfigUpdate, EventAck, Heartbeat, LiveAiProcesses,
    PingRequest, PolicyStatus, RegisteredAgentTypes, ServerMessage,
};
use uuid::Uuid;

use super::accept::Peer;
use super::pace::{Pace, TRANSACTION_RECORDS};
use super::wire::{AgentMessage, Batch, Payload as FromAgent};
use super::{status_word, unavailable};
use crate::accept::Busy;
use crate::app::App;
use crate::app::certificates::{self, AdmitError, Certificate, RenewError};
use crate::app::fleet::{Connection, Ended, Fleet};
use crate::app::ingest::clean::text;
use crate::app::ingest::{IngestError, Session};
use crate::app::{ai_processes, effective};
use crate::db::agent_types;
use crate::db::agents::{self, Capabilities, Refusal, Vitals};
use crate::metrics::policy::Push;
use crate::pki::PkiError;

/// Messages to an agent that may wait for it to read.
const OUT_MAX: usize = 16;
/// Time for an agent to take a message; one that doesn't read is cut off.
const SEND_TIMEOUT: Duration = Duration::from_secs(30);
/// Longest text of a capability report that is kept.
const FACT_BYTES_MAX: usize = 1024;
/// Features or hooks that are kept.
const FACTS_MAX: usize = 64;
/// AI processes in one list of those that live, as the protocol says.
const LIVE_AI_PROCESSES_MAX: usize = 4096;
/// Records of one batch that are taken: more than agents send, and few enough for one transaction.
const RECORDS_MAX: usize = 20 * BATCH_RECORDS_MAX;
/// Time for an agent to renew an expired certificate.
const RENEWAL_TIMEOUT: Duration = Duration::from_secs(30);

/// Opens a stream: who it is for is said by the client certificate alone.
pub(super) async fn open(
    app: &Arc<App>,
    peer: Peer,
    inbound: Streaming<AgentMessage>,
    shutdown: CancellationToken,
) -> Result<ReceiverStream<Result<ServerMessage, Status>>, Status> {
    let busy = peer.place.busy();
    let Some(identity) = peer.identity else {
        return Err(Status::unauthenticated("a client certificate of this server is needed; enroll first"));
    };
    let agent_id = identity.agent_id;
    let certificate = certificates::admit(app, &identity).await.map_err(|error| match &error {
        AdmitError::Refused(refusal) => refused(*refusal),
        AdmitError::Unknown | AdmitError::Expired | AdmitError::Superseded => {
            Status::unauthenticated(error.to_string())
        }
        AdmitError::UnknownCertificate => Status::permission_denied(error.to_string()),
        AdmitError::Db(_) => unavailable(&error),
    })?;
    peer.place.vouch();
    let (out, outbound) = mpsc::channel(OUT_MAX);
    let span = tracing::info_span!("stream", agent.id = %agent_id);
    if certificate.has_expired() {
        tracing::info!(agent.id = %agent_id, peer.address = %peer.address, "agent connected to renew an expired certificate");
        let renewal = Renewal { app: Arc::clone(app), certificate, out };
        tokio::spawn(renewal.run(inbound, busy, shutdown).instrument(span));
        return Ok(ReceiverStream::new(outbound));
    }
    let policies = app.fleet.policy_generation();
    // Settled before the session reads the timeline, so that it is there.
    effective::effective_for(app, agent_id).await.map_err(|error| unavailable(&error))?;
    let session = Session::open(app, agent_id).await.map_err(|error| unavailable(&error))?;
    let connection = Fleet::connect(app, agent_id);
    let pace = Pace::new(app.config.agent_rate);
    let stream = Stream {
        app: Arc::clone(app),
        agent_id,
        session,
        certificate,
        pace,
        policies,
        pushed: None,
        registered: None,
        unregistered: None,
        push: None,
        ping: None,
        out,
        _busy: busy,
    };
    tracing::info!(agent.id = %agent_id, peer.address = %peer.address, "agent connected");
    tokio::spawn(stream.run(inbound, connection, shutdown).instrument(span));
    Ok(ReceiverStream::new(outbound))
}

struct Stream {
    app: Arc<App>,
    agent_id: Uuid,
    session: Session,
    /// The one that opened the stream.
    certificate: Certificate,
    policies: watch::Receiver<u64>,
    /// The effective policy that was sent last; `None` before the capability report.
    pushed: Option<String>,
    /// The registered agent types that were sent last.
    registered: Option<Vec<String>>,
    /// What the agent does with the rest; `None`: an older one, which asks for no types.
    unregistered: Option<Unregistered>,
    /// The policy that the agent did not answer yet.
    push: Option<Push>,
    /// The ping that is not answered yet.
    ping: Option<(u64, Timestamp)>,
    pace: Pace,
    out: mpsc::Sender<Result<ServerMessage, Status>>,
    /// The connection is in use as long as the stream is.
    _busy: Busy,
}

/// Why a stream ends.
enum End {
    /// The agent closed it, or is gone.
    Gone,
    /// We close it, and say why.
    Status(Status),
}

impl From<Status> for End {
    fn from(status: Status) -> Self {
        Self::Status(status)
    }
}

impl Stream {
    async fn run(mut self, mut inbound: Streaming<AgentMessage>, connection: Connection, shutdown: CancellationToken) {
        let _open = self.app.metrics.grpc.stream();
        let life = self.certificate.life_left();
        let end = tokio::select! {
            end = self.follow(&mut inbound) => end,
            ended = connection.ended() => End::Status(match ended {
                Ended::Replaced => Status::aborted("another stream of this agent took this one's place"),
                Ended::Refused(refusal) => refused(refusal),
            }),
            // The agent has a younger one by now, or gets one at its next connect.
            () = tokio::time::sleep(life) => {
                End::Status(Status::aborted("the certificate of this stream has expired; connect again"))
            }
            () = shutdown.cancelled() => End::Status(Status::unavailable("the server is stopping")),
        };
        match end {
            End::Gone => {
                self.app.metrics.grpc.stream_ended(status_word(Code::Ok));
                tracing::info!("agent disconnected");
            }
            End::Status(status) => {
                self.app.metrics.grpc.stream_ended(status_word(status.code()));
                tracing::info!(reason = status.message(), "stream closed");
                // A full queue means that nobody reads it.
                let _ = self.out.try_send(Err(status));
            }
        }
    }

    async fn follow(&mut self, inbound: &mut Streaming<AgentMessage>) -> End {
        match self.greet().await {
            Ok(()) => {}
            Err(end) => return end,
        }
        loop {
            let next_at = self.pace.next_at();
            let message = async {
                tokio::time::sleep_until(next_at).await;
                inbound.next().await
            };
            let step = tokio::select! {
                message = message => match message {
                    Some(Ok(message)) => self.take(message).await,
                    None => return End::Gone,
                    // The agent's side broke off, or sent what is no message.
                    Some(Err(status)) => return broken(&status),
                },
                // Not before the agent said who it is: what it sends first is not to wait behind a key that it makes.
                () = tokio::time::sleep_until(self.certificate.ask_at()), if self.pushed.is_some() => {
                    self.certificate.asked();
                    self.send(ToAgent::CertificateWanted(CertificateWanted {})).await
                }
                changed = self.policies.changed(), if self.pushed.is_some() => match changed {
                    Ok(()) => self.push_policy().await,
                    Err(_) => return End::Gone,
                },
            };
            if let Err(end) = step {
                return end;
            }
        }
    }

    /// Settings of the operator, and a ping: its answer tells how far the agent's clock is off.
    async fn greet(&mut self) -> Result<(), End> {
        if let Some(interval) = self.app.config.heartbeat_interval {
            let heartbeat_interval_s = u32::try_from(interval.as_secs()).unwrap_or(u32::MAX);
            self.send(ToAgent::Config(ConfigUpdate { heartbeat_interval_s })).await?;
        }
        // Zero is for heartbeats that answer nothing.
        let nonce = rand::random::<u64>().max(1);
        self.ping = Some((nonce, Timestamp::now()));
        self.send(ToAgent::Ping(PingRequest { nonce })).await
    }

    async fn take(&mut self, message: AgentMessage) -> Result<(), End> {
        let Some(payload) = message.payload else {
            // A kind of message that a newer agent may send.
            self.app.metrics.grpc.message("unknown");
            self.app.fleet.seen(self.agent_id, None);
            return Ok(());
        };
        self.app.metrics.grpc.message(match &payload {
            FromAgent::Heartbeat(_) => "heartbeat",
            FromAgent::EventBatch(_) => "event_batch",
            FromAgent::Capabilities(_) => "capabilities",
            FromAgent::PolicyStatus(_) => "policy_status",
            FromAgent::LiveAiProcesses(_) => "live_ai_processes",
            FromAgent::CertificateRequest(_) => "certificate_request",
        });
        match &payload {
            FromAgent::Heartbeat(_) => self.pace.spend(1, 0),
            FromAgent::EventBatch(batch) => self.pace.spend(batch.records.len() as u64, batch.bytes()),
            _ => self.pace.spend(TRANSACTION_RECORDS, 0),
        }
        match payload {
            FromAgent::Heartbeat(heartbeat) => {
                self.heartbeat(&heartbeat);
                Ok(())
            }
            FromAgent::EventBatch(batch) => {
                self.app.fleet.seen(self.agent_id, None);
                self.store(batch).await
            }
            FromAgent::Capabilities(report) => {
                self.app.fleet.seen(self.agent_id, None);
                self.capabilities(report).await
            }
            FromAgent::PolicyStatus(status) => {
                self.app.fleet.seen(self.agent_id, None);
                self.policy_status(&status).await
            }
            FromAgent::LiveAiProcesses(living) => {
                self.app.fleet.seen(self.agent_id, None);
                self.live_ai_processes(&living).await
            }
            FromAgent::CertificateRequest(request) => {
                self.app.fleet.seen(self.agent_id, None);
                let renewed = renew(&self.app, &mut self.certificate, &request).await?;
                self.send(ToAgent::Certificate(renewed)).await
            }
        }
    }

    fn heartbeat(&mut self, heartbeat: &Heartbeat) {
        let now = Timestamp::now();
        // The agent read its clock somewhere between ping and answer, so half the round trip is taken off; without a ping the
        // way here counts as skew, which is milliseconds.
        let here = match self.ping {
            Some((nonce, sent)) if nonce == heartbeat.ping_nonce => {
                self.ping = None;
                sent + now.duration_since(sent) / 2
            }
            _ => now,
        };
        let there = Timestamp::from_nanosecond(heartbeat.sent_ns.into()).unwrap_or(here);
        let skew = there.duration_since(here).as_millis();
        let denial = match heartbeat.denial() {
            v1::DenialTrial::Unspecified => DenialTrial::NotTried,
            v1::DenialTrial::Denied => DenialTrial::Denied,
            v1::DenialTrial::WentThrough => DenialTrial::WentThrough,
            v1::DenialTrial::NotKnown => DenialTrial::NotKnown,
        };
        // Both by the agent's clock, so their difference holds by any.
        let ago = heartbeat.sent_ns.saturating_sub(heartbeat.denial_tried_ns).max(0);
        let denial_at = (denial != DenialTrial::NotTried && heartbeat.denial_tried_ns > 0)
            .then(|| here.checked_sub(SignedDuration::from_nanos(ago)).unwrap_or(Timestamp::UNIX_EPOCH));
        let guard = self.guard();
        let tables = if guard.as_ref().map(Guard::id).unwrap_or_default() == heartbeat.tables_guard {
            let policy_id = text(&heartbeat.tables_policy_id, FACT_BYTES_MAX);
            self.app.tables.compare(&self.app, &policy_id, guard, &heartbeat.tables_digest)
        } else {
            // It did not hear of the newest agent types yet.
            TablesState::Unknown
        };
        self.app.fleet.seen(
            self.agent_id,
            Some(Vitals {
                clock_skew_ms: i64::try_from(skew).unwrap_or(0),
                spool_records: i64::try_from(heartbeat.spool_records).unwrap_or(i64::MAX),
                events_lost: i64::try_from(heartbeat.events_lost).unwrap_or(i64::MAX),
                denial,
                denial_at,
                tables,
                tables_digest: text(&heartbeat.tables_digest, FACT_BYTES_MAX),
            }),
        );
    }

    /// What the agent's tables hold beside the policy.
    fn guard(&self) -> Option<Guard> {
        Guard::new(self.unregistered?, self.registered.iter().flatten().cloned().collect())
    }

    async fn store(&mut self, batch: Batch) -> Result<(), End> {
        let arrived = Instant::now();
        if batch.records.len() > RECORDS_MAX {
            let text = format!("a batch of {} records; at most {BATCH_RECORDS_MAX} are expected", batch.records.len());
            return Err(Status::invalid_argument(text).into());
        }
        let records = batch.records.len() as u64;
        let Some(sequence) = records.checked_sub(1).and_then(|last| batch.first_sequence.checked_add(last)) else {
            return Err(Status::invalid_argument("an empty batch, or sequence numbers that run over").into());
        };
        let spool_epoch = batch.spool_epoch.clone();
        let (batch, unreadable) = batch.decode(self.agent_id);
        let mut work = self.session.prepare(&self.app, batch).await.map_err(|error| unavailable(&error))?;
        work.rejected.extend(unreadable);
        let oldest = work.events.iter().map(|event| event.ts).min();
        self.app.ingest.store(work).await.map_err(|error| match error {
            // Logged by the writer already, once for all agents.
            IngestError::Db(_) => Status::unavailable("the server can't store events now; try again"),
            IngestError::Stopping => Status::unavailable("the server is stopping"),
        })?;
        if let Some(oldest) = oldest {
            let age = Timestamp::now().duration_since(oldest);
            self.app.metrics.ingest.age(Duration::try_from(age).unwrap_or_default());
        }
        self.app.metrics.ingest.acknowledged(arrived.elapsed());
        self.send(ToAgent::Ack(EventAck { spool_epoch, sequence })).await
    }

    /// Ends what the agent doesn't know of any more: it, or its host, crashed.
    async fn live_ai_processes(&mut self, living: &LiveAiProcesses) -> Result<(), End> {
        if living.discovered_agent_ids.len() > LIVE_AI_PROCESSES_MAX {
            return Err(Status::invalid_argument("more AI processes than one message may hold").into());
        }
        let ids = living.discovered_agent_ids.iter().map(|id| Uuid::from_slice(id)).collect::<Result<Vec<_>, _>>();
        let ids = ids.map_err(|_| Status::invalid_argument("the id of an AI process has 16 bytes"))?;
        ai_processes::end_others(&self.app, self.agent_id, &ids, self.certificate.last_seen())
            .await
            .map_err(|error| unavailable(&error).into())
    }

    async fn capabilities(&mut self, report: CapabilityReport) -> Result<(), End> {
        let posture = match report.posture() {
            v1::Posture::Unspecified => Posture::Unknown,
            v1::Posture::Blind => Posture::Blind,
            v1::Posture::Observing => Posture::Observing,
            v1::Posture::Partial => Posture::Partial,
            v1::Posture::Enforcing => Posture::Enforcing,
        };
        let fact = |given: &String| text(given, FACT_BYTES_MAX);
        let report = Capabilities {
            kernel: fact(&report.kernel_version),
            arch: fact(&report.arch),
            agent_version: fact(&report.agent_version),
            features: report.features.iter().take(FACTS_MAX).map(fact).collect(),
            hooks: report.hooks.iter().take(FACTS_MAX).map(fact).collect(),
            posture,
            posture_reason: fact(&report.posture_reason),
            scope: fact(&report.scope),
            unregistered_agents: fact(&report.unregistered_agents),
        };
        self.unregistered = report.unregistered_agents.parse().ok();
        let stored =
            async { agents::set_capabilities(&mut *self.app.pool.acquire().await?, self.agent_id, &report).await };
        stored.await.map_err(|error| unavailable(&error))?;
        self.app.fleet.changed(self.agent_id);
        if self.pushed.is_none() { self.push_policy().await } else { Ok(()) }
    }

    async fn policy_status(&mut self, status: &PolicyStatus) -> Result<(), End> {
        let error = text(&status.error, FACT_BYTES_MAX);
        let policy_id = text(&status.policy_id, FACT_BYTES_MAX);
        let stored = async {
            let mut conn = self.app.pool.acquire().await?;
            agents::set_policy_status(&mut conn, self.agent_id, &policy_id, status.in_force, &error).await
        };
        stored.await.map_err(|error| unavailable(&error))?;
        let push = if self.pushed.as_deref() == Some(&status.policy_id) { self.push.take() } else { None };
        if status.in_force {
            if let Some(push) = push {
                push.in_force(Duration::from_micros(status.load_us));
            }
            tracing::info!(policy.id = policy_id, load_us = status.load_us, "policy in force");
        } else {
            if let Some(push) = push {
                push.failed();
            }
            tracing::warn!(policy.id = policy_id, error, "the agent could not load its policy");
        }
        self.app.fleet.changed(self.agent_id);
        Ok(())
    }

    /// Sends the registered agent types, if they are others than those that were sent.
    async fn send_registered(&mut self) -> Result<(), End> {
        let registered = agent_types::registered(&self.app.pool).await;
        let agent_types = registered.map_err(|error| unavailable(&error))?;
        if self.registered.as_ref() == Some(&agent_types) {
            return Ok(());
        }
        self.registered = Some(agent_types.clone());
        self.send(ToAgent::RegisteredAgentTypes(RegisteredAgentTypes { agent_types })).await
    }

    /// Sends the effective policy, if it is another than the one that was sent.
    async fn push_policy(&mut self) -> Result<(), End> {
        self.policies.mark_unchanged();
        if self.unregistered.is_some() {
            self.send_registered().await?;
        }
        let push = effective::effective_for(&self.app, self.agent_id).await.map_err(|error| unavailable(&error))?;
        if self.pushed.as_ref() == Some(&push.policy_id) {
            return Ok(());
        }
        self.pushed = Some(push.policy_id.clone());
        tracing::info!(policy.id = push.policy_id, layers = push.layers.len(), "policy pushed");
        self.push = Some(self.app.metrics.policy.pushed());
        // Made while the agent makes them too, so that there is something to compare when it has read them back.
        let guard = self.guard();
        self.app.tables.prepare(&self.app, &push.policy_id, guard);
        self.send(ToAgent::Policy(push)).await
    }

    async fn send(&self, payload: ToAgent) -> Result<(), End> {
        send(&self.out, payload).await
    }
}

/// A stream that was opened with an expired certificate: good for getting a new one, and for nothing else. What the agent sends
/// beside that is not stored and not acknowledged, so it comes again on the next stream.
struct Renewal {
    app: Arc<App>,
    certificate: Certificate,
    out: mpsc::Sender<Result<ServerMessage, Status>>,
}

impl Renewal {
    async fn run(mut self, mut inbound: Streaming<AgentMessage>, _busy: Busy, shutdown: CancellationToken) {
        let end = tokio::select! {
            end = self.renew(&mut inbound) => end.err().unwrap_or_else(|| {
                End::Status(Status::aborted("the certificate was renewed; connect again"))
            }),
            () = tokio::time::sleep(RENEWAL_TIMEOUT) => {
                End::Status(Status::unauthenticated("the client certificate has expired and was not renewed in time"))
            }
            () = shutdown.cancelled() => End::Status(Status::unavailable("the server is stopping")),
        };
        if let End::Status(status) = end {
            let _ = self.out.try_send(Err(status));
        }
    }

    async fn renew(&mut self, inbound: &mut Streaming<AgentMessage>) -> Result<(), End> {
        self.certificate.asked();
        send(&self.out, ToAgent::CertificateWanted(CertificateWanted {})).await?;
        while let Some(message) = inbound.next().await {
            if let Some(FromAgent::CertificateRequest(request)) = message.map_err(|_| End::Gone)?.payload {
                let renewed = renew(&self.app, &mut self.certificate, &request).await?;
                return send(&self.out, ToAgent::Certificate(renewed)).await;
            }
        }
        Err(End::Gone)
    }
}

async fn renew(
    app: &Arc<App>,
    certificate: &mut Certificate,
    request: &CertificateRequest,
) -> Result<v1::Certificate, Status> {
    certificates::renew(app, certificate, &request.csr_pem).await.map_err(|error| match &error {
        RenewError::NotAsked | RenewError::Csr(PkiError::BadCsr(_)) => Status::invalid_argument(error.to_string()),
        RenewError::Refused(refusal) => refused(*refusal),
        RenewError::Csr(_) | RenewError::Db(_) => unavailable(&error),
    })
}

/// The agent's side broke off, or sent what is no message. The second it is told, as sending it again won't help.
fn broken(status: &Status) -> End {
    tracing::debug!(%status, "the stream broke");
    match status.code() {
        Code::Internal | Code::OutOfRange | Code::InvalidArgument | Code::Unimplemented | Code::ResourceExhausted => {
            End::Status(Status::invalid_argument(format!("a message can't be read: {}", status.message())))
        }
        _ => End::Gone,
    }
}

/// What a refused agent is told.
fn refused(refusal: Refusal) -> Status {
    Status::permission_denied(match refusal {
        Refusal::Archived => "this agent is archived; an admin can take it back",
        Refusal::Revoked => "this agent was revoked; enroll the host again with a fresh token",
    })
}

async fn send(out: &mpsc::Sender<Result<ServerMessage, Status>>, payload: ToAgent) -> Result<(), End> {
    let message = ServerMessage { payload: Some(payload) };
    match tokio::time::timeout(SEND_TIMEOUT, out.send(Ok(message))).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(End::Gone),
        Err(_) => Err(Status::deadline_exceeded("the agent does not read").into()),
    }
}
