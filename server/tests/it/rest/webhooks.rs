//! Webhooks, up to a real receiver.

use std::collections::VecDeque;
use std::io::Write;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tyr_api::events::DriftReason;
use tyr_server::app::alerts::deliver;
use tyr_server::app::alerts::engine::evaluate;

use super::alerts::{WEBHOOKS, count, drifting, heard};
use super::harness::{LIMIT, Rest};

/// Waits until a condition holds, and shows the last state when it never does.
async fn until<T: std::fmt::Debug>(what: &str, mut look: impl AsyncFnMut() -> T, holds: impl Fn(&T) -> bool) -> T {
    let deadline = tokio::time::Instant::now() + LIMIT;
    loop {
        let seen = look().await;
        if holds(&seen) {
            return seen;
        }
        assert!(tokio::time::Instant::now() < deadline, "{what}: {seen:?}");
        tokio::task::yield_now().await;
    }
}

/// What a receiver was sent.
#[derive(Clone, Debug)]
struct Received {
    headers: HeaderMap,
    body: String,
}

impl Received {
    fn id(&self) -> &str {
        self.headers["tyr-delivery"].to_str().expect("text")
    }
}

/// A receiver of webhooks on loopback.
struct Receiver {
    address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
    /// Statuses of the next answers; 200 when there is none. 0: no answer until `released`.
    answers: Arc<Mutex<VecDeque<u16>>>,
    task: JoinHandle<()>,
}

