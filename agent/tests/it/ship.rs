//! The agent's side of the protocol, against a server in this process over real TLS. Only the kernel is left out, at the one
//! place where policies reach it.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tyr_agent::config::Config;
use tyr_agent::data_dir::DataDir;
use tyr_agent::decode::TreeId;
use tyr_agent::fault::Fault;
use tyr_agent::identity::Identity;
use tyr_agent::kernel::KernelError;
use tyr_agent::policies::{Enforcer, Policies, policy_id};
use tyr_agent::ship::{Connection, Shipper};
use tyr_agent::spool::Spool;
use tyr_agent::status::Proof;
use tyr_policy::{Image, Unregistered};
use tyr_proto::v1::agent_message::Payload as FromAgent;
use tyr_proto::v1::record::Record as Payload;
use tyr_proto::v1::server_message::Payload as ToAgent;
use tyr_proto::v1::{
    CapabilityReport, Certificate, CertificateWanted, ConfigUpdate, Event, EventAck, EventBatch, EventKind,
    PingRequest, PolicyLayer, PolicyPush, Verdict,
};

mod server;

use server::{Authority, Link, Server};

/// Longest that anything here may take.
const LIMIT: Duration = Duration::from_secs(20);

#[derive(Default)]
struct FakeKernel {
    generation: AtomicU32,
    full: AtomicBool,
}

impl Enforcer for FakeKernel {
    fn publish(&self, _: &Image) -> Result<u32, KernelError> {
        if self.full.load(Ordering::Relaxed) {
            return Err(KernelError::Map { map: "policies", source: io::Error::other("no room") });
        }
        Ok(self.generation.fetch_add(1, Ordering::Relaxed) + 1)
    }

    fn refuse_types(&self, _: Option<&BTreeSet<String>>) -> Result<(), KernelError> {
        Ok(())
    }

    fn hold(&self, _: u32, _: TreeId, _: u64) -> Result<usize, KernelError> {
        Ok(0)
    }
}

/// A host with an agent that may be started, stopped and started again.
struct Host {
    dir: tempfile::TempDir,
    kernel: Arc<FakeKernel>,
}

struct Agent {
    spool: Arc<Spool>,
    policies: Arc<Policies>,
    connection: watch::Receiver<Connection>,
    stop: CancellationToken,
    task: JoinHandle<Result<(), Fault>>,
}

impl Host {
    fn new(server: &str, trust: &str) -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let dir = tempfile::tempdir().unwrap();
        let host = Self { dir, kernel: Arc::default() };
        let data = host.dir.path().join("data");
        let text = format!(
            "# made by a test\nserver: {server}\n{trust}\nenrollment_token: {}\nname: host-a\ndata_dir: {}\n",
            server::TOKEN,
            data.display()
        );
        fs::write(host.config_file(), text).unwrap();
        host
    }

    /// A host that trusts the server's own authority, by file.
    fn of(server: &Server) -> Self {
        let host = Self::new(&server.url(), "ca_file: PLACE");
        let ca_file = host.dir.path().join("ca.pem");
        fs::write(&ca_file, server.authority.pem()).unwrap();
        let text = fs::read_to_string(host.config_file()).unwrap();
        fs::write(host.config_file(), text.replace("PLACE", &ca_file.display().to_string())).unwrap();
        host
    }

    fn config_file(&self) -> PathBuf {
        self.dir.path().join("tyrd.yaml")
    }

    fn config_text(&self) -> String {
        fs::read_to_string(self.config_file()).unwrap()
    }

    fn start(&self) -> Agent {
        let config = Config::load(&self.config_file()).unwrap();
        let data = Arc::new(DataDir::open(&config.data_dir).unwrap());
        let policies = Arc::new(Policies::new(
            Arc::clone(&data),
            Arc::clone(&self.kernel) as Arc<dyn Enforcer>,
            Unregistered::Audit,
        ));
        policies.load_cached();
        let spool = Arc::new(Spool::new(config.buffer_bytes_max()));
        let report = CapabilityReport { scope: "/test".into(), ..CapabilityReport::default() };
        let (connection_in, connection) = watch::channel(Connection::Connecting);
        let shipper = Shipper {
            config,
            config_file: self.config_file(),
            data,
            spool: Arc::clone(&spool),
            policies: Arc::clone(&policies),
            capabilities: watch::channel(report).1,
            proof: watch::channel(Proof::default()).1,
            ai_processes: watch::channel(Arc::default()).1,
            connection: connection_in,
        };
        let stop = CancellationToken::new();
        let task = tokio::spawn(shipper.run(stop.clone()));
        Agent { spool, policies, connection, stop, task }
    }
}

