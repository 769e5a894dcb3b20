//! The REST listener: connections, both versions of HTTP, draining.
//!
//! `axum::serve` has no defence against clients that say nothing or say it slowly: hyper's header timeout needs a timer
//! that it does not install, and telling HTTP/1 from HTTP/2 waits for ever. Hence an accept loop of our own, shared with the
//! agents' door: every phase of a connection has a time limit, and the number of connections has one too.

use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::HeaderMap;
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::service::service_fn;
use hyper::{Request, Version};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;
use tracing::{debug, warn};

use crate::accept::{self, Busy, Gate, IdleLimits, Place, Timed};
use crate::config::AddressRange;

/// From the handshake to the end of the first request's head; and how long a connection is kept on which nothing more is asked.
const IDLE_LIMITS: IdleLimits = IdleLimits { unproved: Duration::from_secs(10), proved: Duration::from_mins(5) };
/// For the head of each further request of an HTTP/1 connection, the wait for it included.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);
/// Pings find HTTP/2 peers that are gone.
const PING_INTERVAL: Duration = Duration::from_secs(20);
const HTTP2_STREAMS_MAX: u32 = 64;
/// Streams that a peer opened and reset before they were looked at; beyond that the connection is closed (CVE-2023-44487).
const PENDING_RESETS_MAX: usize = 20;
/// Streams that were reset for errors of the peer; beyond that the connection is closed.
const ERROR_RESETS_MAX: usize = 256;
const HEADER_BYTES_MAX: u32 = 16 * 1024;
const HTTP1_BUFFER_BYTES_MAX: usize = 64 * 1024;
/// Connections that did not end by themselves after this long are cut; the doors have 4 s of the 10 s that a stop may take.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(3);
/// The header in which a proxy says whom it speaks for.
const X_FORWARDED_FOR: &str = "x-forwarded-for";

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

/// Whom to let in, and what to believe.
#[derive(Clone, Debug)]
pub struct Entrance {
    /// Limits on connections.
    pub gate: Arc<Gate>,
    /// Absent behind a TLS proxy.
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Arc<[AddressRange]>,
}

/// Serves until `stop`, then lets running requests end for [`DRAIN_TIMEOUT`]. Streams are expected to end themselves at `stop`.
pub async fn serve(listener: TcpListener, entrance: Entrance, routes: Router, stop: CancellationToken) {
    let acceptor = entrance.tls.map(TlsAcceptor::from);
    let connections = TaskTracker::new();
    let cut = CancellationToken::new();
    while let Some((tcp, address, place)) = accept::next(&entrance.gate, &listener, &stop).await {
        let (acceptor, routes, ends) =
            (acceptor.clone(), routes.clone(), Ends { stop: stop.clone(), cut: cut.child_token() });
        let peer =
            Remote { address: address.ip().to_canonical(), trusted_proxies: Arc::clone(&entrance.trusted_proxies) };
        connections.spawn(connection(tcp, place, peer, acceptor, routes, ends));
    }
    drop(listener);
    connections.close();
    if timeout(DRAIN_TIMEOUT, connections.wait()).await.is_err() {
        warn!(connections = connections.len(), "REST connections did not end in time and are cut");
        cut.cancel();
        connections.wait().await;
    }
}

/// The other end of a connection.
#[derive(Clone, Debug)]
pub struct Remote {
    /// What connected, IPv4 in its own form.
    pub address: IpAddr,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Arc<[AddressRange]>,
}

impl Remote {
    /// Whose request it is: the nearest address in the chain that is no proxy of ours. What is left of it in the header was written by
    /// strangers.
    fn of_request(&self, headers: &HeaderMap) -> IpAddr {
        let trusted = |address: IpAddr| self.trusted_proxies.iter().any(|range| range.contains(address));
        let mut nearest = self.address;
        if !trusted(nearest) {
            return nearest;
        }
        let lines: Vec<&str> =
            headers.get_all(X_FORWARDED_FOR).iter().map(|value| value.to_str().unwrap_or_default()).collect();
        for hop in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
            let Ok(address) = hop.trim().parse::<IpAddr>() else { break };
            nearest = address.to_canonical();
            if !trusted(nearest) {
                break;
            }
        }
        nearest
    }
}

