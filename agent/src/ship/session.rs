//! One stream, from connect to loss.
//!
//! Three loops share it: *send* (batches, heartbeats, reports), *receive*, and *apply* (policies, which may take a while and
//! must not hold up acknowledgements). The first that ends, ends them all.

use std::error::Error;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status, Streaming};
use tracing::{debug, error, info, warn};
use tyr_proto::v1::agent_message::Payload as Outgoing;
use tyr_proto::v1::server_message::Payload as Incoming;
use tyr_proto::v1::{
    AgentMessage, Certificate, CertificateRequest, DenialTrial, Heartbeat, LiveAiProcesses, PolicyPush, PolicyStatus,
    RegisteredAgentTypes, ServerMessage,
};

use super::backoff::Backoff;
use super::connect::{Trust, connect};
use super::{Connection, DRAIN_TIMEOUT, Shipper};
use crate::clock::unix_us_now;
use crate::fault::chain;
use crate::identity::{Identity, Request, certificates};
use crate::status::{Denial, Proof, ProvenTables};

/// Messages between the loops and HTTP/2. Small: what waits here can't be overtaken by a denial.
const OUTGOING_MAX: usize = 4;
/// Answers to the server that wait to be sent. A server that pings faster than it reads loses pings.
const ANSWERS_MAX: usize = 64;
/// Longest that the server may take to open the stream.
const OPEN_TIMEOUT: Duration = Duration::from_secs(45);
/// A connection that stood for so long was a good one: the next failure is a new one.
const STEADY_AFTER: Duration = Duration::from_secs(30);
/// The way to the server may be closed before it is read why.
const TOLD_WITHIN: Duration = Duration::from_secs(1);
/// Most AI processes in one list of those that live. A host with more doesn't send it.
const LIVE_AI_PROCESSES_MAX: usize = 4096;

/// Why a session is over.
#[derive(Debug, PartialEq, Eq)]
pub enum SessionEnd {
    /// The agent is stopping, and everything is delivered or the time for it is up.
    Stopped,
    /// The connection did not come up, or broke.
    Lost(String),
    /// The server does not take this identity.
    Refused(String),
    /// The server does not take what it was sent.
    Unacceptable(String),
}

impl SessionEnd {
    fn from_status(status: &Status) -> Self {
        match status.code() {
            Code::Unauthenticated | Code::PermissionDenied => Self::Refused(describe(status)),
            Code::InvalidArgument | Code::OutOfRange => Self::Unacceptable(describe(status)),
            // TLS 1.3 tells a client only after its own handshake is done that its certificate is not taken.
            _ if refused_by_tls(status) => Self::Refused(describe(status)),
            _ => Self::Lost(describe(status)),
        }
    }
}

/// A status as one line: its message, or where the transport failed, the chain below it.
pub(super) fn describe(status: &Status) -> String {
    // An HTTP server that knows nothing of gRPC; tonic stumbles over its body, or over the lack of a trailer.
    if ["while receiving response with status", "grpc-status header missing"]
        .iter()
        .any(|sign| status.message().contains(sign))
    {
        return "something else than a tyr-server's port for agents (7700) answers there".to_owned();
    }
    match status.source() {
        Some(source) => format!("{}: {}", status.message(), chain(source)),
        None if status.message().is_empty() => status.code().description().to_owned(),
        None => status.message().to_owned(),
    }
}

/// Whether the peer ended the connection with an alert about our certificate.
fn refused_by_tls(status: &Status) -> bool {
    use rustls::AlertDescription as Alert;
    let mut next = status.source();
    while let Some(error) = next {
        // An io::Error hides what it carries from its own chain of sources.
        let carried = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        let tls = carried.and_then(|inner| inner.downcast_ref::<rustls::Error>());
        if let Some(rustls::Error::AlertReceived(alert)) = tls {
            return matches!(
                alert,
                Alert::UnknownCA
                    | Alert::BadCertificate
                    | Alert::CertificateExpired
                    | Alert::CertificateRevoked
                    | Alert::CertificateUnknown
                    | Alert::CertificateRequired
                    | Alert::DecryptError
                    | Alert::AccessDenied
            );
        }
        next = error.source();
    }
    false
}

