//! What lies between us and the server, and the server itself: name, connection, TLS, health, clock, login.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tyr_api::auth::Role;

use super::{Finding, stream, tls};
use crate::app::App;
use crate::auth::TokenSource;
use crate::client::{Client, Endpoint};
use crate::error::{Failure, Kind};
use crate::when;

/// From this difference on times that are counted from here mean something else at the server.
const CLOCK_SKEW_MAX: SignedDuration = SignedDuration::from_secs(5);
/// From this time before the end of the session on it is worth a word.
const SESSION_ENDS_SOON: SignedDuration = SignedDuration::from_hours(1);
/// In the order of the checks.
const CHECKS: [&str; 9] = ["dns", "tcp", "tls", "health", "version", "clock", "token", "login", "stream"];

/// Looks at one after the other; `tell` is called whenever something new is known.
pub(super) async fn look(
    app: &App,
    wait: Duration,
    findings: &mut Vec<Finding>,
    mut tell: impl FnMut(&[Finding]) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let why = match app.endpoint() {
        Err(_) => Some("no server is known"),
        Ok(endpoint) => {
            let went_on = reach(&endpoint, findings, &mut tell).await? && health(&endpoint, findings).await;
            tell(findings)?;
            if went_on {
                if login(app, findings).await {
                    tell(findings)?;
                    let client = app.client()?;
                    stream::look(&client, wait, findings).await;
                }
                tell(findings)?;
                Some("not logged in")
            } else {
                Some("what comes before it failed")
            }
        }
    };
    let skipped: Vec<_> = CHECKS
        .into_iter()
        .filter(|check| !findings.iter().any(|finding| finding.check == *check))
        .map(|check| Finding::skip(check, why.unwrap_or_default()))
        .collect();
    findings.extend(skipped);
    tell(findings)
}

/// Name, connection, TLS; whether to go on.
async fn reach(
    endpoint: &Endpoint,
    findings: &mut Vec<Finding>,
    tell: &mut impl FnMut(&[Finding]) -> Result<(), Failure>,
) -> Result<bool, Failure> {
    let host = endpoint.server.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let port = endpoint.server.port_or_known_default().unwrap_or(443);
    let addresses = match timeout(endpoint.timeout, lookup_host((host.as_str(), port))).await {
        Ok(Ok(addresses)) => addresses.collect::<Vec<_>>(),
        Ok(Err(error)) => {
            let failure = Failure::failed(format!("`{host}` has no address")).because(&error);
            findings.push(Finding::fail("dns", &failure.hint("check the name (`--server`, `tyrctl context show`)")));
            return Ok(false);
        }
        Err(_) => {
            let failure = Failure::failed(format!("no answer about `{host}` within {:?}", endpoint.timeout));
            findings.push(Finding::fail(
                "dns",
                &failure.hint("is the name server of this machine (/etc/resolv.conf) reachable?"),
            ));
            return Ok(false);
        }
    };
    let shown: Vec<_> = addresses.iter().map(|address| address.ip().to_string()).collect();
    findings.push(Finding::ok("dns", format!("{host} is {}", shown.join(", "))));
    tell(findings)?;

    let started = Instant::now();
    let connection = match timeout(endpoint.timeout, TcpStream::connect(&addresses[..])).await {
        Ok(Ok(connection)) => connection,
        Ok(Err(error)) => {
            let failure = Failure::failed(format!("no connection to port {port}")).because(&error);
            let hint = "is tyr-server running, is 7701 its REST port, and does a firewall let it through?";
            findings.push(Finding::fail("tcp", &failure.hint(hint)));
            return Ok(false);
        }
        Err(_) => {
            let failure = Failure::failed(format!("no connection to port {port} within {:?}", endpoint.timeout));
            findings.push(Finding::fail("tcp", &failure.hint("a firewall that drops packets looks like this")));
            return Ok(false);
        }
    };
    let peer = connection.peer_addr().map(|peer| peer.to_string()).unwrap_or_default();
    findings.push(Finding::ok("tcp", format!("{peer} in {}", ms(started.elapsed()))));
    tell(findings)?;

    if endpoint.server.scheme() == "http" {
        findings.push(Finding::skip("tls", "an http address, of this machine itself"));
        return Ok(true);
    }
    let finding = match timeout(endpoint.timeout, tls::look(endpoint, &host, connection)).await {
        Ok(finding) => finding,
        Err(_) => Finding::fail("tls", &Failure::failed(format!("no handshake within {:?}", endpoint.timeout))),
    };
    let went_on = finding.state != super::State::Fail;
    findings.push(finding);
    Ok(went_on)
}

