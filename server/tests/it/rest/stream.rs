//! The event stream.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures_util::StreamExt;
use jiff::{SignedDuration, Timestamp};
use reqwest::Response;
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tyr_api::events::{Event, EventKind, Verdict};
use tyr_server::app::audit::Actor;
use tyr_server::app::users;
use uuid::Uuid;

use super::harness::{Answer, LIMIT, Rest, event};

const STREAM: &str = "/api/v1/events/stream";

/// A frame of the stream, read by the letter of the standard.
#[derive(Debug, Default, PartialEq)]
struct Frame {
    event: Option<String>,
    id: Option<String>,
    data: String,
    comment: Option<String>,
    retry: Option<String>,
}

struct Reader {
    response: Response,
    buffer: Vec<u8>,
}

impl Reader {
    async fn open(rest: &Rest, token: &str, query: &str, last_event_id: Option<&str>) -> Self {
        let mut request = rest.client.get(rest.url(&format!("{STREAM}{query}"))).bearer_auth(token);
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id);
        }
        let response = request.send().await.expect("an answer");
        assert_eq!(response.status().as_u16(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let mut reader = Self { response, buffer: Vec::new() };
        // The reader is subscribed before its head is sent.
        assert!(reader.frame().await.expect("a frame").retry.is_some());
        reader
    }

    /// The next frame; none: the stream ended.
    async fn frame(&mut self) -> Option<Frame> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|pair| pair == b"\n\n") {
                let text = String::from_utf8(self.buffer.drain(..end + 2).collect()).expect("UTF-8");
                return Some(parse(&text));
            }
            let chunk = timeout(LIMIT, self.response.chunk()).await.expect("a frame in time").expect("a sound stream");
            self.buffer.extend_from_slice(&chunk?);
        }
    }

    /// The next frame that is no comment and no retry.
    async fn next(&mut self) -> Option<Frame> {
        loop {
            let frame = self.frame().await?;
            if !frame.data.is_empty() {
                return Some(frame);
            }
        }
    }

    /// The next event.
    async fn event(&mut self) -> (String, Event) {
        let frame = self.next().await.expect("an event");
        assert_eq!(frame.event, None, "{frame:?}");
        (frame.id.expect("an id"), serde_json::from_str(&frame.data).expect("an event"))
    }

    /// Reads to the end and gives the last comment.
    async fn end(&mut self) -> Option<String> {
        let mut last = None;
        while let Some(frame) = self.frame().await {
            last = frame.comment.or(last);
        }
        last
    }
}

fn parse(text: &str) -> Frame {
    let mut frame = Frame::default();
    for line in text.lines().filter(|line| !line.is_empty()) {
        let (field, value) = line.split_once(": ").expect("a field");
        let value = value.to_owned();
        match field {
            "event" => frame.event = Some(value),
            "id" => frame.id = Some(value),
            "data" => frame.data += &value,
            "retry" => frame.retry = Some(value),
            "" => frame.comment = Some(value),
            _ => panic!("no field of the standard: {line:?}"),
        }
    }
    frame
}

fn some_events(agent: Uuid, count: usize) -> Vec<Event> {
    (0..count).map(|_| event(agent, "one", EventKind::Exec, Verdict::Allow)).collect()
}

#[tokio::test]
async fn events_come_as_they_are_stored_with_every_field() {
    let rest = Rest::start().await;
    let viewer = rest.session("viewer").await.1;
    let agent = rest.agent("one").await;
    rest.store(some_events(agent, 3)).await;
    let mut reader = Reader::open(&rest, &viewer, "", None).await;
    let stored = rest.store(some_events(agent, 2)).await;
    for expected in &stored {
        let (id, event) = reader.event().await;
        assert_eq!(&event, expected);
        assert_eq!(id, format!("{}-{}", event.received_at.as_microsecond(), event.event_id));
    }
    drop(reader);
    rest.stop().await;
}