/// Connects, opens the stream, and works on it until it ends. An identity that is renewed meanwhile takes the old one's place,
/// for the next connect.
pub(super) async fn run(
    shipper: &Shipper,
    identity: &mut Identity,
    backoff: &mut Backoff,
    stop: &CancellationToken,
) -> SessionEnd {
    let opening = super::or_stop(stop, open(shipper, identity));
    let Some(opened) = opening.await else { return SessionEnd::Stopped };
    let (outgoing, incoming) = match opened {
        Ok(opened) => opened,
        Err(end) => return end,
    };
    shipper.spool.rewind();
    let (answers_in, answers_out) = mpsc::channel(ANSWERS_MAX);
    let orders = Orders {
        policy: watch::Sender::new(None),
        registered: watch::Sender::new(None),
        interval: watch::Sender::new(shipper.config.heartbeat_interval()),
    };
    let (policy_out, types_out, interval_out) =
        (orders.policy.subscribe(), orders.registered.subscribe(), orders.interval.subscribe());
    let mut applying = None;
    let begun = Instant::now();
    let end = tokio::select! {
        end = send(shipper, outgoing, answers_out, interval_out, stop) => end,
        end = receive(shipper, incoming, backoff, identity, &answers_in, &orders) => end,
        end = apply(shipper, policy_out, types_out, &answers_in, &mut applying) => end,
    };
    // It can't be cut off, and must not come into force after one that the next stream brings.
    if let Some(applying) = applying
        && let Err(failed) = applying.await
    {
        error!(reason = %failed, "loading a policy failed");
    }
    if begun.elapsed() >= STEADY_AFTER {
        backoff.reset();
    }
    end
}

/// What the server wants, for the loops that do it. Only the newest of each counts.
struct Orders {
    policy: watch::Sender<Option<PolicyPush>>,
    registered: watch::Sender<Option<RegisteredAgentTypes>>,
    interval: watch::Sender<Duration>,
}

type Opened = (mpsc::Sender<AgentMessage>, Streaming<ServerMessage>);

async fn open(shipper: &Shipper, identity: &Identity) -> Result<Opened, SessionEnd> {
    let mut authorities = identity.authorities();
    // The authority may be about to change: the file is then the place to say so.
    if let Some(file) = &shipper.config.ca_file
        && let Ok(Ok(more)) = std::fs::read_to_string(file).map(|pem| certificates(&pem))
    {
        authorities.extend(more);
    }
    let lost = |error: &dyn Error| SessionEnd::Lost(chain(error));
    let mut client = connect(&shipper.config.server, Trust::Authorities(authorities), Some(identity))
        .await
        .map_err(|error| lost(&error))?;
    let (outgoing, queue) = mpsc::channel(OUTGOING_MAX);
    let capabilities = shipper.capabilities.borrow().clone();
    outgoing.try_send(message(Outgoing::Capabilities(capabilities))).expect("the queue is new");
    if let Some(living) = living(shipper) {
        outgoing.try_send(message(Outgoing::LiveAiProcesses(living))).expect("the queue has room for both");
    }
    let opened = timeout(OPEN_TIMEOUT, client.stream(ReceiverStream::new(queue)))
        .await
        .map_err(|_| SessionEnd::Lost("the server did not open the stream in time".to_owned()))?;
    let incoming = opened.map_err(|status| SessionEnd::from_status(&status))?.into_inner();
    Ok((outgoing, incoming))
}

/// Sends whatever there is until the connection is gone, or, once `stop` is there, until the spool is empty.
async fn send(
    shipper: &Shipper,
    outgoing: mpsc::Sender<AgentMessage>,
    mut answers: mpsc::Receiver<Outgoing>,
    mut interval: watch::Receiver<Duration>,
    stop: &CancellationToken,
) -> SessionEnd {
    let spool = &shipper.spool;
    let mut capabilities = shipper.capabilities.clone();
    capabilities.mark_unchanged();
    let mut proof = shipper.proof.clone();
    proof.mark_unchanged();
    let mut heartbeats = heartbeat_timer(*interval.borrow_and_update());
    heartbeats.reset_immediately();
    let drained = async {
        stop.cancelled().await;
        let _ = timeout(DRAIN_TIMEOUT, spool.drained()).await;
    };
    tokio::pin!(drained);
    loop {
        // The place in the queue is taken first: a batch that is handed out is a batch that is sent.
        let batch = async {
            let place = outgoing.reserve().await.ok()?;
            Some((place, spool.next_batch().await))
        };
        let other = tokio::select! {
            biased;
            () = &mut drained => return SessionEnd::Stopped,
            Some(answer) = answers.recv() => answer,
            _ = heartbeats.tick() => Outgoing::Heartbeat(heartbeat(shipper, 0)),
            Ok(()) = interval.changed() => {
                heartbeats = heartbeat_timer(*interval.borrow_and_update());
                continue;
            }
            // Not only at the next one that is due: what is enforced is known at the server as soon as here.
            Ok(()) = proof.changed() => {
                proof.mark_unchanged();
                Outgoing::Heartbeat(heartbeat(shipper, 0))
            }
            Ok(()) = capabilities.changed() => Outgoing::Capabilities(capabilities.borrow_and_update().clone()),
            batch = batch => {
                let Some((place, batch)) = batch else { return closed().await };
                place.send(message(Outgoing::EventBatch(batch)));
                continue;
            }
        };
        if outgoing.send(message(other)).await.is_err() {
            return closed().await;
        }
    }
}

