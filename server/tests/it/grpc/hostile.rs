//! Who means no good, or is broken: slow and silent sockets, old TLS, damaged and oversized messages, too much of everything.

use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use prost::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;
use tokio_stream::wrappers::ReceiverStream;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::{Code, Status, Streaming};
use tonic_prost::ProstCodec;
use tyr_proto::v1::agent_message::Payload as FromAgent;
use tyr_proto::v1::server_message::Payload as ToAgent;
use tyr_proto::v1::{EventBatch, Record, ServerMessage, record};
use tyr_server::config::AgentRate;
use tyr_server::http;

use super::{Agent, Door, Enrolled};
use crate::stack::{LIMIT, Stack, batch, event};

/// How long a handshake may take.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// Sockets that dribble, on each port.
const DRIBBLERS: usize = 150;

/// The other door of the same server, and a client of it.
async fn rest(door: &Door) -> (SocketAddr, JoinHandle<std::io::Result<()>>, reqwest::Client) {
    // Another test of this process may have been first.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    let task = tokio::spawn(http::serve(Arc::clone(&door.stack.app), listener, door.stop.clone()));
    let ca = reqwest::Certificate::from_pem(door.stack.app.pki.ca_pem().as_bytes()).expect("a certificate");
    let client = reqwest::Client::builder().tls_certs_only([ca]).pool_max_idle_per_host(0).build().expect("a client");
    (address, task, client)
}

#[tokio::test(flavor = "multi_thread")]
async fn hundreds_of_dribbling_sockets_on_both_ports_hold_nobody_up_and_are_let_go() {
    let door = Door::open().await;
    let (rest_address, rest_task, client) = rest(&door).await;
    let health = format!("https://localhost:{}/health", rest_address.port());
    // The first bytes of a TLS record, one at a time; its length is never reached.
    let hello = [0x16, 0x03, 0x01, 0x40, 0x00, 0x01, 0x00, 0x3f, 0xfc, 0x03, 0x03];
    let mut dribblers = Vec::new();
    for _ in 0..DRIBBLERS {
        dribblers.push(TcpStream::connect(("127.0.0.1", door.port)).await.expect("connected"));
        dribblers.push(TcpStream::connect(rest_address).await.expect("connected"));
    }
    let opened = Instant::now();
    let mut slowest = Duration::ZERO;
    for byte in hello {
        for (n, socket) in dribblers.iter_mut().enumerate() {
            // Every third says nothing at all.
            if n % 3 != 0 {
                let written = socket.write_all(&[byte]).await;
                assert!(written.is_ok() || opened.elapsed() > HANDSHAKE_MAX, "closed early: {written:?}");
            }
        }
        let asked = Instant::now();
        assert_eq!(client.get(&health).send().await.expect("an answer").status(), 200);
        slowest = slowest.max(asked.elapsed());
    }
    assert!(slowest < Duration::from_secs(2), "{slowest:?}");
    let enrolled = door.enroll().await;
    door.stream(&enrolled).await.expect("agents get in").greet().await;
    for mut socket in dribblers {
        let mut rest = Vec::new();
        let end = tokio::time::timeout(LIMIT, socket.read_to_end(&mut rest)).await;
        assert!(end.is_ok(), "a socket that never finishes is closed");
    }
    door.close().await;
    tokio::time::timeout(LIMIT, rest_task).await.expect("drained").expect("no panic").expect("no error");
}