#[tokio::test]
async fn filters_are_those_of_the_list() {
    let rest = Rest::start().await;
    let viewer = rest.session("viewer").await.1;
    let (one, two) = (rest.agent("one").await, rest.agent("two").await);
    let mut by_verdict = Reader::open(&rest, &viewer, "?verdict=deny", None).await;
    let mut by_agent = Reader::open(&rest, &viewer, &format!("?agent_id={two}&kind=exec"), None).await;
    let deny = event(one, "one", EventKind::NetConnect, Verdict::Deny);
    let exec = event(two, "two", EventKind::Exec, Verdict::Allow);
    let read = event(two, "two", EventKind::FileRead, Verdict::Allow);
    rest.store(vec![read, deny.clone()]).await;
    rest.store(vec![exec.clone()]).await;
    assert_eq!(by_verdict.event().await.1.event_id, deny.event_id);
    assert_eq!(by_agent.event().await.1.event_id, exec.event_id);
    drop((by_verdict, by_agent));
    rest.stop().await;
}

#[tokio::test]
async fn a_reader_that_comes_back_gets_each_event_exactly_once() {
    let rest = Rest::start().await;
    let viewer = rest.session("viewer").await.1;
    let agent = rest.agent("one").await;
    let mut expected = Vec::new();
    let mut seen = Vec::new();
    let mut last: Option<String> = Some("0-00000000-0000-0000-0000-000000000000".to_owned());
    for round in 0..5 {
        // Stored while nobody reads, by a batch that was half read, and while reading.
        expected.extend(rest.store(some_events(agent, 7)).await);
        let by_query = format!("?last_event_id={}", last.as_deref().expect("set above"));
        let mut reader = match round % 2 {
            0 => Reader::open(&rest, &viewer, "", last.as_deref()).await,
            _ => Reader::open(&rest, &viewer, &by_query, None).await,
        };
        expected.extend(rest.store(some_events(agent, 3)).await);
        let left = expected.len() - seen.len();
        for _ in 0..left - round {
            let (id, event) = reader.event().await;
            seen.push(event.event_id);
            last = Some(id);
        }
    }
    let mut reader = Reader::open(&rest, &viewer, "", last.as_deref()).await;
    while seen.len() < expected.len() {
        seen.push(reader.event().await.1.event_id);
    }
    assert_eq!(seen, expected.iter().map(|event| event.event_id).collect::<Vec<_>>());
    drop(reader);
    rest.stop().await;
}

#[tokio::test]
async fn a_replay_obeys_the_filters() {
    let rest = Rest::start().await;
    let viewer = rest.session("viewer").await.1;
    let agent = rest.agent("one").await;
    let deny = event(agent, "one", EventKind::Exec, Verdict::Deny);
    let start = "0-00000000-0000-0000-0000-000000000000";
    rest.store([some_events(agent, 5), vec![deny.clone()]].concat()).await;
    let mut reader = Reader::open(&rest, &viewer, "?verdict=deny", Some(start)).await;
    assert_eq!(reader.event().await.1.event_id, deny.event_id);
    drop(reader);
    rest.stop().await;
}

#[tokio::test]
async fn a_replay_beyond_its_bound_ends_in_a_gap_and_goes_on_live() {
    let rest = Rest::start().await;
    let viewer = rest.session("viewer").await.1;
    let agent = rest.agent("one").await;
    for _ in 0..3 {
        rest.store(some_events(agent, 3500)).await;
    }
    let mut reader = Reader::open(&rest, &viewer, "", Some("0-00000000-0000-0000-0000-000000000000")).await;
    for _ in 0..10_000 {
        reader.event().await;
    }
    let gap = reader.next().await.expect("a gap");
    assert_eq!((gap.event.as_deref(), gap.id), (Some("gap"), None));
    assert_eq!(serde_json::from_str::<Value>(&gap.data).expect("JSON")["missed"], Value::Null);
    let next = rest.store(some_events(agent, 1)).await;
    assert_eq!(reader.event().await.1, next[0]);
    drop(reader);
    rest.stop().await;
}