/// Nothing can be sent any more. Why that is, the receiving loop learns, if anybody does.
async fn closed() -> SessionEnd {
    tokio::time::sleep(TOLD_WITHIN).await;
    SessionEnd::Lost("the stream ended".to_owned())
}

fn heartbeat_timer(period: Duration) -> tokio::time::Interval {
    let mut timer = interval_at(Instant::now() + period, period);
    timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
    timer
}

fn heartbeat(shipper: &Shipper, ping_nonce: u64) -> Heartbeat {
    let counters = shipper.spool.counters();
    let sent = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let Proof { denial, tables } = shipper.proof.borrow().clone();
    let ProvenTables { policy_id: tables_policy_id, guard: tables_guard, digest: tables_digest } =
        tables.unwrap_or_default();
    Heartbeat {
        sent_ns: i64::try_from(sent.as_nanos()).unwrap_or(i64::MAX),
        ping_nonce,
        spool_records: counters.records,
        ai_processes: u32::try_from(shipper.ai_processes.borrow().len()).unwrap_or(u32::MAX),
        events_emitted: counters.emitted,
        events_lost: counters.lost,
        denial: match &denial {
            None => DenialTrial::Unspecified,
            Some(Denial { fault: None, .. }) => DenialTrial::Denied,
            Some(Denial { went_through: true, .. }) => DenialTrial::WentThrough,
            Some(_) => DenialTrial::NotKnown,
        }
        .into(),
        denial_tried_ns: denial.map_or(0, |denial| denial.tried_unix_us.saturating_mul(1000)),
        tables_policy_id,
        tables_digest,
        tables_guard,
    }
}

/// Takes what the server says until it stops saying anything.
async fn receive(
    shipper: &Shipper,
    mut incoming: Streaming<ServerMessage>,
    backoff: &mut Backoff,
    identity: &mut Identity,
    answers: &mpsc::Sender<Outgoing>,
    orders: &Orders,
) -> SessionEnd {
    // The server answers the first message with the policy; until then it may still find that it doesn't want us.
    let mut greeted = false;
    // The key whose certificate is under way.
    let mut requested = None;
    loop {
        let received = match incoming.message().await {
            Ok(Some(received)) => received,
            Ok(None) => return SessionEnd::Lost("the server ended the stream".to_owned()),
            Err(status) => return SessionEnd::from_status(&status),
        };
        if !greeted {
            greeted = true;
            info!(server = %shipper.config.server, "connected to the server");
            shipper.connection.send_replace(Connection::Connected { since_unix_us: unix_us_now() });
        }
        match received.payload {
            // Only the newest matters: one that was not looked at yet is replaced.
            Some(Incoming::Policy(push)) => {
                orders.policy.send_replace(Some(push));
            }
            Some(Incoming::Ack(ack)) => {
                // Not before: a server that greets us and then can't take what we send would be asked again and again at once.
                backoff.reset();
                if !shipper.spool.acknowledge(&ack.spool_epoch, ack.sequence) {
                    warn!(ack.sequence, "the server acknowledged what it was not sent");
                }
            }
            Some(Incoming::RegisteredAgentTypes(types)) => {
                orders.registered.send_replace(Some(types));
            }
            Some(Incoming::Ping(ping)) => {
                if answers.try_send(Outgoing::Heartbeat(heartbeat(shipper, ping.nonce))).is_err() {
                    debug!("the server pings faster than it reads");
                }
            }
            Some(Incoming::Config(update)) => {
                let period = match update.heartbeat_interval_s {
                    0 => shipper.config.heartbeat_interval(),
                    seconds => Duration::from_secs(seconds.min(3600).into()),
                };
                orders.interval.send_if_modified(|old| std::mem::replace(old, period) != period);
            }
            Some(Incoming::CertificateWanted(_)) => match Request::new() {
                Ok(request) => {
                    let csr_pem = request.csr_pem.clone().into_bytes();
                    requested = Some(request);
                    if answers.send(Outgoing::CertificateRequest(CertificateRequest { csr_pem })).await.is_err() {
                        return SessionEnd::Lost("the stream ended".to_owned());
                    }
                }
                Err(error) => error!(reason = chain(&error), "the certificate can't be renewed"),
            },
            Some(Incoming::Certificate(certificate)) => {
                if let Some(request) = requested.take() {
                    renew(shipper, identity, request, &certificate);
                }
            }
            // A newer server may say things that this agent doesn't know.
            None => debug!("the server said something unknown"),
        }
    }
}

