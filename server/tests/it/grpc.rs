//! The agents' door, by a client of tonic over real TLS.

use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::transport::{Channel, Endpoint, Uri};
use tonic::{Code, Status, Streaming};
use tyr_api::auth::NewEnrollmentToken;
use tyr_proto::v1::agent_message::Payload as FromAgent;
use tyr_proto::v1::agent_service_client::AgentServiceClient;
use tyr_proto::v1::server_message::Payload as ToAgent;
use tyr_proto::v1::{self, AgentMessage, RegisterRequest, RegisterResponse, ServerMessage};
use tyr_server::app::audit::Actor;
use tyr_server::app::{assignments, policies, tokens};
use tyr_server::grpc;
use uuid::Uuid;

use crate::stack::{LIMIT, Stack, batch, event};

mod certificates;
mod hostile;
mod revocation;

const ALERT_ALL: &str = "apiVersion: tyr.dev/v1
kind: Policy
metadata:
  name: watch
spec:
  rules:
    - name: programs
      action: exec
      verdict: alert
";

/// The agents' door of a server.
struct Door {
    stack: Stack,
    port: u16,
    stop: CancellationToken,
    task: JoinHandle<std::io::Result<()>>,
}

/// What an agent keeps after enrollment.
#[derive(Clone)]
struct Enrolled {
    agent_id: Uuid,
    cert_pem: Vec<u8>,
    key: Arc<KeyPair>,
}

impl Door {
    async fn open() -> Self {
        Self::of(Stack::start().await).await
    }

    async fn of(stack: Stack) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let stop = CancellationToken::new();
        let task = tokio::spawn(grpc::serve(Arc::clone(&stack.app), listener, stop.clone()));
        Self { stack, port, stop, task }
    }

    async fn close(self) {
        self.stop.cancel();
        tokio::time::timeout(LIMIT, self.task).await.expect("drained in time").expect("no panic").expect("no error");
        self.stack.stop().await;
    }

    /// A client, with a certificate or without.
    async fn client(&self, identity: Option<&Enrolled>) -> AgentServiceClient<Channel> {
        AgentServiceClient::new(self.channel(identity).await)
    }

    async fn channel(&self, identity: Option<&Enrolled>) -> Channel {
        let mut roots = RootCertStore::empty();
        roots.add(self.stack.app.pki.ca_der().clone()).expect("a root");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots);
        let mut config = match identity {
            None => builder.with_no_client_auth(),
            Some(enrolled) => {
                let cert = CertificateDer::from_pem_slice(&enrolled.cert_pem).expect("a certificate");
                let key = PrivateKeyDer::from_pem_slice(enrolled.key.serialize_pem().as_bytes()).expect("a key");
                builder.with_client_auth_cert(vec![cert], key).expect("an identity")
            }
        };
        config.alpn_protocols = vec![b"h2".to_vec()];
        let (connector, port) = (TlsConnector::from(Arc::new(config)), self.port);
        let connect = tower::service_fn(move |_: Uri| {
            let connector = connector.clone();
            async move {
                let tcp = TcpStream::connect(("127.0.0.1", port)).await?;
                let name = ServerName::try_from("localhost").expect("a name");
                let tls = connector.connect(name, tcp).await?;
                Ok::<_, std::io::Error>(hyper_util::rt::TokioIo::new(tls))
            }
        });
        // The scheme is for tonic; TLS is the connector's.
        Endpoint::from_static("http://localhost").connect_with_connector(connect).await.expect("connected")
    }

    async fn token(&self, max_uses: u32) -> String {
        let new = NewEnrollmentToken { label: "test".to_owned(), max_uses, expires_hours: 1 };
        tokens::create(&self.stack.app, &new, &Actor::environment()).await.expect("a token").token
    }

    async fn register(&self, token: &str) -> Result<(RegisterResponse, Arc<KeyPair>), Status> {
        let key = Arc::new(KeyPair::generate().expect("a key"));
        let csr = CertificateParams::default().serialize_request(&*key).expect("a CSR").pem().expect("PEM");
        let request = RegisterRequest {
            agent_name: "host-1".to_owned(),
            enrollment_token: token.to_owned(),
            csr_pem: csr.into_bytes(),
            kernel_version: "6.12.0".to_owned(),
            arch: "x86_64".to_owned(),
        };
        let response = self.client(None).await.register(request).await?.into_inner();
        Ok((response, key))
    }

    async fn enroll(&self) -> Enrolled {
        let token = self.token(1).await;
        let (response, key) = self.register(&token).await.expect("enrolled");
        assert_eq!(response.ca_cert_pem, self.stack.app.pki.ca_pem().as_bytes());
        let agent_id = response.agent_id.parse().expect("a UUID");
        Enrolled { agent_id, cert_pem: response.client_cert_pem, key }
    }

    async fn stream(&self, enrolled: &Enrolled) -> Result<Agent, Status> {
        let (out, messages) = mpsc::channel(16);
        let mut client = self.client(Some(enrolled)).await;
        let inbound = client.stream(ReceiverStream::new(messages)).await?.into_inner();
        Ok(Agent { out, inbound })
    }
}