#[tokio::test]
async fn a_slow_reader_is_told_how_many_events_it_missed_and_holds_nobody_up() {
    let rest = Rest::start().await;
    let viewer = rest.session("viewer").await.1;
    let agent = rest.agent("one").await;
    let mut slow = Reader::open(&rest, &viewer, "", None).await;
    // Large events fill what lies between: the queue, hyper's buffer, the socket's. Announced without being stored, as
    // only the live side is looked at, and faster than anybody reads.
    let large = "x".repeat(60_000);
    let batches = 3000_u64;
    for _ in 0..batches {
        let mut batch = some_events(agent, 2);
        batch[0].resource.clone_from(&large);
        let received_at = Timestamp::now();
        for event in &mut batch {
            event.received_at = received_at;
        }
        rest.app.live.publish(received_at, 2, batch);
        tokio::task::yield_now().await;
    }
    let (mut events, mut missed) = (0, 0);
    while events + missed < batches * 2 {
        let frame = slow.next().await.expect("a frame");
        match frame.event.as_deref() {
            None => events += 1,
            Some("gap") => {
                let gap: Value = serde_json::from_str(&frame.data).expect("JSON");
                missed += gap["missed"].as_u64().expect("a number");
                let since: Timestamp = gap["since"].as_str().expect("text").parse().expect("an instant");
                assert!(since < Timestamp::now() - SignedDuration::from_secs(59));
            }
            Some(other) => panic!("{other}"),
        }
    }
    assert_eq!(events + missed, batches * 2);
    assert!(missed > 0, "nothing was missed: the reader was not slow enough for this test to say anything");
    drop(slow);
    rest.stop().await;
}

#[tokio::test]
async fn a_reader_that_takes_nothing_is_cut_off() {
    let rest = Rest::start().await;
    let viewer = rest.session("viewer").await.1;
    let agent = rest.agent("one").await;
    let mut socket = TcpStream::connect(rest.address).await.expect("connected");
    let request = format!("GET {STREAM} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {viewer}\r\n\r\n");
    socket.write_all(request.as_bytes()).await.expect("sent");
    // Subscribed once the head is there; from now on nothing is read.
    socket.readable().await.expect("a head");
    let large = "x".repeat(60_000);
    let mut count = 0_u64;
    let mut pace = tokio::time::interval(Duration::from_millis(100));
    let closed = timeout(Duration::from_mins(1), async {
        // The server's end is gone when the kernel lists it no more.
        while is_open(socket.local_addr().expect("bound"), rest.address) {
            let mut batch = some_events(agent, 1);
            batch[0].resource.clone_from(&large);
            batch[0].received_at = Timestamp::now();
            rest.app.live.publish(batch[0].received_at, 1, batch);
            count += 1;
            pace.tick().await;
        }
    });
    let began = std::time::Instant::now();
    closed.await.expect("cut off");
    assert!(began.elapsed() > Duration::from_secs(29), "cut off too early: {:?} after {count}", began.elapsed());
    drop(socket);
    rest.stop().await;
}

/// Whether the server's side of a loopback connection exists and is established.
fn is_open(client: SocketAddr, server: SocketAddr) -> bool {
    let hex = |address: SocketAddr| {
        let IpAddr::V4(ip) = address.ip() else { panic!("an IPv4 loopback address") };
        format!("{:08X}:{:04X}", u32::from_ne_bytes(ip.octets()), address.port())
    };
    let wanted = format!("{} {} 01", hex(server), hex(client));
    std::fs::read_to_string("/proc/net/tcp").expect("a list of sockets").lines().any(|line| line.contains(&wanted))
}