/// Keeps a renewed certificate and its key. When that fails, the old one goes on being used, and the server asks again.
fn renew(shipper: &Shipper, identity: &mut Identity, request: Request, certificate: &Certificate) {
    let agent_id = identity.agent_id.to_string();
    match request.into_identity(&agent_id, &certificate.client_cert_pem, &certificate.ca_cert_pem) {
        Ok(renewed) if !renewed.is_consistent() => error!("the server's new certificate is for another key"),
        Ok(renewed) => match renewed.store(&shipper.data) {
            Ok(()) => {
                *identity = renewed;
                info!("the certificate of this agent was renewed");
            }
            Err(error) => error!(
                reason = chain(&error),
                "the renewed certificate can't be kept; the old one is used until its end, and the server asks again"
            ),
        },
        Err(reason) => error!(reason, "the server's new certificate can't be used"),
    }
}

/// The trees that live, for the server to end those that an agent before this one, or before a crash of the host, announced.
fn living(shipper: &Shipper) -> Option<LiveAiProcesses> {
    let processes = shipper.ai_processes.borrow();
    if processes.len() > LIVE_AI_PROCESSES_MAX {
        warn!(
            ai_processes = processes.len(),
            "too many AI processes to list; the server may hold ended ones for living"
        );
        return None;
    }
    let discovered_agent_ids = processes.iter().map(|process| process.id.as_bytes().to_vec()).collect();
    Some(LiveAiProcesses { discovered_agent_ids })
}

/// What is on its way into force; a policy has a status then.
type Applying = JoinHandle<Option<PolicyStatus>>;

/// Puts policies in force, one at a time, and reports what became of each. What is `applying` when this is dropped goes on.
async fn apply(
    shipper: &Shipper,
    mut pushes: watch::Receiver<Option<PolicyPush>>,
    mut registered: watch::Receiver<Option<RegisteredAgentTypes>>,
    answers: &mpsc::Sender<Outgoing>,
    applying: &mut Option<Applying>,
) -> SessionEnd {
    loop {
        let policies = shipper.policies.clone();
        // In the order in which the server says them: who is registered is known before a policy asks.
        let work = tokio::select! {
            biased;
            Ok(()) = registered.changed() => {
                let types = registered.borrow_and_update().clone();
                spawn_blocking(move || {
                    if let Some(types) = types {
                        policies.register(&types);
                    }
                    None
                })
            }
            Ok(()) = pushes.changed() => {
                let push = pushes.borrow_and_update().clone();
                spawn_blocking(move || push.map(|push| policies.apply(&push)))
            }
            else => break,
        };
        let result = applying.insert(work).await;
        *applying = None;
        match result {
            Ok(None) => {}
            Ok(Some(status)) => {
                if answers.send(Outgoing::PolicyStatus(status)).await.is_err() {
                    break;
                }
            }
            Err(failed) => {
                error!(reason = %failed, "loading a policy failed");
                return SessionEnd::Lost("loading a policy failed".to_owned());
            }
        }
    }
    SessionEnd::Lost("the stream ended".to_owned())
}

fn message(payload: Outgoing) -> AgentMessage {
    AgentMessage { payload: Some(payload) }
}
