//! What do a thousand readers of the event stream cost the server at 1,000 events/s?
//!
//! ```text
//! cargo bench -p tyr-server --bench sse
//! ```
//!
//! The server runs in a process of its own, with its embedded database and TLS; its CPU time is read from `/proc`. Events are
//! announced in it ten times a second, as the ingest writer does after a commit, so that nothing but the stream is measured.
//! All figures are of one run. Aim: at most half a core more with 1,000 readers than with none.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::Parser;
use jiff::{Timestamp, Unit};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::sync::CancellationToken;
use tyr_api::auth::Credentials;
use tyr_api::events::{Event, EventKind, Severity, Verdict};
use tyr_server::app::App;
use tyr_server::app::auth::{Origin, set_up};
use tyr_server::args::Cli;
use tyr_server::config::Config;
use tyr_server::files;
use tyr_server::serve::Server;
use uuid::Uuid;

const READERS: usize = 1000;
/// Events of one announcement, of which there are ten a second.
const BATCH: usize = 100;
const TICK: Duration = Duration::from_millis(100);
/// How long each case is measured, once it has run for a while.
const SPAN: Duration = Duration::from_secs(20);
const BEFORE: Duration = Duration::from_secs(2);
/// Set in the process that is the server.
const AS_SERVER: &str = "TYR_BENCH_SSE_SERVER";

fn main() {
    // `cargo nextest` and `cargo test --benches` ask for a list, or for a run that need not measure anything.
    if std::env::args().any(|argument| argument == "--list" || argument == "--test") {
        return;
    }
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    files::raise_limit();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    match std::env::var_os(AS_SERVER) {
        Some(folder) => runtime.block_on(serve(&folder.to_string_lossy())),
        None => runtime.block_on(measure()),
    }
}

/// The server, which announces events until its standard input ends.
async fn serve(folder: &str) {
    let arguments = ["tyr-server", "--data-dir", folder, "--rest-bind", "127.0.0.1:0", "--grpc-bind", "127.0.0.1:0"];
    let cli = Cli::try_parse_from(arguments.into_iter().chain(["--sse-streams-per-user", "2000"])).expect("settings");
    let server = Server::start(Config::from(cli.serve)).await.expect("started");
    let app = Arc::clone(server.app());
    let credentials = Credentials { username: "bench".to_owned(), password: Uuid::now_v7().to_string() };
    let session = set_up(&app, &credentials, Origin::default()).await.expect("a session");
    let address = server.rest_address().expect("bound");
    writeln!(std::io::stdout(), "{address} {}", session.token).expect("said");
    let stop = CancellationToken::new();
    let announcing = tokio::spawn(announce(app));
    let end = stop.clone();
    // A thread, as standard input can't be waited for otherwise.
    std::thread::spawn(move || {
        let _ = std::io::stdin().read_line(&mut String::new());
        end.cancel();
    });
    server.run(stop).await.expect("served");
    announcing.abort();
}

async fn announce(app: Arc<App>) {
    let mut ticks = tokio::time::interval(TICK);
    let agent = Uuid::now_v7();
    loop {
        ticks.tick().await;
        let now = Timestamp::now().round(Unit::Microsecond).expect("in range");
        let events: Vec<Event> = (0..BATCH).map(|n| event(agent, now, n)).collect();
        app.live.publish(now, events.len() as u64, events);
    }
}

/// One in ten is a denial.
fn event(agent_id: Uuid, now: Timestamp, n: usize) -> Event {
    Event {
        event_id: Uuid::now_v7(),
        agent_id,
        agent_name: "build-017".to_owned(),
        ts: now,
        received_at: now,
        discovered_agent_id: Some(agent_id),
        agent_type: Some("claude-code".to_owned()),
        kind: EventKind::FileRead,
        resource: format!("/home/alice/project/src/module_{n}/mod.rs"),
        verdict: if n.is_multiple_of(10) { Verdict::Deny } else { Verdict::Allow },
        server_verdict: Some(Verdict::Allow),
        drift_detected: false,
        drift_reason: None,
        severity: Severity::Low,
        rule: Some("sources".to_owned()),
        policy_id: Some("9f2c4e7d1a3b5c6d".to_owned()),
        policy_version: Some(3),
        pid: 4242,
        process_exe: "/usr/bin/node".to_owned(),
        cmdline: "node /usr/lib/node_modules/@anthropic-ai/claude-code/cli.js".to_owned(),
        metadata: [("flags".to_owned(), "O_RDONLY".to_owned())].into(),
    }
}