#[tokio::test]
async fn dashboards_get_named_events_that_do_not_move_the_cursor() {
    let rest = Rest::start().await;
    let viewer = rest.session("viewer").await.1;
    let agent = rest.agent("one").await;
    rest.app.fleet.add(agent, Timestamp::now());
    let stop = tokio_util::sync::CancellationToken::new();
    let fleet = tokio::spawn(tyr_server::app::fleet::run(std::sync::Arc::clone(&rest.app), stop.clone()));
    let mut all = Reader::open(&rest, &viewer, "?include=stats,agents", None).await;
    let mut some = Reader::open(&rest, &viewer, "?include=stats", None).await;
    rest.app.fleet.seen(agent, None);
    rest.app.fleet.changed(agent);
    let frame = loop {
        let frame = all.next().await.expect("a frame");
        if frame.event.as_deref() == Some("agents") {
            break frame;
        }
    };
    assert_eq!(frame.id, None);
    let agents: Vec<tyr_api::agents::Agent> = serde_json::from_str(&frame.data).expect("agents");
    assert_eq!(agents.iter().map(|agent| agent.agent_id).collect::<Vec<_>>(), [agent]);
    for _ in 0..3 {
        let frame = some.next().await.expect("a frame");
        assert_eq!((frame.event.as_deref(), frame.id), (Some("stats"), None));
        let stats: tyr_api::stream::StreamStats = serde_json::from_str(&frame.data).expect("counters");
        assert_eq!(stats.agents_by_liveness.values().sum::<u64>(), 1);
    }
    drop((all, some));
    stop.cancel();
    fleet.await.expect("no panic");
    rest.stop().await;
}

/// Lets this process have as many files open as the system lets it.
fn raise_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }).expect("raised");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_readers_over_tls_get_every_event() {
    const READERS: usize = 1000;
    raise_file_limit();
    let rest = Rest::make(true, |config| config.sse_streams_per_user = 2000).await;
    let viewer = rest.session("viewer").await.1;
    let agent = rest.agent("one").await;
    let ca = reqwest::Certificate::from_pem(rest.app.pki.ca_pem().as_bytes()).expect("a certificate");
    // A connection for each, as a thousand programs would have.
    let client = reqwest::Client::builder().tls_certs_only([ca]).http1_only().build().expect("a client");
    let url = format!("https://localhost:{}{STREAM}", rest.address.port());
    let open = (0..READERS).map(|n| {
        let query = ["", "?verdict=deny", "?kind=exec"][n % 3];
        let request = client.get(format!("{url}{query}")).bearer_auth(&viewer);
        async move {
            let response = request.send().await.expect("an answer");
            assert_eq!(response.status().as_u16(), 200);
            let mut reader = Reader { response, buffer: Vec::new() };
            assert!(reader.frame().await.expect("a frame").retry.is_some());
            (query, reader)
        }
    });
    let readers: Vec<_> = futures_util::stream::iter(open).buffer_unordered(32).collect().await;
    assert_eq!(readers.len(), READERS);
    let mut expected = Vec::new();
    for _ in 0..10 {
        let mut batch = some_events(agent, 5);
        batch[1].verdict = Verdict::Deny;
        batch[2].kind = EventKind::FileRead;
        expected.extend(rest.store(batch).await);
    }
    let reading = readers.into_iter().map(|(query, mut reader)| {
        let wanted: Vec<Uuid> = expected
            .iter()
            .filter(|event| query != "?verdict=deny" || event.verdict == Verdict::Deny)
            .filter(|event| query != "?kind=exec" || event.kind == EventKind::Exec)
            .map(|event| event.event_id)
            .collect();
        async move {
            let mut got = Vec::new();
            while got.len() < wanted.len() {
                got.push(reader.event().await.1.event_id);
            }
            assert_eq!(got, wanted, "{query}");
            reader
        }
    });
    let readers = futures_util::future::join_all(reading).await;
    drop(readers);
    rest.stop().await;
}

#[tokio::test]
async fn a_removed_user_is_out_within_seconds() {
    let rest = Rest::start().await;
    let (user_id, viewer) = rest.session("viewer").await;
    let mut reader = Reader::open(&rest, &viewer, "", None).await;
    users::delete(&rest.app, user_id, &Actor::environment()).await.expect("deleted");
    let end = timeout(Duration::from_secs(10), reader.end()).await.expect("ended");
    assert_eq!(end.as_deref(), Some("the session has ended"));
    rest.stop().await;
}

#[tokio::test]
async fn streams_end_cleanly_when_the_server_stops() {
    let rest = Rest::start().await;
    let viewer = rest.session("viewer").await.1;
    let mut reader = Reader::open(&rest, &viewer, "", None).await;
    rest.ask_to_stop();
    let farewell = reader.frame().await.expect("a frame");
    assert_eq!(farewell.retry.as_deref(), Some("3000"));
    assert_eq!(reader.end().await.as_deref(), Some("the server stops"));
    rest.stop().await;
}

