//! `tyrctl doctor` against servers that are well, unwell, and none.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use insta::assert_snapshot;
use jiff::{SignedDuration, Timestamp};
use portable_pty::PtySize;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};

use crate::double::{Answers, Double, answer, id};
use crate::terminal::Terminal;

fn answers() -> Answers {
    let until = (Timestamp::now() + SignedDuration::from_hours(24)).to_string();
    Answers::fleet()
        .with("GET /health", 200, &json!({"status": "ok", "db": "ok", "version": env!("CARGO_PKG_VERSION")}))
        .with(
            "GET /api/v1/auth/me",
            200,
            &json!({"user_id": id(41), "username": "alice", "role": "admin",
            "session_id": id(42), "expires_at": until}),
        )
        .with(
            "GET /api/v1/snapshot",
            200,
            &json!({"now": until, "version": "0.1.0", "stale_after_s": 90, "agents": [],
            "discovered_agents": [], "events": [], "drifts": [], "drifts_1d": 0, "rates": [], "cursor": "c-1"}),
        )
}

/// Answers, and a stream that says something.
fn double(answers: Answers, stream: &'static str) -> Double {
    Double::serve(move |requests| {
        let routes = Router::new().route(
            "/api/v1/events/stream",
            get(move |headers: axum::http::HeaderMap| async move {
                let cursor = headers.get("last-event-id").map_or("none", |id| id.to_str().expect("ASCII"));
                requests.lock().expect("no panic").push(format!("stream after {cursor}"));
                ([("content-type", "text/event-stream")], stream)
            }),
        );
        routes.fallback(move |request: axum::extract::Request| {
            let answers = answers.clone();
            async move { answer(&answers, &format!("{} {}", request.method(), request.uri().path())) }
        })
    })
}

/// Times and ports are never the same.
fn settled(text: &str) -> String {
    let mut settled = String::new();
    for line in text.lines() {
        let mut words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        for n in 0..words.len() {
            if n + 1 < words.len() && words[n + 1] == "ms" {
                "[n]".clone_into(&mut words[n]);
            }
            if words[n].starts_with("127.0.0.1:") {
                "[address]".clone_into(&mut words[n]);
            }
        }
        let line = words.join(" ");
        // A second may pass between the two clocks' readings.
        let line = if line.starts_with("ok    clock ") { "ok    clock      [skew]" } else { line.trim_end() };
        settled.push_str(line);
        settled.push('\n');
    }
    settled
}