/// CPU time of a process so far, all threads, user and system.
fn cpu(process: &Child) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", process.id())).expect("a process");
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks: u64 = [11, 12].into_iter().map(|index| fields[index].parse::<u64>().expect("a number")).sum();
    // USER_HZ is 100 on every Linux that we build for.
    Duration::from_millis(ticks * 10)
}

async fn measure() {
    let folder = tempfile::Builder::new().prefix("tyr-bench-sse").tempdir().expect("a folder");
    let mut server = Command::new(std::env::current_exe().expect("this program"))
        .env(AS_SERVER, folder.path())
        .env("RUST_LOG", "warn")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the server starts");
    let mut line = String::new();
    BufReader::new(server.stdout.take().expect("a pipe")).read_line(&mut line).expect("its address");
    let (address, token) = line.trim().split_once(' ').expect("address and token");
    let address: SocketAddr = address.parse().expect("an address");
    let pem = std::fs::read(folder.path().join("ca.pem")).expect("the CA");
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(&pem).expect("a certificate")).expect("added");
    let tls = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let tls = TlsConnector::from(Arc::new(tls));

    let (mut none, mut all) = (0.0, 0.0);
    for (name, readers, query) in [
        ("no reader", 0, ""),
        ("1 reader of everything", 1, ""),
        ("1,000 readers of denials (100 events/s each)", READERS, "?verdict=deny"),
        ("1,000 readers of everything (1,000 events/s each)", READERS, ""),
    ] {
        let (bytes, events) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let stop = CancellationToken::new();
        let mut tasks = Vec::new();
        for _ in 0..readers {
            let stream = open(&tls, address, token, query).await;
            tasks.push(tokio::spawn(read(stream, Arc::clone(&bytes), Arc::clone(&events), stop.clone())));
        }
        tokio::time::sleep(BEFORE).await;
        let (began, before) = (Instant::now(), cpu(&server));
        let (bytes_before, events_before) = (bytes.load(Ordering::Relaxed), events.load(Ordering::Relaxed));
        tokio::time::sleep(SPAN).await;
        let seconds = began.elapsed().as_secs_f64();
        let cores = cpu(&server).saturating_sub(before).as_secs_f64() / seconds;
        #[expect(clippy::cast_precision_loss, reason = "figures for people")]
        let per_second = |now: u64, before: u64| (now - before) as f64 / seconds;
        let events = per_second(events.load(Ordering::Relaxed), events_before);
        let megabytes = per_second(bytes.load(Ordering::Relaxed), bytes_before) / 1e6;
        if readers == 0 {
            none = cores;
        }
        // The last case is the one that the aim is about.
        let more = cores - none;
        all = more;
        let text =
            format!("{name}: {cores:.3} cores ({more:+.3}), {events:.0} events/s and {megabytes:.1} MB/s delivered");
        writeln!(std::io::stdout(), "{text}").expect("said");
        stop.cancel();
        for task in tasks {
            task.await.expect("no panic");
        }
    }
    writeln!(std::io::stdout(), "1,000 readers at 1,000 events/s cost {all:.2} cores more (aim <= 0.5)").expect("said");
    drop(server.stdin.take());
    server.wait().expect("ended");
}

async fn open(tls: &TlsConnector, address: SocketAddr, token: &str, query: &str) -> TlsStream<TcpStream> {
    let tcp = TcpStream::connect(address).await.expect("connected");
    let mut stream = tls.connect(ServerName::try_from("localhost").expect("a name"), tcp).await.expect("a session");
    let request = format!(
        "GET /api/v1/events/stream{query} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut head = [0; 12];
    stream.read_exact(&mut head).await.expect("a head");
    assert_eq!(&head, b"HTTP/1.1 200");
    stream
}

/// Reads to the end and counts: each event has one line that begins with `id:`.
async fn read(
    mut stream: TlsStream<TcpStream>,
    bytes: Arc<AtomicU64>,
    events: Arc<AtomicU64>,
    stop: CancellationToken,
) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let count = tokio::select! {
            count = stream.read(&mut buffer) => count.expect("the stream goes on"),
            () = stop.cancelled() => return,
        };
        assert!(count > 0, "the server ended the stream");
        bytes.fetch_add(count as u64, Ordering::Relaxed);
        // An id that is cut by the end of the buffer is not counted: one in hundreds.
        let mut found = 0;
        let mut rest = &buffer[..count];
        while let Some(at) = rest.iter().position(|byte| *byte == b'\n') {
            rest = &rest[at + 1..];
            found += u64::from(rest.starts_with(b"id: "));
        }
        events.fetch_add(found, Ordering::Relaxed);
    }
}
