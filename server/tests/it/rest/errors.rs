//! Every class of error has the one shape, says what is wrong, and nothing of the inside.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::harness::{Answer, LIMIT, Rest};

#[tokio::test]
async fn wrong_addresses_and_methods() {
    let rest = Rest::start().await;
    let error = rest.send(Method::GET, "/api/v1/agent", None, None).await.error(404, "no_such_route");
    assert_eq!(error.hint.as_deref(), Some("did you mean `/api/v1/agents`?"));
    rest.send(Method::GET, "/", None, None).await.error(404, "no_such_route");
    let answer = rest.send(Method::PUT, "/api/v1/policies", None, None).await;
    assert_eq!(answer.headers["allow"], "GET, POST, HEAD, OPTIONS");
    answer.error(405, "method_not_allowed");
    rest.stop().await;
}

#[tokio::test]
async fn wrong_queries() {
    let rest = Rest::start().await;
    let token = rest.admin().await;
    for (path, code, message, hint) in [
        (
            "/api/v1/events?verdct=deny",
            "unknown_parameter",
            "unknown query parameter `verdct`",
            Some("did you mean `verdict`?"),
        ),
        (
            "/api/v1/snapshot?x=1",
            "unknown_parameter",
            "unknown query parameter `x`",
            Some("this address takes no query parameters"),
        ),
        (
            "/api/v1/events?limit=1&limit=2",
            "repeated_parameter",
            "query parameter `limit` is given more than once",
            None,
        ),
        (
            "/api/v1/events?limit=1001",
            "invalid_parameter",
            "query parameter `limit` is `1001`; accepted: a whole number from 1 to 1000",
            None,
        ),
        (
            "/api/v1/events?limit=0",
            "invalid_parameter",
            "query parameter `limit` is `0`; accepted: a whole number from 1 to 1000",
            None,
        ),
        (
            "/api/v1/events?verdict=denied",
            "invalid_parameter",
            "query parameter `verdict` is `denied`; accepted: allow, deny, alert",
            Some("did you mean `deny`?"),
        ),
        (
            "/api/v1/events?since=2026-11-22T10:00:00+01:00",
            "invalid_parameter",
            "query parameter `since` is `2026-11-22T10:00:00 01:00`; accepted: an instant like 2026-11-22T19:00:00Z",
            Some("a `+` in a query string is written `%2B`"),
        ),
        (
            "/api/v1/events?cursor=zzz",
            "invalid_parameter",
            "query parameter `cursor` is `zzz`; accepted: `next_cursor` of the page before, unchanged",
            None,
        ),
        (
            "/api/v1/events?agent_id=host1",
            "invalid_parameter",
            "query parameter `agent_id` is `host1`; accepted: an agent's id, a UUID",
            None,
        ),
        (
            "/api/v1/events?drift_detected=yes",
            "invalid_parameter",
            "query parameter `drift_detected` is `yes`; accepted: true or false",
            None,
        ),
        (
            "/api/v1/events?agent_type=%00",
            "invalid_parameter",
            "query parameter `agent_type` is `\0`; accepted: an agent type like claude-code",
            None,
        ),
        (
            "/api/v1/events/stream?since=2026-11-22T10:00:00Z",
            "unknown_parameter",
            "unknown query parameter `since`",
            None,
        ),
        (
            "/api/v1/events/stream?include=stat",
            "invalid_parameter",
            "query parameter `include` is `stat`; accepted: one or more of stats, agents, ai, alerts, with commas between",
            Some("did you mean `stats`?"),
        ),
        ("/api/v1/events/stream?last_event_id=7", "invalid_last_event_id", "`7` is not an id of this stream", None),
        (
            "/api/v1/stats/rate?since=2026-01-01T00:00:00Z",
            "span_too_long",
            "`since` and `until` are more than 7 days apart",
            None,
        ),
        ("/api/v1/stats/drift?since=2999-01-01T00:00:00Z", "span_backwards", "`since` is after `until`", None),
        ("/api/v1/agents/host1", "invalid_id", "`host1` in the path is not a UUID", None),
        ("/api/v1/policies/-1", "invalid_id", "`-1` in the path is not a whole number below 2^32", None),
    ] {
        let error = rest.get(&token, path).await.error(400, code);
        assert_eq!(error.message, message, "{path}");
        if hint.is_some() {
            assert_eq!(error.hint.as_deref(), hint, "{path}");
        }
    }
    rest.stop().await;
}

