//! A whole server in this process, its private database in a folder, and agents that talk to it over mTLS.

#![allow(dead_code, reason = "each bench uses its part")]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Parser;
use jiff::Timestamp;
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use sqlx::postgres::PgPool;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::transport::{Channel, Endpoint, Uri};
use tyr_api::auth::NewEnrollmentToken;
use tyr_proto::v1::agent_message::Payload as FromAgent;
use tyr_proto::v1::agent_service_client::AgentServiceClient;
use tyr_proto::v1::server_message::Payload as ToAgent;
use tyr_proto::v1::{self, AgentMessage, RegisterRequest};
use tyr_server::app::App;
use tyr_server::app::audit::Actor;
use tyr_server::app::tokens;
use tyr_server::args::Cli;
use tyr_server::config::Config;
use tyr_server::embedded;
use tyr_server::serve::Server;
use uuid::Uuid;

/// Records of a batch, as `tyrd` sends at most.
pub(crate) const BATCH: usize = 100;

/// A size from the environment.
pub(crate) fn size(name: &str, default: usize) -> usize {
    std::env::var(name)
        .map_or(default, |text| text.replace('_', "").parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}

/// Prints a line of results.
pub(crate) fn say(text: &str) {
    use std::io::Write as _;
    writeln!(std::io::stdout(), "{text}").expect("standard output");
}

/// The value below which that part of sorted values lies.
pub(crate) fn quantile(sorted: &[Duration], part: f64) -> Duration {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an index"
    )]
    let at = ((sorted.len() as f64 - 1.0) * part).round() as usize;
    sorted[at]
}

/// Milliseconds with two places.
pub(crate) fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// The running server.
pub(crate) struct Bench {
    pub(crate) app: Arc<App>,
    /// URL of the database, for psql.
    pub(crate) database: String,
    pub(crate) rest: String,
    grpc_port: u16,
    stop: CancellationToken,
    task: JoinHandle<()>,
    /// Removed at the end, unless it was given.
    _dir: Option<tempfile::TempDir>,
}

impl Bench {
    /// Starts it in `TYR_BENCH_DIR`, which is kept, or in a temporary folder.
    pub(crate) async fn start() -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let (dir, temporary) = if let Some(dir) = std::env::var_os("TYR_BENCH_DIR") {
            (PathBuf::from(dir), None)
        } else {
            let temporary = tempfile::Builder::new()
                .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o711))
                .tempdir()
                .expect("a folder");
            (temporary.path().to_owned(), Some(temporary))
        };
        let text = dir.to_str().expect("UTF-8");
        // SAFETY: no other thread reads the environment yet.
        unsafe { std::env::remove_var("DATABASE_URL") };
        let cli = Cli::try_parse_from([
            "tyr-server",
            "serve",
            "--data-dir",
            text,
            "--rest-bind",
            "127.0.0.1:0",
            "--rest-no-tls",
            "--grpc-bind",
            "127.0.0.1:0",
            "--web-dir",
            text,
        ])
        .expect("good arguments");
        let Some(tyr_server::args::Command::Serve(args)) = cli.command else { panic!("serve was asked for") };
        let server = Server::start(Config::from(*args)).await.expect("started");
        let app = Arc::clone(server.app());
        let rest = format!("http://{}", server.rest_address().expect("bound"));
        let grpc_port = server.grpc_address().expect("bound").port();
        let stop = CancellationToken::new();
        let shutdown = stop.clone();
        let task = tokio::spawn(async move { server.run(shutdown).await.expect("ran") });
        Self { app, database: embedded::url(&dir), rest, grpc_port, stop, task, _dir: temporary }
    }

    /// Stops it, the database too.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        drop(self.app);
        self.task.await.expect("no panic");
    }

    /// A pool without the limits of requests.
    pub(crate) async fn pool(&self) -> PgPool {
        PgPool::connect(&self.database).await.expect("connected")
    }

    /// Enrolls an agent and opens its stream.
    pub(crate) async fn agent(&self, token: &str) -> Agent {
        let key = KeyPair::generate().expect("a key");
        let csr = CertificateParams::default().serialize_request(&key).expect("a CSR").pem().expect("PEM");
        let request = RegisterRequest {
            agent_name: format!("bench-{}", Uuid::now_v7().simple()),
            enrollment_token: token.to_owned(),
            csr_pem: csr.into_bytes(),
            kernel_version: "6.12.0".to_owned(),
            arch: "x86_64".to_owned(),
        };
        let registered = self.client(None).await.register(request).await.expect("enrolled").into_inner();
        let cert = CertificateDer::from_pem_slice(&registered.client_cert_pem).expect("a certificate");
        let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).expect("a key");
        let (out, messages) = mpsc::channel(16);
        out.try_send(message(FromAgent::Capabilities(v1::CapabilityReport {
            kernel_version: "6.12.0".to_owned(),
            agent_version: "0.1.0".to_owned(),
            ..v1::CapabilityReport::default()
        })))
        .expect("room");
        let mut client = self.client(Some((cert, key))).await;
        let inbound = client.stream(ReceiverStream::new(messages)).await.expect("a stream").into_inner();
        Agent { out, inbound, epoch: Uuid::now_v7().as_bytes().to_vec(), sequence: 0, sent: Vec::new() }
    }

    /// So many agents.
    pub(crate) async fn agents(&self, count: usize) -> Vec<Agent> {
        let max_uses = u32::try_from(count).expect("few");
        let new = NewEnrollmentToken { label: "bench".to_owned(), max_uses, expires_hours: 1 };
        let token = tokens::create(&self.app, &new, &Actor::environment()).await.expect("a token").token;
        let mut agents = Vec::with_capacity(count);
        for _ in 0..count {
            agents.push(self.agent(&token).await);
        }
        agents
    }

    async fn client(
        &self,
        identity: Option<(CertificateDer<'static>, PrivateKeyDer<'static>)>,
    ) -> AgentServiceClient<Channel> {
        let mut roots = RootCertStore::empty();
        roots.add(self.app.pki.ca_der().clone()).expect("a root");
        let builder = ClientConfig::builder().with_root_certificates(roots);
        let mut config = match identity {
            None => builder.with_no_client_auth(),
            Some((cert, key)) => builder.with_client_auth_cert(vec![cert], key).expect("an identity"),
        };
        config.alpn_protocols = vec![b"h2".to_vec()];
        let (connector, port) = (TlsConnector::from(Arc::new(config)), self.grpc_port);
        let connect = tower::service_fn(move |_: Uri| {
            let connector = connector.clone();
            async move {
                let tcp = TcpStream::connect(("127.0.0.1", port)).await?;
                tcp.set_nodelay(true)?;
                let tls = connector.connect(ServerName::try_from("localhost").expect("a name"), tcp).await?;
                Ok::<_, std::io::Error>(hyper_util::rt::TokioIo::new(tls))
            }
        });
        let channel = Endpoint::from_static("http://localhost").connect_with_connector(connect).await;
        AgentServiceClient::new(channel.expect("connected"))
    }
}