impl Agent {
    fn deny(&self, name: &str) {
        self.spool.append_event(Event {
            kind: EventKind::NetConnect.into(),
            verdict: Verdict::Deny.into(),
            resource: name.to_owned(),
            ..Event::default()
        });
    }

    async fn is(&mut self, wanted: impl Fn(&Connection) -> bool) {
        let last = self.connection.clone();
        let seen = timeout(LIMIT, self.connection.wait_for(|connection| wanted(connection))).await.is_ok();
        assert!(seen, "the connection is {:?}", *last.borrow());
    }

    async fn stopped(self) -> Result<(), Fault> {
        self.stop.cancel();
        timeout(LIMIT, self.task).await.expect("it stops").expect("it does not panic")
    }

    async fn failed(self) -> String {
        timeout(LIMIT, self.task).await.expect("it gives up").expect("no panic").unwrap_err().to_string()
    }
}

fn names(batch: &EventBatch) -> Vec<String> {
    let name = |record: &tyr_proto::v1::Record| match &record.record {
        Some(Payload::Event(event)) => Some(event.resource.clone()),
        _ => None,
    };
    batch.records.iter().filter_map(name).collect()
}

fn ack(batch: &EventBatch, sequence: u64) -> ToAgent {
    ToAgent::Ack(EventAck { spool_epoch: batch.spool_epoch.clone(), sequence })
}

fn push(pattern: &str) -> PolicyPush {
    let yaml = format!(
        "apiVersion: tyr.dev/v1\nkind: Policy\nmetadata:\n  name: p\nspec:\n  rules:\n    - name: r\n      \
         action: net_connect\n      resource_pattern: \"{pattern}\"\n      verdict: deny\n"
    );
    let layers = vec![PolicyLayer { version: 1, name: "p".into(), agent_type: String::new(), yaml }];
    let mut push = PolicyPush { policy_id: String::new(), layers };
    push.policy_id = policy_id(&push);
    push
}

/// Takes messages until an event batch comes.
async fn batch(link: &mut Link) -> EventBatch {
    loop {
        if let FromAgent::EventBatch(batch) = link.next().await {
            return batch;
        }
    }
}

/// Enrolled, connected, and past the capability report.
async fn connected(server: &mut Server) -> Link {
    let mut link = server.accept().await;
    assert!(matches!(link.next().await, FromAgent::Capabilities(_)), "comes first");
    link.say(ToAgent::Policy(PolicyPush::default())).await;
    link
}

#[tokio::test]
async fn enrolls_once_keeps_the_identity_and_erases_the_token() {
    let mut server = Server::start().await;
    let host = Host::of(&server);
    let mut agent = host.start();
    let mut link = server.accept().await;
    let FromAgent::Capabilities(report) = link.next().await else { panic!("not the report first") };
    assert_eq!(report.scope, "/test");
    link.say(ToAgent::Policy(PolicyPush::default())).await;
    agent.is(|connection| matches!(connection, Connection::Connected { .. })).await;

    let registered = server.registered();
    assert_eq!(registered.len(), 1);
    assert_eq!((registered[0].agent_name.as_str(), registered[0].arch.as_str()), ("host-a", std::env::consts::ARCH));
    assert!(!host.config_text().contains("enrollment_token"), "{}", host.config_text());
    assert!(host.config_text().starts_with("# made by a test\n"));
    let first = link.client_certificate.clone();
    // A policy that is being loaded keeps the data folder in use.
    link.policy_status().await;
    agent.stopped().await.unwrap();

    let again = host.start();
    let link = connected(&mut server).await;
    assert_eq!(link.client_certificate, first, "the same identity");
    assert_eq!(server.registered().len(), 1);
    again.stopped().await.unwrap();
}

