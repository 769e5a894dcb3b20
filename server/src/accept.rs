//! What both doors do with a connection before anything is asked on it: let it in, shake hands, and mind the time.
//!
//! - `gate`: how many may be connected, in all and from one source, and who is shut out for a while.
//! - `timed`: a connection on which nothing is asked, or whose peer reads nothing, is closed.
//!
//! A source is an IPv4 address, or a /64 of IPv6, which one host can have all to itself. It is the address that connects: what
//! a proxy says of whom it speaks for is no business of this layer.

mod gate;
mod timed;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

pub use gate::{Busy, Counts, Gate, Limits, Place, Turn, TurnError};
pub use timed::{IdleLimits, Timed};

/// Time for a TLS handshake: an honest one takes a few round trips, and a share of our processors when all come at once.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Pause after an error of accept itself, such as too many open files, which passes.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The next connection that may come in; `None` at `stop`. Those that may not are closed here, without a word.
pub async fn next(
    gate: &Arc<Gate>,
    listener: &TcpListener,
    stop: &CancellationToken,
) -> Option<(TcpStream, SocketAddr, Arc<Place>)> {
    loop {
        let accepted = async {
            // A place first: what can't be served stays in the kernel's queue.
            let permit = gate.permit().await;
            Ok::<_, io::Error>((permit, listener.accept().await?))
        };
        let accepted = tokio::select! {
            () = stop.cancelled() => return None,
            accepted = accepted => accepted,
        };
        match accepted {
            Ok((permit, (tcp, address))) => {
                // Messages are small and should leave at once.
                if let Err(error) = tcp.set_nodelay(true) {
                    tracing::debug!(%error, peer.address = %address.ip(), "TCP_NODELAY was refused");
                }
                match gate.enter(address.ip(), permit) {
                    Ok(place) => return Some((tcp, address, place)),
                    Err(why) => tracing::debug!(peer.address = %address.ip(), why, "a connection was not let in"),
                }
            }
            Err(error) => {
                tracing::warn!(%error, "accepting a connection failed");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Shakes hands in limited time, and not beyond `stop`. What fails by the peer's doing is held against its source.
///
/// # Errors
/// The handshake's, [`io::ErrorKind::TimedOut`], and [`io::ErrorKind::ConnectionAborted`] at `stop`.
pub async fn shake_hands(
    acceptor: &TlsAcceptor,
    tcp: TcpStream,
    place: &Place,
    stop: &CancellationToken,
) -> io::Result<TlsStream<TcpStream>> {
    let shaken = tokio::select! {
        () = stop.cancelled() => return Err(io::ErrorKind::ConnectionAborted.into()),
        shaken = timeout(HANDSHAKE_TIMEOUT, acceptor.accept(tcp)) => shaken,
    };
    match shaken {
        Ok(Ok(tls)) => {
            place.note("accepted");
            Ok(tls)
        }
        Ok(Err(error)) => {
            place.note("handshake_failed");
            // A peer that just goes away is a load balancer's probe, or somebody who thought better of it.
            if !matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset) {
                place.strike(1);
            }
            Err(error)
        }
        Err(_) => {
            place.note("handshake_timeout");
            place.too_slow();
            Err(io::ErrorKind::TimedOut.into())
        }
    }
}
