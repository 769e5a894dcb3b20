//! The accept loop of the REST listener.
//!
//! `axum::serve` has no defence against clients that say nothing or say it slowly: hyper's header timeout needs a timer
//! that it does not install, and telling HTTP/1 from HTTP/2 waits for ever. Hence this loop: every phase of a connection
//! has a time limit, and the number of connections has one too.

use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Version};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;
use tracing::{debug, warn};

/// Most connections at a time; further ones wait in the kernel's queue.
const CONNECTIONS_MAX: usize = 1024;
/// From accept to the end of the TLS handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// From the handshake to the end of the first request's head.
const FIRST_REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// For the head of each further request of an HTTP/1 connection, the wait for it included.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);
/// Pings find HTTP/2 peers that are gone.
const PING_INTERVAL: Duration = Duration::from_secs(20);
const HTTP2_STREAMS_MAX: u32 = 64;
const HEADER_BYTES_MAX: u32 = 16 * 1024;
const HTTP1_BUFFER_BYTES_MAX: usize = 64 * 1024;
/// Connections that did not end by themselves after this long are cut; the process may take 10 s to stop.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(7);
/// Pause after an error of accept itself, such as too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Address of the client (or of the proxy in front of us), an extension of every request.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

/// Ends a connection at once, an extension of every HTTP/1 request: there is one request at a time, and what was written
/// for it waits for ever when the client does not read.
#[derive(Clone, Debug)]
pub struct Cut(CancellationToken);

impl Cut {
    /// Ends the connection.
    pub fn now(&self) {
        self.0.cancel();
    }
}

/// Serves until `stop`, then lets running requests end for [`DRAIN_TIMEOUT`].
///
/// `tls` is absent behind a TLS proxy. Streams are expected to end themselves at `stop`.
pub async fn serve(
    listener: TcpListener,
    tls: Option<Arc<rustls::ServerConfig>>,
    routes: Router,
    stop: CancellationToken,
) {
    let acceptor = tls.map(TlsAcceptor::from);
    let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let connections = TaskTracker::new();
    loop {
        let slot = tokio::select! {
            slot = Arc::clone(&slots).acquire_owned() => slot.expect("the semaphore is never closed"),
            () = stop.cancelled() => break,
        };
        let (tcp, address) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    warn!(%error, "accepting a REST connection failed");
                    sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            },
            () = stop.cancelled() => break,
        };
        let (acceptor, routes, stop) = (acceptor.clone(), routes.clone(), stop.clone());
        connections.spawn(async move {
            connection(tcp, address, acceptor, routes, stop).await;
            drop(slot);
        });
    }
    drop(listener);
    connections.close();
    if timeout(DRAIN_TIMEOUT, connections.wait()).await.is_err() {
        warn!(connections = connections.len(), "REST connections did not end in time and are cut");
    }
}

async fn connection(
    tcp: TcpStream,
    address: SocketAddr,
    acceptor: Option<TlsAcceptor>,
    routes: Router,
    stop: CancellationToken,
) {
    // Events are small and should leave at once.
    if let Err(error) = tcp.set_nodelay(true) {
        debug!(%error, peer.address = %address.ip(), "TCP_NODELAY was refused");
    }
    let Some(acceptor) = acceptor else { return talk(tcp, address, routes, stop, FIRST_REQUEST_TIMEOUT).await };
    match timeout(HANDSHAKE_TIMEOUT, acceptor.accept(tcp)).await {
        Ok(Ok(tls)) => talk(tls, address, routes, stop, FIRST_REQUEST_TIMEOUT).await,
        Ok(Err(error)) => debug!(%error, peer.address = %address.ip(), "TLS handshake failed"),
        Err(_) => debug!(peer.address = %address.ip(), "TLS handshake took too long"),
    }
}

/// Serves one connection, whatever it runs over, until it ends; at once if it brings no request in time.
pub async fn talk<IO>(
    io: IO,
    address: SocketAddr,
    routes: Router,
    stop: CancellationToken,
    first_request_within: Duration,
) where
    IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let heard = Arc::new(AtomicBool::new(false));
    let cut = CancellationToken::new();
    let service = service_fn({
        let (heard, cut) = (Arc::clone(&heard), cut.clone());
        move |request: Request<Incoming>| {
            heard.store(true, Ordering::Relaxed);
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(Peer(address.ip().to_canonical()));
            if request.version() < Version::HTTP_2 {
                request.extensions_mut().insert(Cut(cut.clone()));
            }
            routes.clone().oneshot(request)
        }
    });
    let builder = builder();
    let mut connection = pin!(builder.serve_connection(TokioIo::new(io), service));
    let mut silence = pin!(sleep(first_request_within));
    let mut draining = false;
    loop {
        tokio::select! {
            result = connection.as_mut() => {
                if let Err(error) = result {
                    debug!(error = &*error, peer.address = %address.ip(), "REST connection broke");
                }
                return;
            }
            () = silence.as_mut(), if !heard.load(Ordering::Relaxed) => {
                // Checked again: the request may have come while this was already armed.
                if !heard.load(Ordering::Relaxed) {
                    debug!(peer.address = %address.ip(), "REST connection without a request was closed");
                    return;
                }
            }
            () = cut.cancelled() => {
                debug!(peer.address = %address.ip(), "REST connection that takes nothing was cut");
                return;
            }
            () = stop.cancelled(), if !draining => {
                draining = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(HTTP1_BUFFER_BYTES_MAX)
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_INTERVAL)
        .max_concurrent_streams(HTTP2_STREAMS_MAX)
        .max_header_list_size(HEADER_BYTES_MAX);
    builder
}