#[tokio::test]
async fn sends_again_exactly_what_was_not_acknowledged() {
    let mut server = Server::start().await;
    let host = Host::of(&server);
    let agent = host.start();
    let mut link = connected(&mut server).await;
    for name in ["a", "b", "c"] {
        agent.deny(name);
    }
    let first = batch(&mut link).await;
    assert_eq!((first.first_sequence, names(&first)), (1, vec!["a".into(), "b".into(), "c".into()]));
    link.say(ack(&first, 2)).await;
    // The ping's answer shows that the acknowledgement before it was read.
    link.say(ToAgent::Ping(PingRequest { nonce: 5 })).await;
    link.pong(5).await;
    drop(link);

    let mut link = connected(&mut server).await;
    let second = batch(&mut link).await;
    assert_eq!(second.first_sequence, 3);
    assert_eq!(second.records, first.records[2..], "the same bytes");
    assert_eq!(second.spool_epoch, first.spool_epoch);
    link.say(ack(&second, 3)).await;
    agent.deny("d");
    let third = batch(&mut link).await;
    assert_eq!((third.first_sequence, names(&third)), (4, vec!["d".into()]));
    link.say(ack(&third, 4)).await;
    let spool = Arc::clone(&agent.spool);
    agent.stopped().await.unwrap();
    assert_eq!(spool.counters().records, 0);
    assert_eq!(spool.counters().acknowledged, 4);
}

#[tokio::test]
async fn events_made_without_a_server_arrive_once_there_is_one() {
    let (listener, url) = server::reserve().await;
    let authority = Authority::new();
    let host = Host::new(&url, "ca_file: PLACE");
    let ca_file = host.dir.path().join("ca.pem");
    fs::write(&ca_file, authority.pem()).unwrap();
    fs::write(host.config_file(), host.config_text().replace("PLACE", &ca_file.display().to_string())).unwrap();
    // Nothing answers a handshake yet: dropping the listener refuses connections.
    let address = listener.local_addr().unwrap();
    drop(listener);
    let mut agent = host.start();
    agent.deny("early");
    agent.is(|connection| *connection == Connection::Enrolling).await;
    let mut server = Server::start_at(authority, tokio::net::TcpListener::bind(address).await.unwrap());
    let mut link = connected(&mut server).await;
    assert_eq!(names(&batch(&mut link).await), ["early"]);
}

#[tokio::test]
async fn reports_what_became_of_each_policy() {
    let mut server = Server::start().await;
    let host = Host::of(&server);
    let agent = host.start();
    let mut link = connected(&mut server).await;
    assert!(link.policy_status().await.in_force);

    let good = push("192.0.2.0/24");
    link.say(ToAgent::Policy(good.clone())).await;
    let status = link.policy_status().await;
    assert_eq!((status.policy_id, status.in_force, status.error), (good.policy_id.clone(), true, String::new()));

    let bad = push("192.0.2.0/99");
    link.say(ToAgent::Policy(bad.clone())).await;
    let status = link.policy_status().await;
    assert_eq!((status.policy_id, status.in_force), (bad.policy_id, false));
    assert!(status.error.contains("version 1"), "{}", status.error);

    host.kernel.full.store(true, Ordering::Relaxed);
    link.say(ToAgent::Policy(push("198.51.100.0/24"))).await;
    let status = link.policy_status().await;
    assert!(!status.in_force && status.error.contains("no room"), "{}", status.error);
    host.kernel.full.store(false, Ordering::Relaxed);

    assert_eq!(agent.policies.current().policy_id, good.policy_id, "the old one stays");
    agent.stopped().await.unwrap();
    let agent = host.start();
    assert_eq!(agent.policies.current().policy_id, good.policy_id, "kept for a start without a server");
}

#[tokio::test]
async fn answers_pings_and_takes_the_servers_heartbeat_interval() {
    let mut server = Server::start().await;
    let host = Host::of(&server);
    let _agent = host.start();
    let mut link = connected(&mut server).await;
    link.say(ToAgent::Ping(PingRequest { nonce: 77 })).await;
    link.pong(77).await;
    link.say(ToAgent::Config(ConfigUpdate { heartbeat_interval_s: 1 })).await;
    // With the configured 30 s these would not come within the limit.
    link.pong(0).await;
    link.pong(0).await;
}

