//! An alert from its beginning to its end: an agent goes silent, the receiver of a webhook hears of it, an operator sees and
//! acknowledges it, the agent comes back, and the receiver hears that too.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::mpsc;
use std::time::{Duration, SystemTime};

use serde_json::Value;
use tyr_e2e::screen::Screen;
use tyr_e2e::stack::{Stack, text};
use tyr_e2e::{binary, wait_for};

const LIMIT: Duration = Duration::from_mins(1);
const SECRET: &str = "a-secret-of-sixteen-or-more";
/// How docs/alerts.md says to check a signature.
const CHECK: &str = r#"printf '%s.%s' "$t" "$body" | openssl dgst -sha256 -hmac "$secret""#;

/// What a receiver was sent.
struct Message {
    headers: BTreeMap<String, String>,
    body: String,
}

impl Message {
    fn read(stream: &TcpStream) -> std::io::Result<Self> {
        let mut reader = BufReader::new(stream);
        let mut headers = BTreeMap::new();
        let mut line = String::new();
        while reader.read_line(&mut line)? > 2 {
            if let Some((name, value)) = line.split_once(": ") {
                headers.insert(name.to_ascii_lowercase(), value.trim_end().to_owned());
            }
            line.clear();
        }
        let length = headers.get("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        Ok(Self { headers, body: String::from_utf8_lossy(&body).into_owned() })
    }

    fn delivery(&self) -> &str {
        &self.headers["tyr-delivery"]
    }

    /// The message, once its signature is found to be right and of now.
    #[track_caller]
    fn verified(&self) -> Value {
        let signature = &self.headers["tyr-signature"];
        let (t, v1) = signature.strip_prefix("t=").and_then(|rest| rest.split_once(",v1=")).expect("a signature");
        let mut check = Command::new("bash");
        check.args(["-c", CHECK]).env("t", t).env("body", &self.body).env("secret", SECRET);
        let said = text(&check.output().expect("bash starts")).expect("openssl works");
        assert_eq!(said.split_whitespace().last(), Some(v1), "{said}");
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_secs();
        assert!(now.abs_diff(t.parse().expect("seconds")) < 300, "{signature}");
        serde_json::from_str(&self.body).expect("JSON")
    }
}

/// A receiver of webhooks, which takes no message at the first try.
fn receiver() -> (String, mpsc::Receiver<Message>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/tyr", listener.local_addr().expect("bound"));
    let (sender, messages) = mpsc::channel();
    std::thread::spawn(move || {
        let mut answer = "503 Service Unavailable";
        for mut stream in listener.incoming().flatten() {
            let Ok(message) = Message::read(&stream) else { continue };
            let head = format!("HTTP/1.1 {answer}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            if stream.write_all(head.as_bytes()).is_err() || sender.send(message).is_err() {
                return;
            }
            answer = "204 No Content";
        }
    });
    (url, messages)
}

#[test]
fn an_alert_fires_is_delivered_acknowledged_and_resolved() {
    let stack = Stack::start(&[
        ("TYR_HEARTBEAT_INTERVAL_S", "1"),
        ("TYR_ALERT_INTERVAL_S", "1"),
        ("TYR_ALERT_STALE_AFTER_S", "10"),
    ])
    .expect("the server starts");
    let (url, messages) = receiver();
    let next = || messages.recv_timeout(LIMIT).expect("a message");
    stack
        .tyrctl_with_input(["alerts", "webhook", "add", &url, "--rule", "stale", "--secret-stdin"], SECRET)
        .expect("a webhook");
    let mut agent = stack.start_agent("sleepy", "").expect("the agent starts");
    let stale = || stack.tyrctl_json(&["alerts", "--rule", "stale"]).expect("tyrctl alerts");
    assert_eq!(stale(), Value::Array(Vec::new()), "it was just heard from");
    let mut top = Screen::start(&binary("tyrctl"), &["top"], stack.environment(), 24, 100).expect("a terminal");
    top.wait_for("LIVE", LIMIT);
    top.press("5").expect("a key");
    top.wait_for("[5 Alerts]", LIMIT);

    agent.stop();
    let refused = next();
    let fired = next();
    assert_eq!((refused.delivery(), &refused.body), (fired.delivery(), &fired.body), "the same again");
    let body = fired.verified();
    assert_eq!((&body["firing"], &body["resolved"], &body["test"]), (&1.into(), &0.into(), &false.into()), "{body}");
    let alert = &body["alerts"][0];
    assert_eq!((&alert["rule"], &alert["state"]), (&"stale".into(), &"firing".into()), "{body}");
    assert_eq!(alert["agent_name"], "sleepy");
    top.wait_until("the alert", LIMIT, |screen| screen.contains("FIRING") && screen.contains("sleepy"));
    let rows = stale();
    assert_eq!(rows.as_array().map(Vec::len), Some(1), "{rows}");
    assert_eq!((&rows[0]["alert_id"], &rows[0]["state"]), (&alert["alert_id"], &"firing".into()), "{rows}");
    let listed = stack.tyrctl(["alerts", "--state", "firing", "--fail-on-any"]);
    assert_eq!(listed.status.code(), Some(3));
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert!(["firing", "stale", "sleepy"].iter().all(|word| listed.contains(word)), "{listed}");

    // By the end of its id, as the list shows it.
    let id = alert["alert_id"].as_str().expect("an id").replace('-', "");
    let said =
        text(&stack.tyrctl(["alerts", "ack", &id[id.len() - 8..], "--note", "known to us"])).expect("acknowledged");
    assert!(said.contains("stale on sleepy is acknowledged"), "{said}");
    let rows = stale();
    assert_eq!((&rows[0]["acknowledged_by"], &rows[0]["note"]), (&"admin".into(), &"known to us".into()), "{rows}");
    top.wait_until("who knows of it", LIMIT, |screen| screen.contains("admin"));

    agent.start_again().expect("the agent starts again");
    // It has to be back for a minute: that time passes in the database.
    let resolved = "SELECT count(*) FROM alerts WHERE rule = 'stale' AND state = 'resolved'";
    wait_for("the alert to resolve", LIMIT, || {
        stack.psql("UPDATE alerts SET clear_since = clear_since - interval '1 minute' WHERE state = 'firing'").ok()?;
        (stack.psql(resolved).ok()?.trim() == "1").then_some(())
    });
    let over = next();
    assert_ne!(over.delivery(), fired.delivery());
    let body = over.verified();
    assert_eq!((&body["firing"], &body["resolved"]), (&0.into(), &1.into()), "{body}");
    assert_eq!((&body["alerts"][0]["alert_id"], &body["alerts"][0]["state"]), (&alert["alert_id"], &"resolved".into()));
    assert_eq!(stale(), Value::Array(Vec::new()));
    let rows = stack.tyrctl_json(&["alerts", "--state", "resolved"]).expect("tyrctl alerts");
    assert_eq!(rows[0]["acknowledged_by"], "admin", "{rows}");
    top.wait_until("no alert", LIMIT, |screen| !screen.contains("FIRING"));
    top.press("q").expect("a key");
    assert_eq!(top.finish().expect("an exit code"), 0);
    wait_for("the receiver's word in the list", LIMIT, || {
        let webhooks = stack.tyrctl_json(&["alerts", "webhook", "list"]).expect("webhooks");
        (webhooks[0]["waiting"] == 0 && webhooks[0]["dead"] == 0 && !webhooks[0]["delivered_at"].is_null())
            .then_some(())
    });
}
