//! The listener itself: TLS, both versions of HTTP, draining.

use std::time::Duration;

use axum::Router;
use reqwest::{Certificate, Version};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tyr_server::accept::{Gate, IdleLimits, Limits, Timed};
use tyr_server::http::serve::{self, Ends, Remote};

use super::harness::{LIMIT, Rest};

fn client(rest: &Rest) -> reqwest::ClientBuilder {
    let ca = Certificate::from_pem(rest.app.pki.ca_pem().as_bytes()).expect("a certificate");
    reqwest::Client::builder().tls_certs_only([ca])
}

#[tokio::test]
async fn speaks_both_versions_of_http_over_tls() {
    let rest = Rest::with_tls(true).await;
    let url = format!("https://localhost:{}/health", rest.address.port());
    for (client, version) in [(client(&rest), Version::HTTP_2), (client(&rest).http1_only(), Version::HTTP_11)] {
        let response = client.build().expect("a client").get(&url).send().await.expect("an answer");
        assert_eq!((response.status().as_u16(), response.version()), (200, version));
    }
    let ca = client(&rest).build().expect("a client").get(url.replace("health", "api/v1/ca.pem")).send().await;
    assert_eq!(ca.expect("an answer").text().await.expect("text"), rest.app.pki.ca_pem());
    let stranger = reqwest::Client::builder().tls_certs_only([]).build().expect("a client");
    assert!(stranger.get(&url).send().await.is_err(), "the CA is not known to everybody");
    rest.stop().await;
}

#[tokio::test]
async fn http_on_the_tls_port_is_closed_without_harm() {
    let rest = Rest::with_tls(true).await;
    let mut plain = TcpStream::connect(rest.address).await.expect("connected");
    plain.write_all(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n").await.expect("sent");
    let mut answer = Vec::new();
    let _ = timeout(LIMIT, plain.read_to_end(&mut answer)).await.expect("closed");
    assert!(!answer.starts_with(b"HTTP/"));
    let url = format!("https://localhost:{}/health", rest.address.port());
    assert!(client(&rest).build().expect("a client").get(url).send().await.is_ok());
    rest.stop().await;
}

#[tokio::test]
async fn a_connection_without_a_request_is_closed() {
    // The beginning of HTTP/2's preface, which hyper would wait for the rest of without end.
    for said in [&b""[..], b"PRI * HT", b"GET /health HT"] {
        let (mut client, server) = tokio::io::duplex(1024);
        client.write_all(said).await.expect("sent");
        let limit = Duration::from_millis(50);
        let address = [127, 0, 0, 1].into();
        let gate = Gate::new(Limits::new(8, None));
        let place = gate.enter(address, gate.permit().await).expect("room");
        let timed = Timed::new(server, place, IdleLimits { unproved: limit, proved: LIMIT });
        let ends = Ends { stop: CancellationToken::new(), cut: CancellationToken::new() };
        let talk = serve::talk(timed, Remote { address, trusted_proxies: [].into() }, Router::new(), ends);
        timeout(LIMIT, talk).await.expect("given up");
    }
}