#[tokio::test]
async fn wrong_bodies() {
    let rest = Rest::start().await;
    let token = rest.admin().await;
    let send = async |content_type: Option<&str>, body: Vec<u8>| {
        let mut request = rest.client.post(rest.url("/api/v1/enrollment-tokens")).bearer_auth(&token).body(body);
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        Answer::read(request.send().await.expect("an answer")).await
    };
    let json = Some("application/json");
    send(None, b"{}".to_vec()).await.error(415, "unsupported_media_type");
    send(Some("application/x-www-form-urlencoded"), b"label=x".to_vec()).await.error(415, "unsupported_media_type");
    let empty = send(json, Vec::new()).await.error(400, "invalid_body");
    assert_eq!(empty.message, "the body is empty; a JSON object is expected");
    for body in
        [&b"{"[..], b"[]", b"null", b"\xff", b"{\"label\": \"x\"} x", b"{\"label\": \"a\", \"label\": \"b\"}", b"\"x\""]
    {
        send(json, body.to_vec()).await.error(400, "invalid_body");
    }
    let unknown = send(json, b"{\"labels\": \"x\"}".to_vec()).await.error(400, "invalid_body");
    assert_eq!(unknown.hint.as_deref(), Some("did you mean `label`?"));
    let wrong_type = send(json, b"{\"label\": \"x\", \"max_uses\": -1}".to_vec()).await.error(400, "invalid_body");
    assert!(wrong_type.message.starts_with("field `max_uses`: invalid value"), "{}", wrong_type.message);
    let deep = [b"{\"label\":".to_vec(), b"[".repeat(100_000)].concat();
    send(json, deep).await.error(400, "invalid_body");
    send(json, vec![b' '; 512 * 1024 + 1]).await.error(413, "body_too_large");
    let largest = [b"{\"label\": \"x\"}".to_vec(), vec![b' '; 512 * 1024 - 14]].concat();
    send(json, largest).await.expect(201);
    rest.stop().await;
}

#[tokio::test]
async fn a_lost_database_is_a_503_that_says_nothing_of_it() {
    let rest = Rest::start().await;
    let token = rest.admin().await;
    let healthy = rest.send(Method::GET, "/health", None, None).await.expect(200);
    assert_eq!(healthy, json!({"status": "ok", "db": "ok", "version": tyr_server::VERSION}));
    rest.app.pool.close().await;
    // Probes share an answer for half a second, and no longer.
    let turned = timeout(Duration::from_secs(2), async {
        loop {
            let answer = rest.send(Method::GET, "/health", None, None).await;
            if answer.status != 200 {
                return answer;
            }
        }
    });
    let ill = turned.await.expect("it turns").expect(503);
    assert_eq!(ill, json!({"status": "error", "db": "error", "version": tyr_server::VERSION}));
    let error = rest.get(&token, "/api/v1/agents").await.error(503, "database_unavailable");
    let expected = format!("the server could not answer; its log names the cause under request {}", error.request_id);
    assert_eq!((error.message, error.hint), (expected, None));
    rest.stop().await;
}

#[tokio::test]
async fn a_query_that_takes_too_long_is_a_503_that_says_what_to_do() {
    let rest = Rest::with(|config| config.read_timeout = Duration::from_secs(1)).await;
    let token = rest.admin().await;
    let mut report = rest.db.pool.begin().await.expect("a transaction");
    sqlx::query("LOCK TABLE events_minute IN ACCESS EXCLUSIVE MODE").execute(&mut *report).await.expect("locked");
    let answer = rest.get(&token, "/api/v1/stats/rate").await;
    assert_eq!(answer.headers["retry-after"], "5");
    let error = answer.error(503, "query_timed_out");
    assert_eq!(error.hint.as_deref(), Some("ask for less: narrow `since` and `until`"));
    drop(report);
    rest.stop().await;
}