#[test]
fn a_healthy_setup_is_ok_from_end_to_end() {
    let double = double(answers(), ": hello\n\n");
    assert_snapshot!(settled(&double.run(&["doctor"])), @"
    exit 0
    --- stdout
    ok    config     [config]/tyr/config.toml is not there; flags and environment alone
    ok    folder     [config]/tyr, mode 0700
    ok    context    default: [server], trusts the authorities of the system
    ok    proxy      none
    skip  cache      no names for completion are kept in [config]/cache/tyr/names
    skip  terminal   standard output is none
    skip  answers    there is no terminal to ask
    ok    dns        127.0.0.1 is 127.0.0.1
    ok    tcp        [address] in [n] ms
    skip  tls        an http address, of this machine itself
    ok    health     status ok, database ok, in [n] ms
    ok    version    server 0.1.0, tyrctl 0.1.0
    ok    clock      [skew]
    ok    token      from [config]/tyr/token
    ok    login      alice [admin], for another 23h59m
    ok    stream     opened in [n] ms
    ok    alive      a comment after [n] ms
    ok    resume     the server goes on after the last event
    ");
    assert_eq!(double.requests(), ["stream after none", "stream after c-1"]);
    let json = double.stdout(&["doctor", "-o", "json"]);
    assert!(!json.contains("stored-token"), "no secrets: {json}");
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!((&json[0]["check"], &json[0]["state"]), (&json!("config"), &json!("ok")));
}

#[test]
fn what_is_wrong_fails_with_a_hint_and_the_rest_is_skipped() {
    let double = double(
        answers().with("GET /api/v1/auth/me", 401, &crate::double::error("expired", "the token expired", None)),
        "",
    );
    assert_snapshot!(settled(&double.run(&["doctor"])), @"
    exit 1
    --- stdout
    ok    config     [config]/tyr/config.toml is not there; flags and environment alone
    ok    folder     [config]/tyr, mode 0700
    ok    context    default: [server], trusts the authorities of the system
    ok    proxy      none
    skip  cache      no names for completion are kept in [config]/cache/tyr/names
    skip  terminal   standard output is none
    skip  answers    there is no terminal to ask
    ok    dns        127.0.0.1 is 127.0.0.1
    ok    tcp        [address] in [n] ms
    skip  tls        an http address, of this machine itself
    ok    health     status ok, database ok, in [n] ms
    ok    version    server 0.1.0, tyrctl 0.1.0
    ok    clock      [skew]
    ok    token      from [config]/tyr/token
    fail  login      the token expired
    skip  stream     not logged in
    ");
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        format!("http://{}", listener.local_addr().expect("bound"))
    };
    let said = double.run(&["doctor", "--server", &closed]);
    assert!(said.starts_with("exit 1\n") && said.contains("fail  tcp "), "{said}");
    assert!(said.contains("skip  health     what comes before it failed"), "{said}");
    std::fs::write(double.config().join("config.toml"), "nonsense = 1\n").expect("written");
    let said = double.run(&["doctor"]);
    assert!(said.starts_with("exit 1\n") && said.contains("fail  config") && said.contains("ok    health"), "{said}");
    assert!(double.run(&["doctor", "--server", ""]).contains("no server is known"));
}

#[test]
fn names_for_completion_have_an_age() {
    let double = double(answers(), ": hello\n\n");
    let mut shell = double.command(&["--", "tyrctl", "agent", "show", ""]);
    let offered = shell.env("COMPLETE", "fish").output().expect("it runs");
    assert!(String::from_utf8_lossy(&offered.stdout).contains("build-017"));
    let said = double.run(&["doctor"]);
    assert!(said.contains("ok    cache      names for completion, fetched "), "{said}");
    assert!(said.contains(" ago, in [config]/cache/tyr/names"), "{said}");
}

const SIZE: PtySize = PtySize { rows: 40, cols: 160, pixel_width: 0, pixel_height: 0 };

#[test]
fn a_terminal_is_asked_what_it_can() {
    let double = double(answers(), ": hello\n\n");
    let mut terminal = Terminal::start(&double, &["doctor"], SIZE, &[("COLORTERM", "truecolor")]);
    // The last question is the one that every terminal answers.
    terminal.wait("the questions", |shown, _| shown.was_sent("\u{1b}[?2026$p") && shown.was_sent("\u{1b}[c"));
    terminal.press("\u{1b}[?2026;2$y\u{1b}]11;rgb:ffff/ffff/ffff\u{7}\u{1b}[7;3R\u{1b}[?62;52c");
    let (code, left) = terminal.ended();
    assert_eq!(code, 0, "{left}");
    assert!(left.contains("terminal   160x40, TERM=xterm-256color, 16 million colours, UTF-8\n"), "{left}");
    assert!(
        left.contains(
            "answers    whole frames: yes, copying (OSC 52): yes, kitty keyboard: no, background: light, a wide character takes 2\n"
        ),
        "{left}"
    );
    assert!(!left.contains('世') && !left.contains("2026"), "nothing of it is left on the screen: {left}");
}

#[test]
fn a_terminal_that_answers_nothing_is_not_waited_for_long() {
    let double = double(answers(), ": hello\n\n");
    let (code, left) = Terminal::start(&double, &["doctor"], SIZE, &[]).ended();
    assert!(code == 0 && left.contains("skip  answers    none within 2 s\n"), "{left}");
    let (code, left) = Terminal::start(&double, &["doctor"], SIZE, &[("TERM", "dumb")]).ended();
    assert!(code == 0 && left.contains("skip  answers    a terminal of this TERM is not asked\n"), "{left}");
}

/// A TLS server that answers `/health`, with a certificate for these names.
fn tls(names: &[&str], ends_in: SignedDuration) -> (u16, String) {
    let key = || KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key");
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.distinguished_name.push(DnType::CommonName, "Tyr test authority");
    let authority_key = key();
    let authority_pem = authority.self_signed(&authority_key).expect("signed").pem();
    let issuer = Issuer::new(authority, authority_key);
    let mut leaf =
        CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).expect("names");
    let end = (Timestamp::now() + ends_in).to_zoned(jiff::tz::TimeZone::UTC);
    let (year, month, day) = (i32::from(end.year()), end.month().unsigned_abs(), end.day().unsigned_abs());
    leaf.not_before = rcgen::date_time_ymd(2020, 1, 1);
    leaf.not_after = rcgen::date_time_ymd(year, month, day);
    let leaf_key = key();
    let certificate = leaf.signed_by(&leaf_key, &issuer).expect("signed");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(leaf_key.serialize_der()));
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)
        .expect("a certificate with its key");
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let server = ServerConnection::new(Arc::clone(&config)).expect("a connection");
            let mut stream = StreamOwned::new(server, connection.expect("a connection"));
            // Whoever only looks at the certificate asks for nothing.
            if stream.read(&mut [0; 4096]).is_ok_and(|bytes| bytes > 0) {
                let body = format!("{{\"status\":\"ok\",\"db\":\"ok\",\"version\":\"{}\"}}", env!("CARGO_PKG_VERSION"));
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
                let _ = stream.write_all(format!("{head}{body}").as_bytes()).and_then(|()| stream.flush());
            }
        }
    });
    (port, authority_pem)
}

