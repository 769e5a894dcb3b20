//! A control plane for tests: real TLS and real gRPC, and each stream is handed to the test.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::server::Connected;
use tonic::{Request, Response, Status, Streaming};
use tyr_proto::v1::agent_message::Payload as FromAgent;
use tyr_proto::v1::agent_service_server::{AgentService, AgentServiceServer};
use tyr_proto::v1::server_message::Payload as ToAgent;
use tyr_proto::v1::{AgentMessage, PolicyStatus, RegisterRequest, RegisterResponse, ServerMessage};
use uuid::Uuid;

use super::LIMIT;

/// The only enrollment token that is taken.
pub(crate) const TOKEN: &str = "tyr_et_test_secret";

/// A certificate authority.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    der: CertificateDer<'static>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().unwrap();
        let cert = params.self_signed(&key).unwrap();
        Self { pem: cert.pem(), der: cert.der().clone(), issuer: Issuer::new(params, key) }
    }

    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }

    pub(crate) fn sha256(&self) -> String {
        hex::encode(Sha256::digest(&self.der))
    }

    /// Signs a request as a server does: key from the request, nothing else.
    pub(crate) fn sign(&self, csr_pem: &[u8]) -> String {
        let csr = CertificateSigningRequestParams::from_pem(std::str::from_utf8(csr_pem).unwrap()).unwrap();
        csr.signed_by(&self.issuer).unwrap().pem()
    }

    fn server_config(&self) -> ServerConfig {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
        let cert = params.signed_by(&key, &self.issuer).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(self.der.clone()).unwrap();
        let verifier = WebPkiClientVerifier::builder(Arc::new(roots)).allow_unauthenticated().build().unwrap();
        let mut config = ServerConfig::builder()
            .with_client_cert_verifier(verifier)
            .with_single_cert(
                vec![cert.der().clone(), self.der.clone()],
                PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap(),
            )
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec()];
        config
    }
}

#[derive(Default)]
struct State {
    registered: Vec<RegisterRequest>,
    issued: Vec<Uuid>,
    refuse: Option<Status>,
    refuse_only: Option<Vec<u8>>,
}

/// The server; gone when dropped.
pub(crate) struct Server {
    pub(crate) authority: Arc<Authority>,
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    links: mpsc::Receiver<Link>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A port on the loopback interface that nobody else gets while the listener lives.
pub(crate) async fn reserve() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    (listener, url)
}

impl Server {
    pub(crate) async fn start() -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        Self::start_at(Authority::new(), reserve().await.0)
    }

    pub(crate) fn start_at(authority: Authority, listener: TcpListener) -> Self {
        let authority = Arc::new(authority);
        let address = listener.local_addr().unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(authority.server_config()));
        let state = Arc::<Mutex<State>>::default();
        let (links_in, links) = mpsc::channel(4);
        let service = Service { authority: Arc::clone(&authority), state: Arc::clone(&state), links: links_in };
        let (connections_in, connections) = mpsc::channel::<io::Result<Connection>>(4);
        let task = tokio::spawn(async move {
            let accept = async {
                loop {
                    let (tcp, _) = listener.accept().await.unwrap();
                    // A client that does not trust us ends the handshake.
                    if let Ok(tls) = acceptor.accept(tcp).await {
                        connections_in.send(Ok(Connection(tls))).await.unwrap();
                    }
                }
            };
            let serve = tonic::transport::Server::builder()
                .add_service(AgentServiceServer::new(service))
                .serve_with_incoming(ReceiverStream::new(connections));
            tokio::select! { () = accept => {} served = serve => served.unwrap() }
        });
        Self { authority, address, state, links, task }
    }

    pub(crate) fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// The next stream that an agent opens.
    pub(crate) async fn accept(&mut self) -> Link {
        timeout(LIMIT, self.links.recv()).await.expect("an agent connects").unwrap()
    }

    pub(crate) fn registered(&self) -> Vec<RegisterRequest> {
        self.state.lock().unwrap().registered.clone()
    }

    pub(crate) fn issued(&self) -> Vec<Uuid> {
        self.state.lock().unwrap().issued.clone()
    }

    /// Refuses every stream from now on.
    pub(crate) fn refuse(&self, status: Option<Status>) {
        self.state.lock().unwrap().refuse = status;
    }

    /// Goes on refusing, but only the holder of this certificate.
    pub(crate) fn refuse_certificate(&self, certificate: Vec<u8>) {
        self.state.lock().unwrap().refuse_only = Some(certificate);
    }
}

