//! Agents' connections, shaken hands with, as tonic takes them.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::transport::server::Connected;

use crate::accept::{self, Gate, IdleLimits, Place, Timed};
use crate::pki::{self, Identity};

/// Finished handshakes that wait to be served.
const READY_MAX: usize = 64;
/// An agent opens its stream, or registers, as soon as it is connected, and drops the connection with the stream.
const IDLE_LIMITS: IdleLimits = IdleLimits { unproved: Duration::from_secs(10), proved: Duration::from_secs(30) };

/// Who is at the other end of a connection.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    /// From the client certificate, if there was one.
    pub(super) identity: Option<Identity>,
    /// For the log.
    pub(super) address: SocketAddr,
    /// Its place among the connections.
    pub(super) place: Arc<Place>,
}

/// A connection after its handshake.
#[derive(Debug)]
pub(super) struct Connection {
    stream: Timed<TlsStream<TcpStream>>,
    peer: Peer,
}

/// Accepts until `shutdown`.
pub(super) fn incoming(
    gate: Arc<Gate>,
    listener: TcpListener,
    tls: Arc<ServerConfig>,
    shutdown: CancellationToken,
) -> ReceiverStream<io::Result<Connection>> {
    let (ready, incoming) = mpsc::channel(READY_MAX);
    let acceptor = TlsAcceptor::from(tls);
    tokio::spawn(async move {
        while let Some((tcp, address, place)) = accept::next(&gate, &listener, &shutdown).await {
            let (acceptor, ready, shutdown) = (acceptor.clone(), ready.clone(), shutdown.clone());
            tokio::spawn(async move {
                match shake_hands(&acceptor, tcp, address, place, &shutdown).await {
                    // An error means that the server is stopping.
                    Ok(connection) => drop(ready.send(Ok(connection)).await),
                    Err(error) => tracing::debug!(%error, peer.address = %address, "a handshake failed"),
                }
            });
        }
    });
    ReceiverStream::new(incoming)
}

async fn shake_hands(
    acceptor: &TlsAcceptor,
    tcp: TcpStream,
    address: SocketAddr,
    place: Arc<Place>,
    shutdown: &CancellationToken,
) -> io::Result<Connection> {
    let stream = accept::shake_hands(acceptor, tcp, &place, shutdown).await?;
    let certificates = stream.get_ref().1.peer_certificates();
    let identity = certificates.and_then(|chain| pki::identity(chain.first()?));
    if identity.is_some() {
        place.proved();
    }
    let peer = Peer { identity, address, place: Arc::clone(&place) };
    Ok(Connection { stream: Timed::new(stream, place, IDLE_LIMITS), peer })
}

impl Connected for Connection {
    type ConnectInfo = Peer;

    fn connect_info(&self) -> Peer {
        self.peer.clone()
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