#[tokio::test]
async fn a_reader_that_is_behind_is_told_of_the_stop_too() {
    let rest = Rest::start().await;
    let viewer = rest.session("viewer").await.1;
    let agent = rest.agent("one").await;
    let mut behind = Reader::open(&rest, &viewer, "", None).await;
    // More than all buffers between here and there hold, in less than what a reader misses events for.
    let mut batch = some_events(agent, 500);
    for event in &mut batch {
        event.resource = "x".repeat(60_000);
    }
    rest.app.live.publish(batch[0].received_at, 500, batch);
    behind.event().await;
    rest.ask_to_stop();
    assert_eq!(behind.end().await.as_deref(), Some("the server stops"));
    rest.stop().await;
}

#[tokio::test]
async fn there_is_a_limit_to_streams() {
    let rest = Rest::with(|config| (config.sse_streams_max, config.sse_streams_per_user) = (5, 3)).await;
    let (one, two) = (rest.session("viewer").await.1, rest.session("viewer").await.1);
    let mut readers = Vec::new();
    for viewer in [&one, &one, &one, &two, &two] {
        readers.push(Reader::open(&rest, viewer, "", None).await);
    }
    let answer = rest.get(&two, STREAM).await;
    assert_eq!(answer.headers["retry-after"], "10");
    answer.error(503, "too_many_streams");
    // Room again as soon as one has gone.
    drop(readers.pop());
    let request = || rest.client.get(rest.url(STREAM)).bearer_auth(&one);
    let refused = timeout(LIMIT, async {
        loop {
            let response = request().send().await.expect("an answer");
            if response.status() == 429 {
                return Answer::read(response).await;
            }
        }
    });
    let refused = refused.await.expect("the server is no longer what is full");
    assert_eq!(refused.headers["retry-after"], "10");
    let error = refused.error(429, "too_many_streams");
    assert!(error.message.contains("has 3 open streams") && error.hint.is_some(), "{error:?}");
    drop(readers);
    rest.stop().await;
}

#[tokio::test]
async fn alerts_come_when_asked_for_and_a_reader_begins_with_those_that_are_open() {
    use tyr_api::alerts::{Alert, AlertState};
    use tyr_server::app::alerts::engine;

    let rest = Rest::start().await;
    let viewer = rest.session("viewer").await.1;
    let agent = rest.agent("one").await;
    let stop = tokio_util::sync::CancellationToken::new();
    let watch = tokio::spawn(engine::watch(std::sync::Arc::clone(&rest.app), stop.clone()));
    let now = Timestamp::now();
    let drift = Event {
        drift_detected: true,
        drift_reason: Some(tyr_api::events::DriftReason::StalePolicy),
        ..event(agent, "one", EventKind::Exec, Verdict::Allow)
    };
    rest.app.alerts.tally.stored(std::slice::from_ref(&drift));
    engine::evaluate(&rest.app, now).await.expect("evaluated").expect("its turn");
    let mut reader = Reader::open(&rest, &viewer, "?include=alerts", None).await;
    let mut alert = async || {
        let frame = reader.next().await.expect("a frame");
        assert_eq!((frame.event.as_deref(), frame.id), (Some("alert"), None), "it moves no cursor");
        serde_json::from_str::<Alert>(&frame.data).expect("an alert")
    };
    let open = alert().await;
    assert_eq!((open.state, &*open.agent_name), (AlertState::Firing, "one"));
    // The change comes from the table, so also when another server made it.
    engine::evaluate(&rest.twin(), now + SignedDuration::from_secs(1200)).await.expect("evaluated").expect("its turn");
    let over = loop {
        let alert = alert().await;
        if alert.alert_id == open.alert_id && alert.state != AlertState::Firing {
            break alert;
        }
    };
    assert_eq!(over.state, AlertState::Resolved);
    drop(reader);
    stop.cancel();
    timeout(LIMIT, watch).await.expect("in time").expect("no panic");
    rest.stop().await;
}