fn doctor_of_tls(names: &[&str], ends_in: SignedDuration, trusted: bool) -> String {
    let double = Double::start(Answers::default());
    let (port, pem) = tls(names, ends_in);
    let authorities = if trusted { pem } else { tls(names, ends_in).1 };
    let file = double.config().join("ca.pem");
    std::fs::write(&file, authorities).expect("written");
    let server = format!("https://localhost:{port}");
    let said =
        double.run(&["doctor", "--server", &server, "--ca-file", file.to_str().expect("UTF-8"), "--timeout", "5s"]);
    said.lines().filter(|line| line.contains("  tls ") || line.contains("  health ")).collect::<Vec<_>>().join("\n")
}

#[test]
fn certificates_are_shown_trusted_or_not() {
    let month = SignedDuration::from_hours(30 * 24);
    let good = doctor_of_tls(&["localhost", "127.0.0.1", "tyr.example.com"], month, true);
    assert!(
        good.starts_with(
            "ok    tls        for localhost 127.0.0.1 tyr.example.com, issued by CN=Tyr test authority, valid until "
        ),
        "{good}"
    );
    assert!(good.contains(", 1 in the chain\nok    health "), "{good}");
    let soon = doctor_of_tls(&["localhost"], SignedDuration::from_hours(72), true);
    assert!(soon.starts_with("warn  tls        for localhost"), "{soon}");
    for (names, ends_in, trusted, why) in [
        (&["localhost"][..], month, false, "is not trusted"),
        (&["elsewhere.example"], month, true, "for elsewhere.example"),
        (&["localhost"], SignedDuration::from_hours(-72), true, "is not trusted"),
    ] {
        let bad = doctor_of_tls(names, ends_in, trusted);
        assert!(bad.starts_with("fail  tls ") && bad.contains(why), "{why}: {bad}");
        assert!(bad.contains("issued by CN=Tyr test authority"), "what was shown is said: {bad}");
        assert!(bad.contains("skip  health     what comes before it failed"), "{bad}");
    }
}