#[tokio::test]
async fn a_source_whose_handshakes_keep_failing_is_shut_out_and_others_are_not() {
    let door = Door::open().await;
    let connect = |from: [u8; 4]| async move {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind(SocketAddr::from((from, 0))).expect("a loopback address");
        let port = door.port;
        socket.connect(SocketAddr::from(([127, 0, 0, 1], port))).await.expect("connected")
    };
    let gate = Arc::clone(&door.stack.app.gates.grpc);
    let mut tries = 0;
    while gate.counts().turned_away == 0 {
        tries += 1;
        assert!(tries < 200, "{:?}", gate.counts());
        let mut socket = connect([127, 0, 0, 2]).await;
        let _ = socket.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
        let _ = tokio::time::timeout(LIMIT, socket.read_to_end(&mut Vec::new())).await.expect("closed");
    }
    assert!(tries > 50, "a few failures cost nothing: {tries}");
    let failed = gate.counts().failed;
    // Not even a handshake is tried with it any more.
    let mut socket = connect([127, 0, 0, 2]).await;
    let _ = socket.write_all(b"nonsense").await;
    let _ = tokio::time::timeout(LIMIT, socket.read_to_end(&mut Vec::new())).await.expect("closed");
    assert_eq!(gate.counts().failed, failed);
    let enrolled = door.enroll().await;
    door.stream(&enrolled).await.expect("from another address").greet().await;
    door.close().await;
}

#[expect(clippy::print_stderr, reason = "says by name what can't run here")]
#[tokio::test]
async fn only_tls_1_2_and_1_3_with_aead_suites() {
    if Command::new("openssl").arg("version").output().is_err() {
        let test = std::thread::current().name().unwrap_or("?").to_owned();
        assert!(!std::env::var("CI").is_ok_and(|ci| ci == "true"), "{test} can't run: there is no openssl");
        eprintln!("{test} can't run here: there is no openssl; `./dev test` installs it");
        return;
    }
    let door = Door::open().await;
    let (rest_address, rest_task, _) = rest(&door).await;
    for port in [door.port, rest_address.port()] {
        let agreed = |flags: &'static [&'static str]| async move {
            let mut command = tokio::process::Command::new("openssl");
            command.args(["s_client", "-brief", "-connect", &format!("127.0.0.1:{port}")]).args(flags);
            command.stdin(std::process::Stdio::null()).kill_on_drop(true);
            let output = tokio::time::timeout(LIMIT, command.output()).await.expect("it ends").expect("it runs");
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            (text.contains("CONNECTION ESTABLISHED"), text)
        };
        for good in [
            &["-tls1_3"][..],
            &["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"],
            &["-tls1_2", "-cipher", "ECDHE-ECDSA-CHACHA20-POLY1305"],
            // The very flags of the bad ones below, but for what is bad in them.
            &["-tls1_2", "-cipher", "ALL:@SECLEVEL=0"],
        ] {
            let (ok, text) = agreed(good).await;
            assert!(ok, "{good:?}: {text}");
        }
        for bad in [
            &["-tls1", "-cipher", "ALL:@SECLEVEL=0"][..],
            &["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"],
            &["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0"],
            &["-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-SHA384:@SECLEVEL=0"],
            &["-tls1_2", "-cipher", "AES128-GCM-SHA256:@SECLEVEL=0"],
        ] {
            let (ok, text) = agreed(bad).await;
            assert!(!ok, "{bad:?}: {text}");
            // Our side said no, not openssl's.
            assert!(text.contains("alert"), "{bad:?}: {text}");
        }
    }
    door.close().await;
    tokio::time::timeout(LIMIT, rest_task).await.expect("drained").expect("no panic").expect("no error");
}

/// A message whose event batch is any bytes.
#[derive(Clone, PartialEq, Message)]
struct RawMessage {
    #[prost(bytes = "vec", tag = "2")]
    event_batch: Vec<u8>,
}

/// Opens a stream that sends just this.
async fn send_raw(door: &Door, enrolled: &Enrolled, event_batch: Vec<u8>) -> Streaming<ServerMessage> {
    let channel = door.channel(Some(enrolled)).await;
    let mut grpc = tonic::client::Grpc::new(channel);
    grpc.ready().await.expect("ready");
    let (out, messages) = tokio::sync::mpsc::channel(1);
    out.send(RawMessage { event_batch }).await.expect("room");
    let request = tonic::Request::new(ReceiverStream::new(messages));
    let path = PathAndQuery::from_static("/tyr.v1.AgentService/Stream");
    let codec = ProstCodec::<RawMessage, ServerMessage>::default();
    let response = grpc.streaming(request, path, codec).await.expect("open");
    // The stream is to stay open.
    std::mem::forget(out);
    response.into_inner()
}