/// What ends a connection.
#[derive(Clone, Debug)]
pub struct Ends {
    /// When what was asked is answered.
    pub stop: CancellationToken,
    /// At once.
    pub cut: CancellationToken,
}

async fn connection(
    tcp: TcpStream,
    place: Arc<Place>,
    peer: Remote,
    acceptor: Option<TlsAcceptor>,
    routes: Router,
    ends: Ends,
) {
    let Some(acceptor) = acceptor else { return talk(Timed::new(tcp, place, IDLE_LIMITS), peer, routes, ends).await };
    match accept::shake_hands(&acceptor, tcp, &place, &ends.stop).await {
        Ok(tls) => talk(Timed::new(tls, place, IDLE_LIMITS), peer, routes, ends).await,
        Err(error) => debug!(%error, peer.address = %peer.address, "TLS handshake failed"),
    }
}

/// Serves one connection, whatever it runs over, until it ends.
pub async fn talk<IO>(io: Timed<IO>, peer: Remote, routes: Router, ends: Ends)
where
    IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let address = peer.address;
    let place = Arc::clone(io.place());
    let Ends { stop, cut } = ends;
    let cut_here = cut.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        place.proved();
        let busy = place.busy();
        let mut request = request.map(Body::new);
        let source = peer.of_request(request.headers());
        request.extensions_mut().insert(Peer(source));
        if request.version() < Version::HTTP_2 {
            request.extensions_mut().insert(Cut(cut_here.clone()));
        }
        let answer = routes.clone().oneshot(request);
        async move { answer.await.map(|response| response.map(|body| Body::new(Held { body, _busy: busy }))) }
    });
    let builder = builder();
    let mut connection = pin!(builder.serve_connection(TokioIo::new(io), service));
    let mut draining = false;
    loop {
        tokio::select! {
            result = connection.as_mut() => {
                if let Err(error) = result {
                    debug!(error = &*error, peer.address = %address, "REST connection broke");
                }
                return;
            }
            () = cut.cancelled() => {
                debug!(peer.address = %address, "REST connection was cut");
                return;
            }
            () = stop.cancelled(), if !draining => {
                draining = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}

/// A body that keeps its connection in use until it has ended.
struct Held {
    body: Body,
    _busy: Busy,
}

impl hyper::body::Body for Held {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
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
        .max_header_list_size(HEADER_BYTES_MAX)
        .max_pending_accept_reset_streams(PENDING_RESETS_MAX)
        .max_local_error_reset_streams(ERROR_RESETS_MAX);
    builder
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use axum::http::{HeaderMap, HeaderValue};

    use super::{Remote, X_FORWARDED_FOR};

    fn source(address: &str, trusted: &[&str], lines: &[&'static str]) -> IpAddr {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(X_FORWARDED_FOR, HeaderValue::from_static(line));
        }
        let trusted_proxies = trusted.iter().map(|range| range.parse().expect("a range")).collect();
        Remote { address: address.parse().expect("an address"), trusted_proxies }.of_request(&headers)
    }

    #[test]
    fn a_header_is_believed_as_far_as_our_own_proxies_wrote_it() {
        let address = |text: &str| text.parse::<IpAddr>().expect("an address");
        let forged = "192.0.2.66, 203.0.113.7";
        assert_eq!(source("198.51.100.1", &[], &[forged]), address("198.51.100.1"), "nobody is trusted unless told");
        assert_eq!(source("198.51.100.1", &["10.0.0.0/8"], &[forged]), address("198.51.100.1"));
        assert_eq!(
            source("10.0.0.5", &["10.0.0.0/8"], &[forged]),
            address("203.0.113.7"),
            "what a stranger wrote is not read"
        );
        assert_eq!(
            source("10.0.0.5", &["10.0.0.0/8"], &["203.0.113.7, 10.0.0.9"]),
            address("203.0.113.7"),
            "two proxies"
        );
        assert_eq!(source("10.0.0.5", &["10.0.0.0/8"], &["192.0.2.66", "203.0.113.7"]), address("203.0.113.7"));
        assert_eq!(source("10.0.0.5", &["10.0.0.0/8"], &["nonsense"]), address("10.0.0.5"));
        assert_eq!(source("10.0.0.5", &["10.0.0.0/8"], &[]), address("10.0.0.5"));
    }
}
