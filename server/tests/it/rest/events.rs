//! The list of events.

use jiff::SignedDuration;
use serde_json::Value;
use tyr_api::events::{Event, EventKind, EventPage, Verdict};

use super::harness::{Rest, event};

async fn page(rest: &Rest, token: &str, query: &str) -> EventPage {
    let body: Value = rest.get(token, &format!("/api/v1/events{query}")).await.expect(200);
    serde_json::from_value(body).expect("a page")
}

fn ids(events: &[Event]) -> Vec<String> {
    events.iter().map(|event| event.event_id.to_string()).collect()
}

#[tokio::test]
async fn filters_select() {
    let rest = Rest::start().await;
    let viewer = rest.session("viewer").await.1;
    let (one, two) = (rest.agent("one").await, rest.agent("two").await);
    let exec = event(one, "one", EventKind::Exec, Verdict::Allow);
    let mut deny = event(one, "one", EventKind::NetConnect, Verdict::Deny);
    deny.agent_type = Some("cursor".to_owned());
    let mut drift = event(two, "two", EventKind::FileRead, Verdict::Alert);
    drift.drift_detected = true;
    drift.agent_type = None;
    let stored = rest.store(vec![exec.clone(), deny.clone(), drift.clone()]).await;
    for (query, expected) in [
        (format!("?agent_id={one}"), vec![&deny, &exec]),
        ("?kind=exec".to_owned(), vec![&exec]),
        ("?verdict=deny".to_owned(), vec![&deny]),
        ("?agent_type=cursor".to_owned(), vec![&deny]),
        ("?drift_detected=true".to_owned(), vec![&drift]),
        ("?drift_detected=false".to_owned(), vec![&deny, &exec]),
        (format!("?since={}", deny.ts), vec![&drift, &deny]),
        (format!("?until={}", deny.ts), vec![&exec]),
        (format!("?before_ts={}", drift.ts), vec![&deny, &exec]),
        (format!("?agent_id={one}&verdict=alert"), vec![]),
    ] {
        let expected: Vec<String> = expected.into_iter().map(|event| event.event_id.to_string()).collect();
        assert_eq!(ids(&page(&rest, &viewer, &query).await.items), expected, "{query}");
    }
    let all = page(&rest, &viewer, "").await;
    let as_stored = stored.iter().find(|event| event.event_id == deny.event_id);
    assert_eq!(Some(&all.items[1]), as_stored, "every field, hostile text included");
    rest.stop().await;
}

#[tokio::test]
async fn pages_follow_each_other_without_doubles_or_losses() {
    let rest = Rest::start().await;
    let viewer = rest.session("viewer").await.1;
    let agent = rest.agent("one").await;
    let mut batch: Vec<Event> = (0..25).map(|_| event(agent, "one", EventKind::Exec, Verdict::Allow)).collect();
    // Several events of one instant: the cursor has to tell them apart.
    let (first, base) = (batch[0].ts, batch[0].ts);
    for (n, event) in (0_i64..).zip(&mut batch) {
        event.ts = base + SignedDuration::from_micros(n / 4);
    }
    rest.store(batch.clone()).await;
    let (mut seen, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let query = cursor.map_or_else(|| "?limit=7".to_owned(), |cursor| format!("?limit=7&cursor={cursor}"));
        let page = page(&rest, &viewer, &query).await;
        assert!(page.items.len() <= 7);
        seen.extend(ids(&page.items));
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    batch.sort_by_key(|event| std::cmp::Reverse((event.ts, event.event_id)));
    assert_eq!(seen, ids(&batch));
    let exact = page(&rest, &viewer, "?limit=25").await;
    assert_eq!((exact.items.len(), exact.next_cursor), (25, None));
    assert_eq!(page(&rest, &viewer, &format!("?before_ts={first}")).await.items, []);
    rest.stop().await;
}