/// Health, version and clock; whether it is a tyr-server at all.
async fn health(endpoint: &Endpoint, findings: &mut Vec<Finding>) -> bool {
    let started = Instant::now();
    let open = Endpoint { token: TokenSource::Nowhere, ..endpoint.clone() };
    let client = match Client::new(open) {
        Ok(client) => client,
        Err(failure) => {
            findings.push(Finding::fail("health", &failure));
            return false;
        }
    };
    let health = match client.health().await {
        Ok(health) => health,
        Err(failure) => {
            findings.push(Finding::fail("health", &failure));
            return false;
        }
    };
    let found = format!("status {}, database {}, in {}", health.status, health.db, ms(started.elapsed()));
    findings.push(if health.status == "ok" && health.db == "ok" {
        Finding::ok("health", found)
    } else {
        Finding::fail(
            "health",
            &Failure::failed(found).hint("agents keep their events meanwhile; see the server's log"),
        )
    });
    let ours = env!("CARGO_PKG_VERSION");
    let found = format!("server {}, tyrctl {ours}", health.version);
    findings.push(if health.version == ours {
        Finding::ok("version", found)
    } else {
        Finding::warn("version", found, "some answers may not be understood; use the tyrctl of the server's version")
    });
    findings.push(match client.clock_skew() {
        None => Finding::skip("clock", "the server says no time"),
        Some(skew) => {
            let found = format!(
                "this machine is {} {} the server",
                when::short(skew.abs()),
                if skew.is_negative() { "behind" } else { "ahead of" }
            );
            if skew.abs() <= CLOCK_SKEW_MAX {
                Finding::ok("clock", found)
            } else {
                Finding::warn("clock", found, "times like `--since 1h` count from this clock; is NTP running on both?")
            }
        }
    });
    true
}

/// Token and login; whether the server takes it.
async fn login(app: &App, findings: &mut Vec<Finding>) -> bool {
    let client = match app.client() {
        Ok(client) => client,
        Err(failure) => {
            findings.push(Finding::fail("token", &failure));
            return false;
        }
    };
    let source = &client.endpoint().token;
    match source.read() {
        Ok(Some(_)) => findings.push(Finding::ok("token", format!("from {}", source.describe()))),
        Ok(None) => {
            let failure = Failure::new(Kind::Denied, format!("none: {}", source.describe()));
            findings.push(Finding::fail("token", &failure.hint("`tyrctl login --username NAME`")));
            return false;
        }
        Err(failure) => {
            findings.push(Finding::fail("token", &failure));
            return false;
        }
    }
    match client.me().await {
        Err(failure) => {
            findings.push(Finding::fail("login", &failure));
            false
        }
        Ok(me) => {
            let left = me.expires_at.duration_since(Timestamp::now());
            let role = match me.role {
                Role::Viewer => "viewer",
                Role::Admin => "admin",
            };
            let found = format!("{} [{role}], for another {}", me.username, when::short(left));
            findings.push(if left > SESSION_ENDS_SOON {
                Finding::ok("login", found)
            } else {
                Finding::warn("login", found, "log in again before it ends: `tyrctl login`")
            });
            true
        }
    }
}

pub(super) fn ms(duration: Duration) -> String {
    format!("{} ms", duration.as_millis())
}
