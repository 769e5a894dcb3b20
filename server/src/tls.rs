//! rustls configurations of both ports.

use std::sync::Arc;

use rustls::ServerConfig;

/// One configuration per port.
#[derive(Debug)]
pub struct TlsConfigs {
    /// REST and SSE; `None` behind a TLS proxy.
    pub rest: Option<Arc<ServerConfig>>,
    /// gRPC: asks for a client certificate and accepts none.
    pub grpc: Arc<ServerConfig>,
}
