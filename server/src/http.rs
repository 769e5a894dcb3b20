//! The door for people and scripts: REST and SSE.

pub mod agent_types;
pub mod agents;
pub mod alerts;
pub mod assignments;
pub mod audit;
pub mod auth;
pub mod ca;
pub mod db;
pub mod discovered_agents;
pub mod error;
pub mod etag;
pub mod events;
pub mod health;
pub mod json;
pub mod layers;
pub mod metrics;
pub mod openapi;
pub mod params;
pub mod path;
pub mod policies;
pub mod router;
pub mod serve;
pub mod snapshot;
pub mod stats;
pub mod stream;
pub mod tokens;
pub mod users;
pub mod who;

use std::io;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::app::App;

/// Serves REST and SSE (over TLS if `app.tls.rest` is there) until `shutdown`, then ends streams and drains requests.
///
/// # Errors
/// None at present: what fails later is logged and retried.
pub async fn serve(app: Arc<App>, listener: TcpListener, shutdown: CancellationToken) -> io::Result<()> {
    let entrance = serve::Entrance {
        gate: Arc::clone(&app.gates.rest),
        tls: app.tls.rest.clone(),
        trusted_proxies: app.config.doors.trusted_proxies.clone().into(),
    };
    let routes = router::router(app, shutdown.clone());
    serve::serve(listener, entrance, routes, shutdown).await;
    Ok(())
}