/// What the server says of what was sent: an acknowledgement, or the end.
async fn verdict(mut inbound: Streaming<ServerMessage>) -> Result<u64, Status> {
    loop {
        let message = tokio::time::timeout(LIMIT, inbound.message()).await.expect("in time")?;
        if let Some(ToAgent::Ack(ack)) = message.expect("not at its end").payload {
            return Ok(ack.sequence);
        }
    }
}

#[tokio::test]
async fn a_damaged_record_is_set_apart_and_the_others_are_stored() {
    let door = Door::open().await;
    let enrolled = door.enroll().await;
    let marked = |mark: &str| v1_event(mark);
    let sent = EventBatch {
        spool_epoch: vec![5; 16],
        first_sequence: 1,
        records: vec![marked("/good"), marked("/bad!"), marked("/fine")],
    };
    let mut bytes = sent.encode_to_vec();
    let at = bytes.windows(5).position(|five| five == b"/bad!").expect("there");
    bytes[at + 1] = 0xff;
    assert_eq!(verdict(send_raw(&door, &enrolled, bytes).await).await.expect("acknowledged"), 3);
    assert_eq!(door.stack.count("SELECT count(*) FROM events").await, 2);
    assert_eq!(door.stack.count("SELECT count(*) FROM rejected_events WHERE reason LIKE 'no record:%UTF-8%'").await, 1);
    door.close().await;
}

fn v1_event(resource: &str) -> Record {
    Record { record: Some(record::Record::Event(tyr_proto::v1::Event { resource: resource.to_owned(), ..event() })) }
}

#[tokio::test]
async fn what_is_no_message_or_too_large_ends_the_stream_with_a_reason_and_stores_nothing() {
    let door = Door::open().await;
    let enrolled = door.enroll().await;
    let many = EventBatch { spool_epoch: vec![5; 16], first_sequence: 1, records: vec![Record::default(); 5000] };
    for (what, bytes) in [
        ("noise", vec![0xff; 100]),
        ("more than 1 MiB", vec![0; 1024 * 1024 + 1]),
        ("thousands of empty records", many.encode_to_vec()),
    ] {
        let status = verdict(send_raw(&door, &enrolled, bytes).await).await.expect_err(what);
        assert_eq!(status.code(), Code::InvalidArgument, "{what}: {status}");
    }
    assert_eq!(door.stack.count("SELECT count(*) FROM events").await, 0);
    assert_eq!(door.stack.count("SELECT count(*) FROM rejected_events").await, 0);
    // The agent is as welcome as before.
    door.stream(&enrolled).await.expect("open").greet().await;
    door.close().await;
}

#[tokio::test]
async fn an_agent_above_its_rate_is_read_slower_and_loses_nothing() {
    const RECORDS: u32 = 100;
    let rate = AgentRate { records_per_s: RECORDS, bytes_per_s: 1 << 20 };
    let door = Door::of(Stack::with(|config| config.agent_rate = rate).await).await;
    let (greedy, modest) = (door.enroll().await, door.enroll().await);
    let mut stream: Agent = door.stream(&greedy).await.expect("open");
    let mut other = door.stream(&modest).await.expect("open");
    stream.greet().await;
    other.greet().await;
    let begun = Instant::now();
    // Four seconds' worth; one second's may pass at once, and the greeting has used that up.
    for _ in 0..4 {
        let mut sent = batch((0..RECORDS).map(|_| event()).collect());
        sent.first_sequence = 1;
        stream.send(FromAgent::EventBatch(sent)).await;
    }
    other.send(FromAgent::EventBatch(batch(vec![event()]))).await;
    for _ in 0..4 {
        stream.next().await.expect("an ack");
    }
    let took = begun.elapsed();
    assert!(took > Duration::from_secs(2), "{took:?}");
    other.next().await.expect("others are not slowed down");
    assert_eq!(door.stack.count("SELECT count(*) FROM events").await, i64::from(4 * RECORDS) + 1);
    drop((stream, other));
    door.close().await;
}