/// Stores events at an even pace, and says how long acknowledgements took, sorted.
pub(crate) async fn paced(fleet: Vec<Agent>, pace: usize, span: Duration) -> (Vec<Agent>, Vec<Duration>) {
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    let every = Duration::from_secs_f64((BATCH * fleet.len()) as f64 / pace as f64);
    let count = u32::try_from(fleet.len()).expect("few");
    let tasks: Vec<_> = fleet
        .into_iter()
        .zip(0..)
        .map(|(mut agent, number): (Agent, u32)| {
            tokio::spawn(async move {
                let mut latencies = Vec::new();
                let begun = Instant::now();
                // Not all at the same moment.
                let mut ticks = tokio::time::interval_at(tokio::time::Instant::now() + every * number / count, every);
                while begun.elapsed() < span {
                    ticks.tick().await;
                    agent.send(usize::MAX, &mut latencies).await;
                    agent.finish(&mut latencies).await;
                }
                (agent, latencies)
            })
        })
        .collect();
    let (mut fleet, mut all) = (Vec::new(), Vec::new());
    for task in tasks {
        let (agent, latencies) = task.await.expect("no panic");
        fleet.push(agent);
        all.extend(latencies);
    }
    all.sort_unstable();
    (fleet, all)
}

/// Events per second.
#[expect(clippy::cast_precision_loss, reason = "events are far fewer than 2^52")]
pub(crate) fn rate(events: usize, took: Duration) -> f64 {
    events as f64 / took.as_secs_f64()
}

fn message(payload: FromAgent) -> AgentMessage {
    AgentMessage { payload: Some(payload) }
}

/// An agent's end of a stream.
pub(crate) struct Agent {
    out: mpsc::Sender<AgentMessage>,
    inbound: tonic::Streaming<v1::ServerMessage>,
    epoch: Vec<u8>,
    sequence: u64,
    /// When the batches that are not acknowledged yet were sent.
    sent: Vec<(u64, Instant)>,
}

impl Agent {
    /// Sends a batch of new events, as soon as fewer than `window` are under way.
    pub(crate) async fn send(&mut self, window: usize, latencies: &mut Vec<Duration>) {
        while self.sent.len() >= window {
            self.acknowledged(latencies).await;
        }
        let records: Vec<v1::Record> = (0..BATCH).map(|n| record(self.sequence + n as u64)).collect();
        let batch = v1::EventBatch { spool_epoch: self.epoch.clone(), first_sequence: self.sequence, records };
        self.sequence += BATCH as u64;
        self.sent.push((self.sequence - 1, Instant::now()));
        self.out.send(message(FromAgent::EventBatch(batch))).await.expect("open");
    }

    /// Waits until all is acknowledged.
    pub(crate) async fn finish(&mut self, latencies: &mut Vec<Duration>) {
        while !self.sent.is_empty() {
            self.acknowledged(latencies).await;
        }
    }

    async fn acknowledged(&mut self, latencies: &mut Vec<Duration>) {
        loop {
            let message = self.inbound.message().await.expect("open").expect("not at its end");
            if let Some(ToAgent::Ack(ack)) = message.payload {
                let now = Instant::now();
                let done = self.sent.iter().take_while(|(last, _)| *last <= ack.sequence).count();
                latencies.extend(self.sent.drain(..done).map(|(_, sent)| now - sent));
                return;
            }
        }
    }
}

/// A usual event: a path of 60 bytes, a command line of 80.
fn record(number: u64) -> v1::Record {
    let now = Timestamp::now();
    let event = v1::Event {
        event_id: Uuid::now_v7().to_string(),
        kind: v1::EventKind::FileRead.into(),
        resource: format!("/home/alice/projects/web/node_modules/package-{}/index.js", number % 997),
        verdict: v1::Verdict::Allow.into(),
        severity: v1::Severity::Low.into(),
        pid: 4242,
        process_exe: "/usr/bin/node".to_owned(),
        cmdline: "node /usr/lib/node_modules/@anthropic-ai/claude-code/cli.js --dangerously-skip".to_owned(),
        timestamp_ns: i64::try_from(now.as_nanosecond()).expect("in range"),
        metadata: [("count".to_owned(), "3".to_owned()), ("uid".to_owned(), "1000".to_owned())].into(),
        ..v1::Event::default()
    };
    v1::Record { record: Some(v1::record::Record::Event(event)) }
}
