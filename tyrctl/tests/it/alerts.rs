//! `tyrctl alerts` and its webhooks.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::double::{Answers, Double, error, id};

const ALERT: &str = "0199aaaa-0000-7000-8000-00008f21c0de";
const WEBHOOK: &str = "0199bbbb-0000-7000-8000-000001aa77c3";

fn alert(acknowledged_by: Option<&str>) -> Value {
    json!({
        "alert_id": ALERT, "rule": "stale", "agent_id": id(1), "agent_name": "build-017", "state": "firing",
        "since": "2026-11-22T19:40:00Z", "changed_at": "2026-11-22T19:40:15Z", "fired_at": "2026-11-22T19:40:15Z",
        "resolved_at": null, "value": 301.0, "threshold": 300.0,
        "summary": "not heard from since \u{1b}[2J2026-11-22T19:30:00Z, for more than 5 min",
        "details": {"last_seen": "2026-11-22T19:30:00Z"}, "flapping": false,
        "acknowledged_by": acknowledged_by, "acknowledged_at": null, "note": null,
    })
}

fn webhook(url: &str) -> Value {
    json!({
        "webhook_id": WEBHOOK, "url": url, "format": "json", "rules": ["stale", "loss"], "enabled": true,
        "created_at": "2026-11-22T19:00:00Z", "created_by": "alice", "waiting": 2, "dead": 1, "delivered_at": null,
        "last_error": "the receiver answered 500 Internal Server Error",
    })
}

fn double() -> Double {
    let path = format!("POST /api/v1/alerts/{ALERT}/acknowledge");
    Double::start(
        Answers::fleet()
            .with("GET /api/v1/alerts", 200, &json!({"items": [alert(None)], "next_cursor": null}))
            .with(&path, 200, &alert(Some("alice")))
            .list("/api/v1/webhooks", &json!([webhook("https://pager.example.com/tyr")]))
            .with(&format!("DELETE /api/v1/webhooks/{WEBHOOK}"), 200, &webhook("https://pager.example.com/tyr")),
    )
}

#[test]
fn open_alerts_are_listed_and_asked_for_by_state_rule_and_agent() {
    let double = double();
    assert_snapshot!(double.run(&["alerts", "--columns", "id,state,rule,agent,ack"]), @"
    exit 0
    --- stdout
    ID        STATE   RULE   AGENT      ACK
    8f21c0de  firing  stale  build-017  -
    ");
    let shown = double.run(&["alerts"]);
    assert!(shown.contains("not heard from since ") && !shown.contains('\u{1b}'), "{shown}");
    assert_snapshot!(double.run(&["alerts", "-o", "name", "--state", "all", "--rule", "stale", "--agent", "build-017"]), @"
    exit 0
    --- stdout
    0199aaaa-0000-7000-8000-00008f21c0de
    ");
    let requests = double.requests();
    assert!(requests[0].starts_with("GET /api/v1/alerts?") && requests[0].contains("state=open"), "{requests:?}");
    let last = requests.last().expect("requests");
    assert!(last.contains("rule=stale") && last.contains(&format!("agent={}", id(1))), "{last}");
    assert!(!last.contains("state="), "{last}");
    assert_snapshot!(double.run(&["alerts", "--fail-on-any", "-o", "name"]), @"
    exit 3
    --- stdout
    0199aaaa-0000-7000-8000-00008f21c0de
    ");
}

#[test]
fn an_alert_is_acknowledged_by_the_end_of_its_id() {
    let double = double();
    assert_snapshot!(double.run(&["alerts", "ack", "8F21C0DE", "--note", "kernel upgrade"]), @"
    exit 0
    --- stdout
    ✓ stale on build-017 is acknowledged
    ");
    assert_snapshot!(double.run(&["alerts", "ack", "ffffffff"]), @"
    exit 1
    --- stderr
    error: there is no open alert whose id ends with `ffffffff`
    hint: `tyrctl alerts` lists them
    ");
    assert_snapshot!(double.run(&["alerts", "ack", "x"]), @"
    exit 2
    --- stderr
    error: `x` is no id
    hint: `tyrctl alerts` lists them; the last 8 digits are enough
    ");
}

#[test]
fn webhooks_are_listed_removed_and_tried() {
    let double = double();
    assert_snapshot!(double.run(&["alerts", "webhook", "list", "--columns", "id,url,rules,waiting,dead"]), @"
    exit 0
    --- stdout
    ID        URL                            RULES       WAITING  DEAD
    01aa77c3  https://pager.example.com/tyr  stale,loss        2     1
    ");
    assert_snapshot!(double.run(&["alerts", "webhook", "remove", "01aa77c3"]), @"
    exit 2
    --- stderr
    error: not done: remove the webhook 01aa77c3 to https://pager.example.com/tyr
    cause: nobody can be asked to confirm it
    hint: `--yes` does it without asking, `--dry-run` only says what it would do
    ");
    assert_snapshot!(double.run(&["alerts", "webhook", "remove", "01aa77c3", "--yes"]), @"
    exit 0
    --- stdout
    ✓ webhook 01aa77c3 to https://pager.example.com/tyr is removed
    ");
    let path = format!("POST /api/v1/webhooks/{WEBHOOK}/test");
    let failed = json!({"delivered": false, "status": 500, "error": "the receiver answered 500", "duration_ms": 12});
    let list = json!([webhook("https://pager.example.com/tyr")]);
    let double = Double::start(Answers::default().list("/api/v1/webhooks", &list).with(&path, 200, &failed));
    assert_snapshot!(double.run(&["alerts", "webhook", "test", "01aa77c3"]), @"
    exit 1
    --- stdout
    delivered    no
    status       500
    duration_ms  12
    error        the receiver answered 500
    --- stderr
    error: the message was not delivered
    cause: the receiver answered 500
    ");
}

#[test]
fn a_webhook_shows_its_secret_once() {
    let mut made = webhook("https://pager.example.com/tyr");
    made["secret"] = json!("0123456789abcdef");
    let double = Double::start(Answers::default().with("POST /api/v1/webhooks", 201, &made));
    assert_snapshot!(double.run(&["alerts", "webhook", "add", "https://pager.example.com/tyr", "--rule", "stale", "--rule", "loss"]), @"
    exit 0
    --- stdout
    webhook_id  0199bbbb-0000-7000-8000-000001aa77c3
    url         https://pager.example.com/tyr
    format      json
    rules       stale,loss
    secret      0123456789abcdef
    --- stderr
    note: the secret is shown only this once; the receiver checks `Tyr-Signature` with it
    ");
    let refused = error("admin_only", "only an admin may do this", None);
    let double = Double::start(Answers::default().with("POST /api/v1/webhooks", 403, &refused));
    let shown = double.run(&["alerts", "webhook", "add", "https://pager.example.com/tyr"]);
    assert!(shown.starts_with("exit 4"), "{shown}");
}
