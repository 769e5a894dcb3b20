//! The event stream against a server that misbehaves in each way that was found with the library alone.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use futures_util::StreamExt;
use tyr_api::events::{EventKind, EventQuery, Verdict};
use tyrctl::auth::{TokenSource, store_token};
use tyrctl::client::sse::{Connection, SseItem, StreamQuery, connect};
use tyrctl::client::{Client, Endpoint};
use tyrctl::error::Kind;

use crate::double::{Double, error, event};

/// What the server answers, one connection after the other; then nothing but 204.
type Script = Arc<Mutex<VecDeque<(u16, &'static str, String)>>>;

const STREAM: &str = "text/event-stream";

/// A server that follows the script and notes token and cursor of each request, and a client of it.
fn scripted(script: Vec<(u16, &'static str, String)>) -> (Double, Client) {
    let script: Script = Arc::new(Mutex::new(script.into()));
    let double = Double::serve(|requests| {
        Router::new().fallback(move |request: Request| {
            let (script, requests) = (Arc::clone(&script), requests.clone());
            async move {
                let header = |name: &str| {
                    request.headers().get(name).map_or("none", |value| value.to_str().expect("ASCII")).to_owned()
                };
                requests.lock().expect("no panic").push(format!(
                    "{} {}",
                    header("authorization"),
                    header("last-event-id")
                ));
                let (status, content_type, body) =
                    script.lock().expect("no panic").pop_front().unwrap_or((204, "text/plain", String::new()));
                (StatusCode::from_u16(status).expect("a status"), [("content-type", content_type)], body)
                    .into_response()
            }
        })
    });
    let endpoint = Endpoint {
        server: double.url().parse().expect("a URL"),
        ca_file: None,
        token: TokenSource::Stored(double.config().join("token")),
        timeout: std::time::Duration::from_secs(10),
    };
    (double, Client::new(endpoint).expect("a client"))
}

fn data(resource: &str) -> String {
    format!("data: {}\n", serde_json::to_string(&event(1, EventKind::Exec, Verdict::Allow, resource)).expect("JSON"))
}

/// The items in short, until the stream ends; it never waits for another try.
async fn follow(mut stream: Connection) -> Vec<String> {
    let mut seen = Vec::new();
    while let Some(item) = stream.next().await {
        seen.push(match item {
            SseItem::Connecting => continue,
            SseItem::Live => "live".to_owned(),
            SseItem::KeepAlive => "comment".to_owned(),
            SseItem::Event { id, event } => format!("{} {}", id.unwrap_or_else(|| "no-id".to_owned()), event.resource),
            SseItem::Gap(gap) => format!("gap {:?}", gap.missed),
            SseItem::Waiting { attempt, .. } => {
                stream.retry_now();
                format!("cut {attempt}")
            }
            SseItem::Stopped(failure) => format!("stopped {}: {}", failure.kind.exit_code(), failure.message),
            other => format!("{other:?}"),
        });
    }
    seen
}

fn run(client: &Client, query: StreamQuery) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async { follow(connect(client, query)).await })
}

#[test]
fn delivers_comments_and_events_and_stops_at_204() {
    let body = format!(": hello\n\nid: 41\n{}\nid: 42\n{}\n", data("/bin/a"), data("/bin/b"));
    let (double, client) = scripted(vec![(200, STREAM, body)]);
    let seen = run(&client, StreamQuery::default());
    assert_eq!(seen[..5], ["live", "comment", "41 /bin/a", "42 /bin/b", "cut 1"]);
    assert!(seen[5].starts_with("stopped 1") && seen[5].ends_with("has no event stream"), "{seen:?}");
    assert_eq!(double.requests(), ["Bearer stored-token none", "Bearer stored-token 42"]);
}

#[test]
fn takes_a_fresh_token_for_each_try() {
    let (double, client) = scripted(vec![(200, STREAM, format!("id: 42\n{}\n", data("/bin/a")))]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut stream = connect(&client, StreamQuery::default());
        while let Some(item) = stream.next().await {
            if matches!(item, SseItem::Waiting { .. }) {
                store_token(&double.config().join("token"), "renewed-token").expect("stored");
                stream.retry_now();
            }
        }
    });
    assert_eq!(double.requests(), ["Bearer stored-token none", "Bearer renewed-token 42"]);
}

#[test]
fn stops_when_the_login_is_refused() {
    for status in [401, 403] {
        let refusal = error("token_expired", "the token expired", None).to_string();
        let (double, client) = scripted(vec![(status, "application/json", refusal)]);
        assert_eq!(run(&client, StreamQuery::default()), ["stopped 4: the token expired"]);
        assert_eq!(double.requests().len(), 1, "it is not tried again");
    }
}

#[test]
fn tries_again_when_the_server_is_unwell() {
    let (double, client) = scripted(vec![
        (503, "text/plain", "starting".to_owned()),
        (200, STREAM, format!("id: 1\n{}\n", data("/bin/a"))),
    ]);
    let seen = run(&client, StreamQuery::default());
    assert_eq!(seen[..4], ["cut 1", "live", "1 /bin/a", "cut 1"]);
    assert_eq!(double.requests().len(), 3);
}

#[test]
fn keeps_the_cursor_across_events_without_id() {
    let first = format!("id: 42\n{}\n", data("/bin/a"));
    let second =
        format!("event: gap\ndata: {{\"missed\":7,\"since\":\"2026-11-22T19:00:00Z\"}}\n\n{}\n", data("/bin/b"));
    let (double, client) = scripted(vec![(200, STREAM, first), (200, STREAM, second)]);
    let seen = run(&client, StreamQuery::default());
    assert_eq!(seen[..6], ["live", "42 /bin/a", "cut 1", "live", "gap Some(7)", "no-id /bin/b"]);
    assert_eq!(double.requests()[2], "Bearer stored-token 42");
}