#[tokio::test]
async fn a_revoked_agent_says_so_and_enrolls_again_with_a_fresh_token() {
    let mut server = Server::start().await;
    let host = Host::of(&server);
    let mut agent = host.start();
    let link = connected(&mut server).await;
    let old = link.client_certificate.clone();
    server.refuse(Some(Status::permission_denied("this agent was revoked")));
    link.end(Status::permission_denied("this agent was revoked")).await;
    agent.is(|connection| matches!(connection, Connection::Refused { reason } if reason.contains("revoked"))).await;
    agent.deny("kept");

    fs::write(host.config_file(), format!("{}enrollment_token: {}\n", host.config_text(), server::TOKEN)).unwrap();
    server.refuse_certificate(old.clone());
    let mut link = connected(&mut server).await;
    assert_ne!(link.client_certificate, old);
    assert_eq!(names(&batch(&mut link).await), ["kept"], "events outlive the identity");
    assert!(!host.config_text().contains("enrollment_token"));
    assert_eq!(server.registered().len(), 2);
    agent.is(|connection| matches!(connection, Connection::Connected { .. })).await;
}

#[tokio::test]
async fn at_the_end_what_is_left_is_delivered() {
    let mut server = Server::start().await;
    let host = Host::of(&server);
    let mut agent = host.start();
    let mut link = connected(&mut server).await;
    agent.is(|connection| matches!(connection, Connection::Connected { .. })).await;
    agent.deny("last");
    let spool = Arc::clone(&agent.spool);
    let stopping = tokio::spawn(agent.stopped());
    let last = batch(&mut link).await;
    assert_eq!(names(&last), ["last"]);
    link.say(ack(&last, 1)).await;
    stopping.await.unwrap().unwrap();
    assert_eq!(spool.counters().acknowledged, 1);
}

#[tokio::test]
async fn a_wrong_token_is_an_error_that_says_what_to_do() {
    let server = Server::start().await;
    let host = Host::of(&server);
    fs::write(host.config_file(), host.config_text().replace(server::TOKEN, "tyr_et_x_wrong")).unwrap();
    let text = host.start().failed().await;
    assert!(text.contains("cause: the server does not take the enrollment token: unknown token"), "{text}");
    assert!(text.contains("hint: make a new one with `tyrctl token create`"), "{text}");
    assert!(host.config_text().contains("tyr_et_x_wrong"), "only a used token is erased");
    assert!(!text.contains("tyr_et_x_wrong"), "{text}");
}

#[tokio::test]
async fn a_server_of_another_authority_never_sees_the_token() {
    let server = Server::start().await;
    let host = Host::of(&server);
    fs::write(host.dir.path().join("ca.pem"), Authority::new().pem()).unwrap();
    let text = host.start().failed().await;
    assert!(text.contains("is not trusted"), "{text}");
    assert!(text.contains("hint: `ca_file`"), "{text}");
    assert!(server.registered().is_empty());
}

#[tokio::test]
async fn an_authority_can_be_named_by_its_digest() {
    let mut server = Server::start().await;
    let host = Host::new(&server.url(), &format!("ca_sha256: {}", server.authority.sha256()));
    let agent = host.start();
    connected(&mut server).await;
    agent.stopped().await.unwrap();

    let other = Host::new(&server.url(), &format!("ca_sha256: {}", Authority::new().sha256()));
    assert!(other.start().failed().await.contains("is not trusted"));
    assert_eq!(server.registered().len(), 1);
}

#[tokio::test]
async fn a_host_without_identity_and_token_says_how_to_get_them() {
    let server = Server::start().await;
    let host = Host::of(&server);
    fs::write(host.config_file(), host.config_text().replace("enrollment_token:", "# ")).unwrap();
    let text = host.start().failed().await;
    assert!(text.starts_with("error: this host is not enrolled"), "{text}");
    assert!(text.contains("tyrctl token create"), "{text}");
}

#[tokio::test]
async fn the_identity_is_stored_before_the_token_is_gone() {
    let mut server = Server::start().await;
    let host = Host::of(&server);
    let agent = host.start();
    connected(&mut server).await.policy_status().await;
    agent.stopped().await.unwrap();
    let data = DataDir::open(&host.dir.path().join("data")).unwrap();
    assert_eq!(Identity::load(&data).unwrap().unwrap().agent_id, server.issued()[0]);
}