impl Receiver {
    async fn start() -> Self {
        let received: Arc<Mutex<Vec<Received>>> = Arc::default();
        let answers: Arc<Mutex<VecDeque<u16>>> = Arc::default();
        let released = Arc::new(Notify::new());
        let (kept, script) = (Arc::clone(&received), Arc::clone(&answers));
        let handler = move |request: Request| {
            let (kept, script, released) = (Arc::clone(&kept), Arc::clone(&script), Arc::clone(&released));
            async move {
                let (parts, body) = request.into_parts();
                let body = axum::body::to_bytes(body, 1 << 20).await.expect("a body");
                let body = String::from_utf8(body.to_vec()).expect("text");
                kept.lock().expect("lock").push(Received { headers: parts.headers, body });
                let status = script.lock().expect("lock").pop_front().unwrap_or(200);
                if status == 0 {
                    released.notified().await;
                }
                (StatusCode::from_u16(status.max(200)).expect("a status"), [("location", "http://127.0.0.1:9/")])
            }
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let routes = Router::new().route("/hook", post(handler));
        let task = tokio::spawn(async move { axum::serve(listener, routes).await.expect("served") });
        Self { address, received, answers, task }
    }

    fn answers(&self, statuses: &[u16]) {
        self.answers.lock().expect("lock").extend(statuses);
    }

    fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    fn so_far(&self) -> Vec<Received> {
        self.received.lock().expect("lock").clone()
    }

    async fn has(&self, count: usize) -> Vec<Received> {
        until("messages", async || self.so_far(), |received| received.len() >= count).await
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The sender of a server.
struct Sender {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Sender {
    fn start(app: &Arc<tyr_server::app::App>) -> Self {
        let stop = CancellationToken::new();
        Self { task: tokio::spawn(deliver::run(Arc::clone(app), stop.clone())), stop }
    }

    async fn stop(self) {
        self.stop.cancel();
        tokio::time::timeout(LIMIT, self.task).await.expect("in time").expect("no panic");
    }
}

/// Raises one alert, which gives one message to each webhook.
async fn raise(rest: &Rest, n: i64) {
    let agent = rest.agent(&format!("agent-{n}")).await;
    let now = Timestamp::now() + SignedDuration::from_secs(n * 30);
    rest.app.alerts.tally.stored(&[drifting(agent, DriftReason::StalePolicy, now)]);
    heard(rest, agent, now).await;
    let done = evaluate(&rest.app, now).await.expect("evaluated").expect("its turn");
    assert_eq!(done.fired, 1);
}

async fn hook(rest: &Rest, url: &str, more: Value) -> Value {
    let mut body = json!({"url": url});
    body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    rest.post(&rest.admin().await, WEBHOOKS, body).await.expect(201)
}

/// HMAC-SHA256 by another implementation.
fn openssl_hmac(secret: &str, text: &str) -> String {
    let mut openssl = Command::new("openssl")
        .args(["dgst", "-sha256", "-hmac", secret])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("openssl is installed");
    openssl.stdin.take().expect("piped").write_all(text.as_bytes()).expect("written");
    let out = String::from_utf8(openssl.wait_with_output().expect("ended").stdout).expect("text");
    out.trim().rsplit(' ').next().expect("a digest").to_owned()
}

#[tokio::test]
async fn messages_are_signed_and_arrive_once() {
    let rest = Rest::start().await;
    let receiver = Receiver::start().await;
    let made = hook(&rest, &receiver.url(), json!({})).await;
    let secret = made["secret"].as_str().expect("a secret");
    assert_eq!(secret.len(), 64);
    let sender = Sender::start(&rest.app);
    raise(&rest, 0).await;
    let received = receiver.has(1).await;
    let [message] = &received[..] else { panic!("{received:?}") };
    let signature = message.headers["tyr-signature"].to_str().expect("text");
    let (t, v1) = signature.strip_prefix("t=").and_then(|rest| rest.split_once(",v1=")).expect("the documented form");
    assert_eq!(v1, openssl_hmac(secret, &format!("{t}.{}", message.body)));
    let age = Timestamp::now().as_second() - t.parse::<i64>().expect("seconds");
    assert!((0..60).contains(&age), "{age}");
    assert_eq!(message.headers["content-type"], "application/json");
    let body: tyr_api::alerts::WebhookMessage = serde_json::from_str(&message.body).expect("a message");
    assert_eq!((body.version, body.test, body.firing, body.resolved), (1, false, 1, 0));
    assert_eq!(body.alerts[0].agent_name, "agent-0");
    let admin = rest.admin().await;
    let list = until(
        "delivered",
        async || rest.get(&admin, WEBHOOKS).await.expect(200),
        |list| list["items"][0]["delivered_at"].is_string(),
    )
    .await;
    assert_eq!((&list["items"][0]["waiting"], &list["items"][0]["last_error"]), (&json!(0), &Value::Null));
    assert!(!list.to_string().contains(secret), "the secret is never shown again");
    sender.stop().await;
    // Another start of the server sends nothing again.
    let sender = Sender::start(&rest.app);
    raise(&rest, 1).await;
    assert_eq!(receiver.has(2).await.len(), 2);
    sender.stop().await;
    rest.stop().await;
}

#[tokio::test]
async fn a_failed_message_is_tried_again_under_its_id_before_later_ones() {
    let rest = Rest::start().await;
    let receiver = Receiver::start().await;
    receiver.answers(&[500, 302]);
    hook(&rest, &receiver.url(), json!({})).await;
    raise(&rest, 0).await;
    raise(&rest, 1).await;
    let sender = Sender::start(&rest.app);
    let admin = rest.admin().await;
    for (tries, error) in [(1, "500"), (2, "302")] {
        receiver.has(tries).await;
        let list = until(
            "the failure in the list",
            async || rest.get(&admin, WEBHOOKS).await.expect(200),
            |list| list["items"][0]["last_error"].as_str().is_some_and(|text| text.contains(error)),
        )
        .await;
        assert_eq!(list["items"][0]["waiting"], 2);
        // The wait is real; a test need not.
        sqlx::query("UPDATE webhook_deliveries SET next_try_at = now()")
            .execute(&rest.app.pool)
            .await
            .expect("hurried");
    }
    let received = receiver.has(4).await;
    let ids: Vec<&str> = received.iter().map(Received::id).collect();
    assert_eq!((ids[0], ids[1]), (ids[1], ids[2]), "the same id at each try");
    assert_ne!(ids[2], ids[3]);
    assert!(received[2].body.contains("agent-0") && received[3].body.contains("agent-1"));
    assert_eq!(received[0].body, received[2].body);
    sender.stop().await;
    rest.stop().await;
}

#[tokio::test]
async fn a_receiver_that_never_answers_delays_nobody() {
    let rest = Rest::start().await;
    let (stuck, well) = (Receiver::start().await, Receiver::start().await);
    stuck.answers(&[0]);
    hook(&rest, &stuck.url(), json!({})).await;
    hook(&rest, &well.url(), json!({})).await;
    let sender = Sender::start(&rest.app);
    for n in 0..3 {
        raise(&rest, n).await;
    }
    well.has(3).await;
    assert_eq!(stuck.has(1).await.len(), 1, "its others wait behind the first");
    sender.stop().await;
    rest.stop().await;
}

#[tokio::test]
async fn a_message_that_was_under_way_when_the_server_stopped_is_sent_again() {
    let rest = Rest::start().await;
    let receiver = Receiver::start().await;
    receiver.answers(&[0]);
    hook(&rest, &receiver.url(), json!({})).await;
    let sender = Sender::start(&rest.app);
    raise(&rest, 0).await;
    receiver.has(1).await;
    sender.stop().await;
    assert_eq!(count(&rest, "SELECT count(*) FROM webhook_deliveries WHERE state = 'waiting'").await, 1);
    // Nobody takes it while its lease lasts; then another server does.
    let twin = rest.twin();
    let sender = Sender::start(&twin);
    sqlx::query("UPDATE webhook_deliveries SET leased_until = now()").execute(&rest.app.pool).await.expect("over");
    let received = receiver.has(2).await;
    assert_eq!(received[0].id(), received[1].id());
    assert_eq!(received[0].body, received[1].body);
    until(
        "delivered",
        async || count(&rest, "SELECT count(*) FROM webhook_deliveries WHERE state = 'delivered'").await,
        |delivered| *delivered == 1,
    )
    .await;
    sender.stop().await;
    drop(twin);
    rest.stop().await;
}

#[tokio::test]
async fn a_message_is_given_up_after_its_last_try_and_shown() {
    let rest = Rest::start().await;
    let receiver = Receiver::start().await;
    receiver.answers(&[404]);
    hook(&rest, &receiver.url(), json!({})).await;
    raise(&rest, 0).await;
    sqlx::query("UPDATE webhook_deliveries SET attempts = $1")
        .bind(i32::try_from(deliver::ATTEMPTS_MAX).expect("few") - 1)
        .execute(&rest.app.pool)
        .await
        .expect("set");
    let sender = Sender::start(&rest.app);
    let admin = rest.admin().await;
    let list =
        until("given up", async || rest.get(&admin, WEBHOOKS).await.expect(200), |list| list["items"][0]["dead"] == 1)
            .await;
    assert_eq!(list["items"][0]["waiting"], 0);
    assert_eq!(list["items"][0]["last_error"], "the receiver answered 404 Not Found");
    raise(&rest, 1).await;
    receiver.has(2).await;
    sender.stop().await;
    rest.stop().await;
}

#[tokio::test]
async fn rules_and_enabled_decide_who_is_told() {
    let rest = Rest::start().await;
    let (all, losses_only, off) = (Receiver::start().await, Receiver::start().await, Receiver::start().await);
    hook(&rest, &all.url(), json!({"format": "slack"})).await;
    hook(&rest, &losses_only.url(), json!({"rules": ["loss", "loss", "stale"]})).await;
    hook(&rest, &off.url(), json!({"enabled": false})).await;
    let sender = Sender::start(&rest.app);
    raise(&rest, 0).await;
    let received = all.has(1).await;
    let slack: Value = serde_json::from_str(&received[0].body).expect("JSON");
    assert_eq!(slack["text"], "Tyr: 1 alert firing: drift on agent-0");
    assert_eq!(count(&rest, "SELECT count(*) FROM webhook_deliveries").await, 1);
    assert!(losses_only.so_far().is_empty() && off.so_far().is_empty());
    sender.stop().await;
    rest.stop().await;
}

#[tokio::test]
async fn a_webhook_is_tried_at_once() {
    let rest = Rest::start().await;
    let admin = rest.admin().await;
    let receiver = Receiver::start().await;
    receiver.answers(&[200, 500]);
    let id = hook(&rest, &receiver.url(), json!({})).await["webhook_id"].as_str().expect("an id").to_owned();
    let path = format!("{WEBHOOKS}/{id}/test");
    let test = rest.send(reqwest::Method::POST, &path, Some(&admin), None).await.expect(200);
    assert_eq!((&test["delivered"], &test["status"]), (&json!(true), &json!(200)));
    let message: Value = serde_json::from_str(&receiver.so_far()[0].body).expect("JSON");
    assert_eq!(message["test"], true);
    let test = rest.send(reqwest::Method::POST, &path, Some(&admin), None).await.expect(200);
    assert_eq!((&test["delivered"], &test["status"]), (&json!(false), &json!(500)));
    rest.delete(&admin, &format!("{WEBHOOKS}/{id}")).await.expect(200);
    rest.delete(&admin, &format!("{WEBHOOKS}/{id}")).await.error(404, "not_found");
    rest.send(reqwest::Method::POST, &path, Some(&admin), None).await.error(404, "not_found");
    let actions: Vec<Value> = rest.get(&admin, "/api/v1/audit?action=webhook").await.expect(200)["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|entry| entry["action"].clone())
        .collect();
    assert_eq!(actions, ["webhook.delete", "webhook.test", "webhook.test", "webhook.create"]);
    rest.stop().await;
}

#[tokio::test]
async fn tls_is_checked_and_a_further_authority_can_be_trusted() {
    // Another server of ours is the receiver: its certificate is from an authority that nobody knows.
    let receiver = Rest::with_tls(true).await;
    let url = format!("https://{}/health", receiver.address);
    let strict = Rest::start().await;
    let trusting = Rest::with(|config| config.alerts.ca_file = Some(receiver.ca_file())).await;
    let mut answers = Vec::new();
    for rest in [strict, trusting] {
        let id = hook(&rest, &url, json!({})).await["webhook_id"].as_str().expect("an id").to_owned();
        let path = format!("{WEBHOOKS}/{id}/test");
        answers.push(rest.send(reqwest::Method::POST, &path, Some(&rest.admin().await), None).await.expect(200));
        rest.stop().await;
    }
    assert_eq!(answers[0]["status"], Value::Null);
    let error = answers[0]["error"].as_str().expect("an error");
    assert!(error.contains("certificate") || error.contains("TLS"), "{error}");
    assert!(!error.contains(&receiver.address.to_string()), "an address may be a secret: {error}");
    assert_eq!(answers[1]["status"], 405, "the connection stands, and `/health` takes no POST: {}", answers[1]);
    receiver.stop().await;
}

#[tokio::test]
async fn webhooks_refuse_what_leads_astray() {
    let rest = Rest::start().await;
    let admin = rest.admin().await;
    for (body, code) in [
        (json!({"url": "x"}), "invalid_url"),
        (json!({"url": "ftp://example.com/"}), "invalid_url"),
        (json!({"url": "http://example.com/"}), "invalid_url"),
        (json!({"url": "https://169.254.169.254/latest"}), "invalid_url"),
        (json!({"url": "https://u:p@example.com/"}), "invalid_url"),
        (json!({"url": "https://example.com/", "secret": "short"}), "invalid_secret"),
        (json!({"url": "https://example.com/", "secret": "with spaces in between it"}), "invalid_secret"),
        (json!({"url": "https://example.com/", "format": "xml"}), "invalid_body"),
        (json!({"url": "https://example.com/", "rules": ["fire"]}), "invalid_body"),
        (json!({"url": "https://example.com/", "colour": 1}), "invalid_body"),
    ] {
        rest.post(&admin, WEBHOOKS, body).await.error(400, code);
    }
    let slack = json!({"url": "https://hooks.slack.com/services/T0/B0/secret", "format": "slack"});
    let made = rest.post(&admin, WEBHOOKS, slack).await.expect(201);
    assert_eq!(made["url"], "https://hooks.slack.com/services/T0/B0/…");
    for _ in 1..50 {
        rest.post(&admin, WEBHOOKS, json!({"url": "https://example.com/"})).await.expect(201);
    }
    rest.post(&admin, WEBHOOKS, json!({"url": "https://example.com/"})).await.error(409, "too_many_webhooks");
    rest.stop().await;
}
