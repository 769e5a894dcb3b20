//! The agents' door, port 7700: gRPC over TLS with an own accept loop.
//!
//! tonic's own TLS has no handshake limit that holds back idle sockets and no place to take the client's identity from
//! before a method runs, so connections are accepted and shaken hands with here and handed over finished.

mod accept;
mod register;
mod stream;

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_stream::Stream;
use tokio_util::sync::CancellationToken;
use tonic::transport::Server;
use tonic::{Code, Request, Response, Status, Streaming};
use tyr_proto::MESSAGE_BYTES_MAX;
use tyr_proto::v1::agent_service_server::{AgentService, AgentServiceServer};
use tyr_proto::v1::{AgentMessage, RegisterRequest, RegisterResponse, ServerMessage};

use crate::app::App;

/// A silent connection is asked this often whether it is still there.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(20);
/// And closed when it doesn't answer in this time.
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);
/// An agent needs one stream, and a second while it replaces the first.
const STREAMS_PER_CONNECTION_MAX: u32 = 8;
/// Largest header list of a request.
const HEADERS_BYTES_MAX: u32 = 16 * 1024;

/// Serves agents until `shutdown`, then ends their streams.
///
/// # Errors
/// When the transport fails as a whole.
pub async fn serve(app: Arc<App>, listener: TcpListener, shutdown: CancellationToken) -> io::Result<()> {
    let incoming = accept::incoming(listener, Arc::clone(&app.tls.grpc), shutdown.clone());
    let service = AgentServiceServer::new(Service { app, shutdown: shutdown.clone() })
        .max_decoding_message_size(MESSAGE_BYTES_MAX);
    Server::builder()
        .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
        .max_concurrent_streams(STREAMS_PER_CONNECTION_MAX)
        .http2_max_header_list_size(HEADERS_BYTES_MAX)
        .add_service(service)
        .serve_with_incoming_shutdown(incoming, shutdown.cancelled_owned())
        .await
        .map_err(io::Error::other)
}

#[derive(Debug)]
struct Service {
    app: Arc<App>,
    shutdown: CancellationToken,
}

#[tonic::async_trait]
impl AgentService for Service {
    async fn register(&self, request: Request<RegisterRequest>) -> Result<Response<RegisterResponse>, Status> {
        let answer = register::register(&self.app, request.get_ref()).await;
        self.app.metrics.grpc.answered(word_of(&answer));
        self.app.metrics.security.enrollment(match &answer {
            Ok(_) => "ok",
            Err(status) if status.code() == Code::Unavailable => "failed",
            Err(_) => "refused",
        });
        answer.map(Response::new)
    }

    type StreamStream = Pin<Box<dyn Stream<Item = Result<ServerMessage, Status>> + Send>>;

    async fn stream(&self, request: Request<Streaming<AgentMessage>>) -> Result<Response<Self::StreamStream>, Status> {
        let peer = request.extensions().get::<accept::Peer>().cloned().unwrap_or_default();
        let answer = stream::open(&self.app, peer, request.into_inner(), self.shutdown.clone()).await;
        self.app.metrics.grpc.answered(word_of(&answer));
        Ok(Response::new(Box::pin(answer?)))
    }
}

fn word_of<T>(answer: &Result<T, Status>) -> &'static str {
    status_word(answer.as_ref().map_or_else(Status::code, |_| Code::Ok))
}

/// Name of a status in the gRPC protocol.
fn status_word(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

/// The answer to a failure that is none of the agent's business; the text goes to the log.
fn unavailable(error: &(dyn std::error::Error + 'static)) -> Status {
    tracing::error!(error, "a call of an agent failed");
    Status::unavailable("the server can't answer now; try again")
}
