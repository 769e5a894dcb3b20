//! The event stream.

use std::time::Duration;

use futures_util::StreamExt;
use jiff::{SignedDuration, Timestamp};
use reqwest::Response;
use serde_json::Value;
use tokio::time::timeout;
use tyr_api::events::{Event, EventKind, Verdict};
use tyr_server::app::audit::Actor;
use tyr_server::app::users;
use uuid::Uuid;

use super::harness::{LIMIT, Rest, event};

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
async fn there_is_a_limit_to_streams() {
    let rest = Rest::start().await;
    let viewer = rest.session("viewer").await.1;
    let open = (0..tyr_server::http::stream::STREAMS_MAX).map(|_| Reader::open(&rest, &viewer, "", None));
    let readers: Vec<Reader> = futures_util::stream::iter(open).buffer_unordered(20).collect().await;
    let answer = rest.get(&viewer, STREAM).await;
    assert_eq!(answer.headers["retry-after"], "10");
    answer.error(503, "too_many_streams");
    drop(readers);
    rest.stop().await;
}
