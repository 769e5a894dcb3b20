//! The REST interface: one HTTP client of one server.

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::SignedDuration;
use reqwest::Url;

use crate::auth::{Secret, TokenSource};
use crate::error::{Failure, Kind};

mod request;
mod routes;
pub mod sse;
pub mod trust;

/// Where the server is and how to talk to it.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// `https://host:7701`, without a path.
    pub server: Url,
    /// PEM file with the only authorities to trust; absent for those of the system.
    pub ca_file: Option<std::path::PathBuf>,
    /// Where the access token comes from; read anew for each request.
    pub token: TokenSource,
    /// Limit for one request from start to end, and for the head of a stream's answer.
    pub timeout: Duration,
}

impl Endpoint {
    /// The server's address as people write it.
    pub fn name(&self) -> &str {
        self.server.as_str().trim_end_matches('/')
    }
}

/// A client of one server. Clones share connections.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    http: reqwest::Client,
    endpoint: Endpoint,
    /// Of a login in this very process; goes before the endpoint's own.
    token: Mutex<Option<Secret>>,
    /// Refuse what changes something on the server.
    read_only: bool,
    /// Seconds that our clock is ahead of the server's, as of the last answer; [`SKEW_UNKNOWN`] before the first.
    clock_skew_s: AtomicI64,
}

const SKEW_UNKNOWN: i64 = i64::MIN;

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("server", &self.0.endpoint.server.as_str()).finish_non_exhaustive()
    }
}

impl Client {
    /// A client for that server; nothing is sent yet.
    ///
    /// # Errors
    /// When the CA file can't be read or holds no certificate.
    pub fn new(endpoint: Endpoint) -> Result<Self, Failure> {
        Self::with(endpoint, false)
    }

    /// A client that refuses what changes something on the server, one's own login and password aside.
    ///
    /// # Errors
    /// When the CA file can't be read or holds no certificate.
    pub fn read_only(endpoint: Endpoint) -> Result<Self, Failure> {
        Self::with(endpoint, true)
    }

    fn with(endpoint: Endpoint, read_only: bool) -> Result<Self, Failure> {
        // The one provider of the whole process; a second call finds it in place.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let mut builder = reqwest::Client::builder();
        if let Some(file) = &endpoint.ca_file {
            builder = builder.tls_certs_only(trust::authorities(file)?);
        }
        let http = builder
            .user_agent(concat!("tyrctl/", env!("CARGO_PKG_VERSION")))
            // The token must not follow a redirect to somewhere else, and the server sends none.
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(endpoint.timeout)
            .build()
            .map_err(|error| Failure::failed("the HTTP client could not be made").because(&error))?;
        let clock_skew_s = AtomicI64::new(SKEW_UNKNOWN);
        Ok(Self(Arc::new(Inner { http, endpoint, token: Mutex::new(None), read_only, clock_skew_s })))
    }

    /// Sends this token from now on, whatever the endpoint says.
    pub fn use_token(&self, token: Secret) {
        *self.0.token.lock().unwrap_or_else(PoisonError::into_inner) = Some(token);
    }

    /// How far our clock is ahead of the server's, to the second, as of the last answer.
    pub fn clock_skew(&self) -> Option<SignedDuration> {
        let seconds = self.0.clock_skew_s.load(Ordering::Relaxed);
        (seconds != SKEW_UNKNOWN).then(|| SignedDuration::from_secs(seconds))
    }

    /// Where it talks to.
    pub fn endpoint(&self) -> &Endpoint {
        &self.0.endpoint
    }
}

/// The refusal of a change in a read-only context.
pub fn refused_as_read_only(what: &str) -> Failure {
    Failure::new(Kind::Denied, what)
        .cause("the context in use is read-only")
        .hint("`--context NAME` takes another one, `tyrctl context add NAME --read-only=false` lifts it")
}