/// The agent's end of a stream.
struct Agent {
    out: mpsc::Sender<AgentMessage>,
    inbound: Streaming<ServerMessage>,
}

impl Agent {
    async fn send(&self, payload: FromAgent) {
        self.out.send(AgentMessage { payload: Some(payload) }).await.expect("open");
    }

    async fn next(&mut self) -> Result<ToAgent, Status> {
        let message = tokio::time::timeout(LIMIT, self.inbound.message()).await.expect("in time")?;
        Ok(message.expect("not at its end").payload.expect("a payload"))
    }

    /// Reports its capabilities and reads up to the policy.
    async fn greet(&mut self) -> v1::PolicyPush {
        self.send(FromAgent::Capabilities(v1::CapabilityReport {
            kernel_version: "6.12.0".to_owned(),
            agent_version: "0.1.0".to_owned(),
            posture: v1::Posture::Partial.into(),
            posture_reason: "no BPF LSM".to_owned(),
            features: vec!["observe".to_owned()],
            ..v1::CapabilityReport::default()
        }))
        .await;
        loop {
            match self.next().await.expect("open") {
                ToAgent::Policy(push) => return push,
                ToAgent::Config(config) => assert_eq!(config.heartbeat_interval_s, 5),
                ToAgent::Ping(ping) => {
                    self.send(FromAgent::Heartbeat(v1::Heartbeat {
                        sent_ns: event().timestamp_ns,
                        ping_nonce: ping.nonce,
                        spool_records: 3,
                        ..v1::Heartbeat::default()
                    }))
                    .await;
                }
                other => panic!("nothing was sent: {other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn enrolls_streams_and_acknowledges_after_commit() {
    let door = Door::open().await;
    let enrolled = door.enroll().await;
    let (actor, agent_id): (String, String) =
        sqlx::query_as("SELECT actor, details->>'agent_id' FROM audit_log WHERE action = 'agent.enroll'")
            .fetch_one(&door.stack.app.pool)
            .await
            .expect("one entry");
    assert!(actor.starts_with("<token ") && agent_id == enrolled.agent_id.to_string(), "{actor} {agent_id}");
    let mut agent = door.stream(&enrolled).await.expect("open");
    let push = agent.greet().await;
    assert_eq!((push.policy_id.as_str(), push.layers.len()), ("", 0), "nothing is assigned");

    let mut sent = batch(vec![event(), event(), event()]);
    sent.first_sequence = 10;
    agent.send(FromAgent::EventBatch(sent.clone())).await;
    let ToAgent::Ack(ack) = agent.next().await.expect("open") else { panic!("an ack") };
    assert_eq!((ack.spool_epoch, ack.sequence), (sent.spool_epoch, 12));
    assert_eq!(door.stack.count("SELECT count(*) FROM events").await, 3);

    // A policy that is assigned reaches the agent, and what it says of it reaches the table.
    let policy = policies::apply(&door.stack.app, ALERT_ALL.to_owned(), &Actor::environment()).await.expect("applied");
    let assignment = tyr_api::policies::NewAssignment {
        version: policy.version.version,
        target_type: tyr_api::policies::TargetType::All,
        target_id: String::new(),
    };
    assignments::create(&door.stack.app, assignment, &Actor::environment()).await.expect("assigned");
    let ToAgent::Policy(push) = agent.next().await.expect("open") else { panic!("a policy") };
    assert_eq!((push.layers.len(), push.layers[0].yaml.as_str()), (1, ALERT_ALL));
    agent
        .send(FromAgent::PolicyStatus(v1::PolicyStatus {
            policy_id: push.policy_id.clone(),
            in_force: true,
            ..v1::PolicyStatus::default()
        }))
        .await;
    // The next ack comes after the status was stored, as one task takes both.
    agent.send(FromAgent::EventBatch(batch(vec![event()]))).await;
    agent.next().await.expect("an ack");
    let mut conn = door.stack.app.pool.acquire().await.expect("a connection");
    let mut rows = vec![tyr_server::db::agents::get(&mut conn, enrolled.agent_id).await.expect("read").expect("there")];
    door.stack.app.fleet.present(&mut rows);
    let row = rows.remove(0);
    assert_eq!(row.policy_id.as_ref(), Some(&push.policy_id));
    assert_eq!(row.assigned_policy_id.as_ref(), Some(&push.policy_id));
    assert_eq!((row.posture, row.posture_reason.as_str()), (tyr_api::agents::Posture::Partial, "no BPF LSM"));
    assert!(row.connected);
    assert_eq!(row.liveness, tyr_api::agents::Liveness::Online);
    assert_eq!(row.spool_records, 3);
    drop((conn, agent));
    door.close().await;
}

/// What REST shows of an agent, once it is as wanted.
async fn shown(
    door: &Door,
    agent_id: Uuid,
    wanted: impl Fn(&tyr_api::agents::Agent) -> bool,
) -> tyr_api::agents::Agent {
    let mut last = None;
    for _ in 0..200 {
        let mut conn = door.stack.app.pool.acquire().await.expect("a connection");
        let mut rows = vec![tyr_server::db::agents::get(&mut conn, agent_id).await.expect("read").expect("there")];
        door.stack.app.fleet.present(&mut rows);
        let row = rows.remove(0);
        if wanted(&row) {
            return row;
        }
        last = Some(row);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("not as wanted in time: {last:#?}");
}

#[tokio::test]
async fn what_an_agent_tried_and_read_back_is_compared_and_shown() {
    use tyr_api::agents::{DenialTrial, Doubt, TablesState};
    let door = Door::open().await;
    let enrolled = door.enroll().await;
    let policy = policies::apply(&door.stack.app, ALERT_ALL.to_owned(), &Actor::environment()).await.expect("applied");
    let target_type = tyr_api::policies::TargetType::All;
    let assignment =
        tyr_api::policies::NewAssignment { version: policy.version.version, target_type, target_id: String::new() };
    assignments::create(&door.stack.app, assignment, &Actor::environment()).await.expect("assigned");
    let mut agent = door.stream(&enrolled).await.expect("open");
    let push = agent.greet().await;
    let row = shown(&door, enrolled.agent_id, |agent| agent.spool_records == 3).await;
    assert_eq!((row.denial, row.denial_at, row.tables), (DenialTrial::NotTried, None, TablesState::Unknown));
    assert_eq!(row.doubt(), None, "an older agent says nothing of it");

    let layer = tyr_policy::Layer {
        version: policy.version.version,
        agent_type: None,
        policy: tyr_policy::Policy::parse(ALERT_ALL).expect("a policy").policy,
    };
    let image = tyr_policy::Image::new(&tyr_policy::Effective::new(vec![layer])).expect("small");
    let digest = image.contents().digest();
    let beat = |denial: v1::DenialTrial, tried_s_ago: i64, digest: &str| {
        let sent_ns = event().timestamp_ns;
        FromAgent::Heartbeat(v1::Heartbeat {
            sent_ns,
            denial: denial.into(),
            denial_tried_ns: sent_ns - tried_s_ago * 1_000_000_000,
            tables_policy_id: push.policy_id.clone(),
            tables_digest: digest.to_owned(),
            ..v1::Heartbeat::default()
        })
    };
    // The server makes the tables at the first heartbeat that names them, and compares from one of the next on.
    let good = async {
        loop {
            agent.send(beat(v1::DenialTrial::Denied, 20, &digest)).await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let row = tokio::select! {
        row = shown(&door, enrolled.agent_id, |agent| agent.tables == TablesState::AsExpected) => row,
        () = good => unreachable!("it never ends"),
    };
    assert_eq!((row.denial, row.doubt(), &row.tables_digest), (DenialTrial::Denied, None, &digest));
    let ago = row.last_seen.duration_since(row.denial_at.expect("tried")).as_secs();
    assert!((15..=25).contains(&ago), "{ago} s by the server's clock");

    let other = format!("{}0000", &digest[..digest.len() - 4]);
    agent.send(beat(v1::DenialTrial::Denied, 20, &other)).await;
    let row = shown(&door, enrolled.agent_id, |agent| agent.tables == TablesState::Differ).await;
    assert_eq!(row.doubt(), Some(Doubt::TablesDiffer));
    agent.send(beat(v1::DenialTrial::Denied, 900, &digest)).await;
    let row = shown(&door, enrolled.agent_id, |agent| agent.tables == TablesState::AsExpected).await;
    assert_eq!(row.doubt(), Some(Doubt::Old));
    // Of tables in a form that this server doesn't make there is nothing to say.
    agent.send(beat(v1::DenialTrial::WentThrough, 1, "999-00")).await;
    let row = shown(&door, enrolled.agent_id, |agent| agent.denial == DenialTrial::WentThrough).await;
    assert_eq!((row.tables, row.doubt()), (TablesState::Unknown, Some(Doubt::WentThrough)));
    // And the table of agents says the same, for other servers and for alerts.
    let stop = CancellationToken::new();
    let writer = tokio::spawn(tyr_server::app::fleet::run(Arc::clone(&door.stack.app), stop.clone()));
    let stored = "SELECT count(*) FROM agents WHERE denial = 'went_through' AND tables = 'unknown'";
    for _ in 0..200 {
        if door.stack.count(stored).await == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(door.stack.count(stored).await, 1);
    stop.cancel();
    writer.await.expect("no panic");
    drop(agent);
    door.close().await;
}

#[tokio::test]
async fn an_agent_that_asks_is_told_the_registered_types_before_its_policy() {
    let door = Door::open().await;
    let enrolled = door.enroll().await;
    let mut agent = door.stream(&enrolled).await.expect("open");
    let report =
        v1::CapabilityReport { unregistered_agents: "quarantine".to_owned(), ..v1::CapabilityReport::default() };
    agent.send(FromAgent::Capabilities(report)).await;
    let mut told = Vec::new();
    loop {
        match agent.next().await.expect("open") {
            ToAgent::RegisteredAgentTypes(types) => told.push(types.agent_types),
            ToAgent::Policy(_) => break,
            ToAgent::Config(_) | ToAgent::Ping(_) => {}
            other => panic!("nothing was sent: {other:?}"),
        }
    }
    assert_eq!(told, [Vec::<String>::new()], "before the policy");
    let mut types = async || match agent.next().await.expect("open") {
        ToAgent::RegisteredAgentTypes(types) => types.agent_types,
        other => panic!("agent types: {other:?}"),
    };
    let by = Actor::environment();
    tyr_server::app::agent_types::approve(&door.stack.app, "codex", &by).await.expect("approved");
    assert_eq!(types().await, ["codex"]);
    tyr_server::app::agent_types::approve(&door.stack.app, "aider", &by).await.expect("approved");
    assert_eq!(types().await, ["aider", "codex"]);
    tyr_server::app::agent_types::quarantine(&door.stack.app, "codex", &by).await.expect("taken back");
    assert_eq!(types().await, ["aider"]);
    let row = shown(&door, enrolled.agent_id, |agent| agent.unregistered_agents == "quarantine").await;
    assert!(row.connected);
    drop(agent);
    door.close().await;
}

#[tokio::test]
async fn a_push_that_does_not_load_is_shown_with_the_host_and_the_reason() {
    let door = Door::open().await;
    let enrolled = door.enroll().await;
    let assign = async |yaml: &str| {
        let policy = policies::apply(&door.stack.app, yaml.to_owned(), &Actor::environment()).await.expect("applied");
        let target_type = tyr_api::policies::TargetType::All;
        let version = policy.version.version;
        let assignment = tyr_api::policies::NewAssignment { version, target_type, target_id: String::new() };
        assignments::create(&door.stack.app, assignment, &Actor::environment()).await.expect("assigned");
    };
    assign(ALERT_ALL).await;
    let mut agent = door.stream(&enrolled).await.expect("open");
    let first = agent.greet().await.policy_id;
    let told = |policy_id: &str, error: &str| {
        FromAgent::PolicyStatus(v1::PolicyStatus {
            policy_id: policy_id.to_owned(),
            in_force: error.is_empty(),
            error: error.to_owned(),
            ..v1::PolicyStatus::default()
        })
    };
    agent.send(told(&first, "")).await;
    shown(&door, enrolled.agent_id, |agent| agent.policy_id.as_ref() == Some(&first)).await;

    assign(&ALERT_ALL.replace("alert", "deny")).await;
    let ToAgent::Policy(push) = agent.next().await.expect("open") else { panic!("a policy") };
    agent.send(told(&push.policy_id, "the kernel does not take the rules: no memory")).await;
    let row = shown(&door, enrolled.agent_id, |agent| !agent.policy_error.is_empty()).await;
    assert_eq!(row.policy_error, "the kernel does not take the rules: no memory");
    assert_eq!((row.policy_id.as_ref(), row.assigned_policy_id.as_ref()), (Some(&first), Some(&push.policy_id)));

    // Another one that loads takes the reason away.
    assign(&ALERT_ALL.replace("alert", "allow")).await;
    let ToAgent::Policy(push) = agent.next().await.expect("open") else { panic!("a policy") };
    agent.send(told(&push.policy_id, "")).await;
    let row = shown(&door, enrolled.agent_id, |agent| agent.policy_id.as_ref() == Some(&push.policy_id)).await;
    assert_eq!(row.policy_error, "");
    drop(agent);
    door.close().await;
}

#[tokio::test]
async fn a_second_stream_takes_the_place_of_the_first() {
    let door = Door::open().await;
    let enrolled = door.enroll().await;
    let mut first = door.stream(&enrolled).await.expect("open");
    first.greet().await;
    let mut second = door.stream(&enrolled).await.expect("open");
    let status = first.next().await.expect_err("ended");
    assert_eq!(status.code(), Code::Aborted);
    second.greet().await;
    drop(second);
    door.close().await;
}

#[tokio::test]
async fn only_register_answers_without_a_certificate() {
    let door = Door::open().await;
    let (_out, messages) = mpsc::channel(1);
    let status = door.client(None).await.stream(ReceiverStream::new(messages)).await.expect_err("refused");
    assert_eq!(status.code(), Code::Unauthenticated);
    door.close().await;
}

#[tokio::test]
async fn a_removed_or_archived_agent_is_refused() {
    let door = Door::open().await;
    let enrolled = door.enroll().await;
    sqlx::query("UPDATE agents SET archived_at = now()").execute(&door.stack.app.pool).await.expect("updated");
    assert_eq!(door.stream(&enrolled).await.err().expect("refused").code(), Code::PermissionDenied);
    sqlx::query("DELETE FROM agents").execute(&door.stack.app.pool).await.expect("deleted");
    assert_eq!(door.stream(&enrolled).await.err().expect("refused").code(), Code::Unauthenticated);
    door.close().await;
}

#[tokio::test]
async fn a_token_enrolls_as_many_as_it_may() {
    let door = Door::open().await;
    let token = door.token(2).await;
    let attempts = (0..6).map(|_| door.register(&token));
    let results = futures_util::future::join_all(attempts).await;
    let refused: Vec<Code> = results.iter().filter_map(|result| result.as_ref().err().map(Status::code)).collect();
    assert_eq!(refused, [Code::Unauthenticated; 4]);
    assert_eq!(door.stack.count("SELECT count(*) FROM agents").await, 2);
    for wrong in ["", "tyr_et_x_y", &token[..token.len() - 1]] {
        assert_eq!(door.register(wrong).await.expect_err("refused").code(), Code::Unauthenticated, "{wrong}");
    }
    assert_eq!(door.stack.count("SELECT count(*) FROM agents").await, 2);
    door.close().await;
}

#[tokio::test]
async fn a_client_that_says_nothing_is_let_go() {
    let door = Door::open().await;
    let mut silent = TcpStream::connect(("127.0.0.1", door.port)).await.expect("connected");
    let mut byte = [0];
    let read = tokio::io::AsyncReadExt::read(&mut silent, &mut byte);
    let read = tokio::time::timeout(Duration::from_secs(15), read).await.expect("closed within the handshake's limit");
    assert!(matches!(read, Ok(0) | Err(_)));
    door.close().await;
}
