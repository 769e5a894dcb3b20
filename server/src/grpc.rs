//! The agents' door, port 7700: gRPC over TLS with an own accept loop.
//!
//! tonic's own TLS has no handshake limit that holds back idle sockets and no place to take the client's identity from
//! before a method runs, so connections are accepted and shaken hands with here and handed over finished.

mod accept;
mod pace;
mod register;
mod service;
mod stream;
mod wire;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::transport::Server;
use tonic::{Code, Status};

use crate::app::App;

/// A silent connection is asked this often whether it is still there.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(20);
/// And closed when it doesn't answer in this time.
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);
/// An agent needs one stream, and a second while it replaces the first.
const STREAMS_PER_CONNECTION_MAX: u32 = 8;
/// Largest header list of a request.
const HEADERS_BYTES_MAX: u32 = 16 * 1024;
/// Streams that a peer opened and reset before they were looked at; beyond that the connection is closed (CVE-2023-44487).
const PENDING_RESETS_MAX: usize = 20;
/// Streams that were reset for errors of the peer; beyond that the connection is closed.
const ERROR_RESETS_MAX: usize = 256;

/// Serves agents until `shutdown`, then ends their streams.
///
/// # Errors
/// When the transport fails as a whole.
pub async fn serve(app: Arc<App>, listener: TcpListener, shutdown: CancellationToken) -> io::Result<()> {
    let gate = Arc::clone(&app.gates.grpc);
    let incoming = accept::incoming(gate, listener, Arc::clone(&app.tls.grpc), shutdown.clone());
    let service = service::Service { app, shutdown: shutdown.clone() };
    Server::builder()
        .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
        .max_concurrent_streams(STREAMS_PER_CONNECTION_MAX)
        .http2_max_header_list_size(HEADERS_BYTES_MAX)
        .http2_max_pending_accept_reset_streams(Some(PENDING_RESETS_MAX))
        .http2_max_local_error_reset_streams(Some(ERROR_RESETS_MAX))
        .add_service(service)
        .serve_with_incoming_shutdown(incoming, shutdown.cancelled_owned())
        .await
        .map_err(io::Error::other)
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

/// Reads any bytes as a message of an agent, with its records: for `fuzz/`, which holds that nothing in them panics.
pub fn read_any(bytes: &[u8]) {
    use prost::Message;
    if let Ok(wire::AgentMessage { payload: Some(wire::Payload::EventBatch(batch)) }) =
        wire::AgentMessage::decode(bytes)
    {
        let _ = batch.decode(uuid::Uuid::nil());
    }
}