/// One stream of one agent.
pub(crate) struct Link {
    incoming: Streaming<AgentMessage>,
    outgoing: mpsc::Sender<Result<ServerMessage, Status>>,
    /// DER.
    pub(crate) client_certificate: Vec<u8>,
}

impl Link {
    /// The next message.
    pub(crate) async fn next(&mut self) -> FromAgent {
        let message = timeout(LIMIT, self.incoming.message()).await.expect("a message comes");
        message.expect("the stream is sound").expect("the stream goes on").payload.expect("a known message")
    }

    pub(crate) async fn say(&self, payload: ToAgent) {
        self.outgoing.send(Ok(ServerMessage { payload: Some(payload) })).await.unwrap();
    }

    /// Waits for a heartbeat with this nonce.
    pub(crate) async fn pong(&mut self, nonce: u64) {
        loop {
            if matches!(self.next().await, FromAgent::Heartbeat(heartbeat) if heartbeat.ping_nonce == nonce) {
                return;
            }
        }
    }

    pub(crate) async fn policy_status(&mut self) -> PolicyStatus {
        loop {
            if let FromAgent::PolicyStatus(status) = self.next().await {
                return status;
            }
        }
    }

    /// Ends the stream with an error.
    pub(crate) async fn end(self, status: Status) {
        self.outgoing.send(Err(status)).await.unwrap();
    }
}

struct Service {
    authority: Arc<Authority>,
    state: Arc<Mutex<State>>,
    links: mpsc::Sender<Link>,
}

#[tonic::async_trait]
impl AgentService for Service {
    async fn register(&self, request: Request<RegisterRequest>) -> Result<Response<RegisterResponse>, Status> {
        let request = request.into_inner();
        if request.enrollment_token != TOKEN {
            return Err(Status::unauthenticated("unknown token"));
        }
        let csr = std::str::from_utf8(&request.csr_pem).unwrap();
        let csr =
            CertificateSigningRequestParams::from_pem(csr).map_err(|e| Status::invalid_argument(e.to_string()))?;
        let certificate = csr.signed_by(&self.authority.issuer).unwrap();
        let agent_id = Uuid::now_v7();
        let mut state = self.state.lock().unwrap();
        state.registered.push(request);
        state.issued.push(agent_id);
        Ok(Response::new(RegisterResponse {
            agent_id: agent_id.to_string(),
            client_cert_pem: certificate.pem().into_bytes(),
            ca_cert_pem: self.authority.pem.clone().into_bytes(),
        }))
    }

    type StreamStream = ReceiverStream<Result<ServerMessage, Status>>;

    async fn stream(&self, request: Request<Streaming<AgentMessage>>) -> Result<Response<Self::StreamStream>, Status> {
        let certificate = request.extensions().get::<Certificate>().and_then(|certificate| certificate.0.clone());
        let client_certificate = certificate.ok_or_else(|| Status::unauthenticated("no client certificate"))?;
        {
            let state = self.state.lock().unwrap();
            let meant = state.refuse_only.as_ref().is_none_or(|only| *only == client_certificate);
            if let Some(status) = state.refuse.clone().filter(|_| meant) {
                return Err(status);
            }
        }
        let (outgoing, queue) = mpsc::channel(16);
        let link = Link { incoming: request.into_inner(), outgoing, client_certificate };
        self.links.send(link).await.map_err(|_| Status::unavailable("the test is over"))?;
        Ok(Response::new(ReceiverStream::new(queue)))
    }
}

/// A TLS connection that tells tonic who the client is.
struct Connection(TlsStream<TcpStream>);

#[derive(Clone)]
struct Certificate(Option<Vec<u8>>);

impl Connected for Connection {
    type ConnectInfo = Certificate;

    fn connect_info(&self) -> Certificate {
        let certificates = self.0.get_ref().1.peer_certificates();
        Certificate(certificates.and_then(|all| all.first()).map(|certificate| certificate.to_vec()))
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