#[tokio::test]
async fn a_renewed_certificate_is_kept_and_used_at_the_next_connect() {
    use std::os::unix::fs::PermissionsExt;
    let mut server = Server::start().await;
    let host = Host::of(&server);
    let agent = host.start();
    let mut link = connected(&mut server).await;
    let identity = host.dir.path().join("data/identity.json");
    let before = fs::read(&identity).unwrap();
    link.say(ToAgent::CertificateWanted(CertificateWanted {})).await;
    let request = loop {
        if let FromAgent::CertificateRequest(request) = link.next().await {
            break request;
        }
    };
    let pem = server.authority.sign(&request.csr_pem);
    // One that is for another key, as of a server that mixed agents up: the old one stays.
    let other = server.authority.pem().as_bytes().to_vec();
    link.say(ToAgent::Certificate(Certificate { client_cert_pem: other.clone(), ca_cert_pem: other })).await;
    link.say(ToAgent::Ping(PingRequest { nonce: 8 })).await;
    link.pong(8).await;
    assert_eq!(fs::read(&identity).unwrap(), before);

    link.say(ToAgent::CertificateWanted(CertificateWanted {})).await;
    let request = loop {
        if let FromAgent::CertificateRequest(request) = link.next().await {
            break request;
        }
    };
    assert_ne!(server.authority.sign(&request.csr_pem), pem, "a new key each time");
    let pem = server.authority.sign(&request.csr_pem);
    link.say(ToAgent::Certificate(Certificate {
        client_cert_pem: pem.clone().into_bytes(),
        ca_cert_pem: server.authority.pem().as_bytes().to_vec(),
    }))
    .await;
    link.say(ToAgent::Ping(PingRequest { nonce: 9 })).await;
    link.pong(9).await;
    assert!(fs::read_to_string(&identity).unwrap().contains(&pem.replace('\n', "\\n")), "on disk before it is used");
    assert_eq!(fs::metadata(&identity).unwrap().permissions().mode() & 0o777, 0o600);
    let first = link.client_certificate.clone();
    link.end(Status::aborted("the certificate of this stream has expired; connect again")).await;

    let mut link = connected(&mut server).await;
    assert_ne!(link.client_certificate, first);
    agent.deny("after");
    assert_eq!(names(&batch(&mut link).await), ["after"]);
    drop(link);
    agent.stopped().await.unwrap();
    // And after a restart.
    let again = host.start();
    assert_ne!(connected(&mut server).await.client_certificate, first);
    again.stopped().await.unwrap();
    assert_eq!(server.registered().len(), 1, "no new enrollment");
}

#[tokio::test]
async fn a_server_that_cant_take_a_record_gets_the_others_and_is_not_asked_in_a_loop() {
    let mut server = Server::start().await;
    let host = Host::of(&server);
    let agent = host.start();
    for name in ["a", "poison", "b"] {
        agent.deny(name);
    }
    let begun = tokio::time::Instant::now();
    let (mut taken, mut refusals) = (Vec::new(), 0);
    while taken.len() < 2 {
        let mut link = connected(&mut server).await;
        loop {
            let batch = batch(&mut link).await;
            if names(&batch).contains(&"poison".to_owned()) {
                refusals += 1;
                assert!(refusals <= 8, "100, 10, again after an acknowledgement, and three times alone");
                link.end(Status::invalid_argument("a message can't be read")).await;
                break;
            }
            taken.extend(names(&batch));
            link.say(ack(&batch, batch.first_sequence + batch.records.len() as u64 - 1)).await;
            if taken.len() == 2 {
                break;
            }
        }
    }
    assert_eq!(taken, ["a", "b"]);
    assert!(refusals >= 3, "{refusals}");
    assert_eq!(agent.spool.losses()[0].reason, "refused");
    assert!(begun.elapsed() < LIMIT);
    agent.stopped().await.unwrap();
}

#[tokio::test]
async fn a_stream_begins_with_the_ai_processes_that_live() {
    let mut server = Server::start().await;
    let host = Host::of(&server);
    let _agent = host.start();
    let mut link = connected(&mut server).await;
    let FromAgent::LiveAiProcesses(living) = link.next().await else { panic!("second, before any batch") };
    assert!(living.discovered_agent_ids.is_empty());
}
