//! The real `tyr-server`, started as an operator starts it, and a host that enrolls there.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rcgen::{CertificateParams, KeyPair};
use rustix::process::{Pid, Signal, kill_process};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;
use sqlx::ConnectOptions;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_rustls::TlsConnector;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::{Endpoint, Uri};
use tonic::{Status, Streaming};
use tyr_proto::v1::agent_message::Payload as FromAgent;
use tyr_proto::v1::agent_service_client::AgentServiceClient;
use tyr_proto::v1::server_message::Payload as ToAgent;
use tyr_proto::v1::{self, AgentMessage, RegisterRequest, ServerMessage};

use crate::stack::LIMIT;
use crate::testdb::TestDb;

/// A running server whose log is a file.
pub(crate) struct Program {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) client: reqwest::Client,
    pub(crate) rest_port: u16,
    grpc_port: u16,
    child: Child,
}

impl Program {
    /// Starts it on that database with `password` in its URL, logging JSON, and waits until it serves.
    pub(crate) async fn start(db: &TestDb, password: &str, environment: &[(&str, &str)]) -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let dir = tempfile::tempdir().expect("a folder");
        let url = (*db.pool.connect_options()).clone().password(password).to_url_lossy();
        let mut command = command(dir.path());
        command.env("DATABASE_URL", url.as_str()).env("TYR_LOG_FORMAT", "json").envs(environment.iter().copied());
        let child = command.stderr(File::create(dir.path().join("log")).expect("a log")).spawn().expect("started");
        let mut program = Self { dir, client: reqwest::Client::new(), rest_port: 0, grpc_port: 0, child };
        let serving = wait_until("a server that serves", || {
            let ended = program.child.try_wait().expect("asked");
            assert!(ended.is_none(), "it ended: {ended:?}\n{}", program.log());
            program.lines().into_iter().find(|line| line["message"] == "serving")
        })
        .await;
        let port = |field: &str| {
            let address: std::net::SocketAddr = serving[field].as_str().expect("text").parse().expect("an address");
            address.port()
        };
        (program.rest_port, program.grpc_port) = (port("rest.address"), port("grpc.address"));
        let ca = reqwest::Certificate::from_pem(&program.ca()).expect("a certificate");
        program.client = reqwest::Client::builder().tls_certs_only([ca]).build().expect("a client");
        program
    }

    /// Its whole log.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("log")).expect("a log")
    }

    /// The whole lines of its log, each of which has to be JSON.
    pub(crate) fn lines(&self) -> Vec<Value> {
        let log = self.log();
        let whole = log.rsplit_once('\n').map_or("", |(whole, _)| whole);
        whole
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("no JSON ({error}): {line}")))
            .collect()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.rest_port)
    }

    pub(crate) fn ca(&self) -> Vec<u8> {
        fs::read(self.dir.path().join("ca.pem")).expect("the CA's certificate")
    }

    /// Stops it with SIGTERM and gives its log.
    pub(crate) async fn stop(mut self) -> String {
        kill_process(Pid::from_child(&self.child), Signal::TERM).expect("asked to stop");
        let status = wait_until("its end", || self.child.try_wait().expect("asked")).await;
        assert!(status.success(), "{status}\n{}", self.log());
        self.log()
    }

    /// Sends a request and gives status and body.
    pub(crate) async fn send(&self, request: reqwest::RequestBuilder) -> (u16, Value) {
        let response = request.send().await.expect("an answer");
        let status = response.status().as_u16();
        let bytes = response.bytes().await.expect("a body");
        (status, serde_json::from_slice(&bytes).unwrap_or_default())
    }

    /// Makes the first admin, and gives its token.
    pub(crate) async fn set_up(&self, password: &str) -> String {
        let credentials = serde_json::json!({"username": "admin", "password": password});
        let (status, body) = self.send(self.client.post(self.url("/api/v1/auth/setup")).json(&credentials)).await;
        assert_eq!(status, 201, "{body}");
        body["token"].as_str().expect("a token").to_owned()
    }

    /// Enrolls a host and opens its stream.
    pub(crate) async fn host(&self, name: &str, token: &str) -> Result<Host, Status> {
        let key = KeyPair::generate().expect("a key");
        let csr = CertificateParams::default().serialize_request(&key).expect("a CSR").pem().expect("PEM");
        let request = RegisterRequest {
            agent_name: name.to_owned(),
            enrollment_token: token.to_owned(),
            csr_pem: csr.into_bytes(),
            kernel_version: "6.12.0".to_owned(),
            arch: "x86_64".to_owned(),
        };
        let enrolled = self.grpc(None).await.register(request).await?.into_inner();
        let (out, messages) = mpsc::channel(16);
        let mut client = self.grpc(Some((&enrolled.client_cert_pem, &key))).await;
        let inbound = client.stream(ReceiverStream::new(messages)).await?.into_inner();
        Ok(Host { key_pem: key.serialize_pem(), out, inbound })
    }

    async fn grpc(&self, identity: Option<(&[u8], &KeyPair)>) -> AgentServiceClient<tonic::transport::Channel> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(&self.ca()).expect("a certificate")).expect("a root");
        let builder = ClientConfig::builder().with_root_certificates(roots);
        let mut config = match identity {
            None => builder.with_no_client_auth(),
            Some((cert, key)) => {
                let cert = CertificateDer::from_pem_slice(cert).expect("a certificate");
                let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).expect("a key");
                builder.with_client_auth_cert(vec![cert], key).expect("an identity")
            }
        };
        config.alpn_protocols = vec![b"h2".to_vec()];
        let (connector, port) = (TlsConnector::from(Arc::new(config)), self.grpc_port);
        let connect = tower::service_fn(move |_: Uri| {
            let connector = connector.clone();
            async move {
                let tcp = TcpStream::connect(("127.0.0.1", port)).await?;
                let tls = connector.connect(ServerName::try_from("localhost").expect("a name"), tcp).await?;
                Ok::<_, std::io::Error>(hyper_util::rt::TokioIo::new(tls))
            }
        });
        // The scheme is for tonic; TLS is the connector's.
        let channel = Endpoint::from_static("http://localhost").connect_with_connector(connect).await;
        AgentServiceClient::new(channel.expect("connected"))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // After a failed test; `stop` has waited for its end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A host's end of its stream.