#[tokio::test]
async fn what_is_no_http_is_refused_before_there_is_a_request() {
    let rest = Rest::start().await;
    let many = "X-Much: x\r\n".repeat(200);
    let long = "x".repeat(100 * 1024);
    // These answers are hyper's, who knows of no request yet: a status, and no body.
    for (what, head, status) in [
        ("no HTTP at all", "nonsense\r\n\r\n".to_owned(), "400 Bad Request"),
        ("a version that is none", "GET / HTTP/9.9\r\n\r\n".to_owned(), "400 Bad Request"),
        (
            "a line that is no header",
            "GET /health HTTP/1.1\r\nHost: x\r\nno header\r\n\r\n".to_owned(),
            "400 Bad Request",
        ),
        (
            "too many headers",
            format!("GET /health HTTP/1.1\r\nHost: x\r\n{many}\r\n"),
            "431 Request Header Fields Too Large",
        ),
        (
            "a header beyond all bounds",
            format!("GET /health HTTP/1.1\r\nHost: x\r\nX-Long: {long}\r\n\r\n"),
            "431 Request Header Fields Too Large",
        ),
        (
            "an address beyond all bounds",
            format!("GET /{long} HTTP/1.1\r\nHost: x\r\n\r\n"),
            "431 Request Header Fields Too Large",
        ),
    ] {
        let mut socket = TcpStream::connect(rest.address).await.expect("connected");
        // It may answer, and close, before it was told everything.
        let _ = socket.write_all(head.as_bytes()).await;
        let mut answer = Vec::new();
        let _ = timeout(LIMIT, socket.read_to_end(&mut answer)).await.expect("closed");
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{what}: {answer}");
        assert!(answer.ends_with("\r\n\r\n") && answer.contains("content-length: 0"), "{what}: {answer}");
    }
    rest.send(Method::GET, "/health", None, None).await.expect(200);
    rest.stop().await;
}

#[tokio::test]
async fn files_of_the_web_folder_are_served_beside_the_interface() {
    let base = tempfile::tempdir().expect("a folder");
    let web = base.path().join("web");
    std::fs::create_dir_all(web.join("assets")).expect("made");
    std::fs::write(web.join("index.html"), "<title>Tyr</title>").expect("written");
    std::fs::write(web.join("assets/app.js"), "start()").expect("written");
    std::fs::write(base.path().join("secret"), "not for the web").expect("written");
    let rest = Rest::with(|config| config.web_dir = web.clone()).await;
    for (path, body, media_type) in
        [("/", "<title>Tyr</title>", "text/html"), ("/assets/app.js", "start()", "text/javascript")]
    {
        let answer = rest.send(Method::GET, path, None, None).await;
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, Some(body)), "{path}");
        assert_eq!(answer.headers["content-type"], media_type);
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
    }
    rest.send(Method::GET, "/health", None, None).await.expect(200);
    for path in ["/assets/none.js", "/..%2fsecret", "/%2e%2e/secret", "/api/v1/agent"] {
        rest.send(Method::GET, path, None, None).await.error(404, "no_such_route");
    }
    rest.send(Method::POST, "/assets/app.js", None, None).await.error(404, "no_such_route");
    rest.stop().await;
}

#[tokio::test]
async fn an_answer_is_never_kept_by_others() {
    let rest = Rest::start().await;
    let token = rest.admin().await;
    let answer = rest.get(&token, "/api/v1/agents").await;
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert_eq!(answer.headers["x-content-type-options"], "nosniff");
    assert_eq!(answer.headers["content-type"], "application/json");
    rest.stop().await;
}