#[test]
fn blocks_without_data_move_nothing() {
    let body = format!("id: 50\n{}\nid: 51\n\nretry: 300\n\n", data("/bin/a"));
    let (double, client) = scripted(vec![(200, STREAM, body)]);
    run(&client, StreamQuery::default());
    assert_eq!(double.requests()[1], "Bearer stored-token 50");
}

#[test]
fn unknown_fields_and_names_are_passed_over() {
    let body = format!("id: 61\n{}\nodd: field\n{}\nevent: novelty\ndata: x\n\n", data("/bin/a"), data("/bin/b"));
    let (_double, client) = scripted(vec![(200, STREAM, body)]);
    let seen = run(&client, StreamQuery::default());
    assert_eq!(seen[..4], ["live", "61 /bin/a", "61 /bin/b", "comment"]);
}

#[test]
fn a_web_page_is_no_stream() {
    let (double, client) = scripted(vec![(200, "text/html; charset=utf-8", "<html>log in</html>".to_owned())]);
    let seen = run(&client, StreamQuery::default());
    assert_eq!(seen.len(), 1);
    assert!(seen[0].ends_with("answers something else than an event stream"), "{seen:?}");
    assert_eq!(double.requests().len(), 1);
}

#[test]
fn follows_no_redirect() {
    let (_double, client) = scripted(vec![(307, "text/plain", String::new())]);
    let seen = run(&client, StreamQuery::default());
    assert!(seen[0].starts_with("stopped"), "{seen:?}");
}

#[test]
fn says_so_when_nothing_could_be_resumed() {
    let (_double, client) = scripted(vec![(200, STREAM, ": hi\n\n".to_owned()), (200, STREAM, ": hi\n\n".to_owned())]);
    let seen = run(&client, StreamQuery::default());
    assert_eq!(seen[..6], ["live", "comment", "cut 1", "live", "gap None", "comment"]);
}

#[test]
fn content_that_cannot_be_read_is_left_out() {
    let (_double, client) = scripted(vec![(200, STREAM, format!("data: {{broken\n\nid: 2\n{}\n", data("/bin/a")))]);
    let seen = run(&client, StreamQuery::default());
    assert!(seen[1].starts_with("Unreadable"), "{seen:?}");
    assert_eq!(seen[2], "2 /bin/a");
}

#[test]
fn a_refused_connection_is_told_at_once() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound");
    drop(listener);
    let (_double, client) = scripted(Vec::new());
    let endpoint =
        Endpoint { server: format!("http://{address}").parse().expect("a URL"), ..client.endpoint().clone() };
    let client = Client::new(endpoint).expect("a client");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut stream = connect(&client, StreamQuery::default());
        assert!(matches!(stream.next().await, Some(SseItem::Connecting)));
        let Some(SseItem::Waiting { attempt: 1, cause, .. }) = stream.next().await else {
            panic!("no word of the failure")
        };
        assert_eq!(
            (cause.kind, cause.causes.as_slice()),
            (Kind::Unreachable, ["connection refused".to_owned()].as_slice())
        );
    });
}

#[test]
fn filters_and_extras_are_asked_for() {
    let asked = Arc::new(Mutex::new(String::new()));
    let double = Double::serve(|_| {
        let asked = Arc::clone(&asked);
        Router::new().fallback(move |request: Request| {
            *asked.lock().expect("no panic") = request.uri().to_string();
            async { StatusCode::NO_CONTENT }
        })
    });
    let client = Client::new(Endpoint {
        server: double.url().parse().expect("a URL"),
        ca_file: None,
        token: TokenSource::Stored(double.config().join("token")),
        timeout: std::time::Duration::from_secs(10),
    })
    .expect("a client");
    let filter = EventQuery { verdict: Some(Verdict::Deny), drift_detected: Some(true), ..EventQuery::default() };
    run(&client, StreamQuery { filter, include: vec!["stats", "ai"], ..StreamQuery::default() });
    assert_eq!(
        *asked.lock().expect("no panic"),
        "/api/v1/events/stream?drift_detected=true&verdict=deny&include=stats%2Cai"
    );
}

#[test]
fn tail_begins_with_stored_events_and_shows_none_twice() {
    let mut first = event(1, EventKind::Exec, Verdict::Allow, "/bin/a");
    first.agent_type = None;
    let second = event(2, EventKind::Exec, Verdict::Deny, "/bin/b");
    let page = serde_json::json!({"items": [first]}).to_string();
    let body = format!(
        ": hi\n\nid: 1\ndata: {}\n\nid: 2\ndata: {}\n\n",
        serde_json::to_string(&first).expect("JSON"),
        serde_json::to_string(&second).expect("JSON")
    );
    let double = Double::serve(|_| {
        Router::new()
            .route(
                "/api/v1/events",
                axum::routing::get(move || async move { ([("content-type", "application/json")], page) }),
            )
            .route(
                "/api/v1/events/stream",
                axum::routing::get(move || async move { ([("content-type", STREAM)], body) }),
            )
    });
    insta::assert_snapshot!(double.run(&["events", "tail", "--count", "2"]), @"
    exit 0
    --- stdout
    2026-11-22T19:40:01Z  allow  exec         /bin/a  pid=4123  node  agent=build-017  rule=no-egress
    2026-11-22T19:40:01Z  deny   exec         /bin/b  pid=4123  node  agent=build-017  type=claude-code  rule=no-egress
    ");
}