pub(crate) struct Host {
    pub(crate) key_pem: String,
    out: mpsc::Sender<AgentMessage>,
    inbound: Streaming<ServerMessage>,
}

impl Host {
    pub(crate) async fn send(&self, payload: FromAgent) {
        self.out.send(AgentMessage { payload: Some(payload) }).await.expect("open");
    }

    /// Reads until `wanted` finds what it looks for.
    pub(crate) async fn read<T>(&mut self, wanted: impl Fn(ToAgent) -> Option<T>) -> T {
        loop {
            let message = tokio::time::timeout(LIMIT, self.inbound.message()).await.expect("in time").expect("open");
            if let Some(found) = wanted(message.expect("not at its end").payload.expect("a payload")) {
                return found;
            }
        }
    }

    /// Says what it can, takes its policy and says that it is in force.
    pub(crate) async fn take_policy(&mut self) {
        self.send(FromAgent::Capabilities(v1::CapabilityReport {
            posture: v1::Posture::Enforcing.into(),
            ..v1::CapabilityReport::default()
        }))
        .await;
        let policy_id =
            self.read(|message| if let ToAgent::Policy(push) = message { Some(push.policy_id) } else { None });
        let policy_id = policy_id.await;
        let status = v1::PolicyStatus { policy_id, in_force: true, load_us: 1500, ..v1::PolicyStatus::default() };
        self.send(FromAgent::PolicyStatus(status)).await;
    }

    /// Sends events and waits until they are stored.
    pub(crate) async fn store(&mut self, batch: v1::EventBatch) {
        self.send(FromAgent::EventBatch(batch)).await;
        self.read(|message| matches!(message, ToAgent::Ack(_)).then_some(())).await;
    }
}

/// The program, with nothing of this process's settings.
pub(crate) fn command(data_dir: &Path) -> Command {
    let mut command = Command::new(PathBuf::from(env!("CARGO_BIN_EXE_tyr-server")));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("TYR_")) {
        command.env_remove(name);
    }
    for name in ["RUST_LOG", "DATABASE_URL", "JOURNAL_STREAM", "NOTIFY_SOCKET"] {
        command.env_remove(name);
    }
    command
        .env("TYR_DATA_DIR", data_dir)
        .env("TYR_REST_BIND", "127.0.0.1:0")
        .env("TYR_GRPC_BIND", "127.0.0.1:0")
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    command
}

/// Asks `state` until it gives a value.
pub(crate) async fn wait_until<T>(what: &str, mut state: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    let mut pace = tokio::time::interval(Duration::from_millis(20));
    loop {
        pace.tick().await;
        if let Some(value) = state() {
            return value;
        }
        assert!(begun.elapsed() < LIMIT, "{what} did not come");
    }
}
