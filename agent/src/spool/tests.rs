use std::time::Duration;

use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};
use tokio::time::{Instant, timeout};
use tyr_proto::v1::record::Record as Payload;
use tyr_proto::v1::{DiscoveredAgent, Event, EventBatch, EventKind, Verdict};

use super::{FLUSH_AFTER, FLUSH_URGENT_AFTER, IN_FLIGHT_RECORDS_MAX, RECORD_BYTES_MAX, Spool};

fn event(verdict: Verdict, name: &str) -> Event {
    Event { kind: EventKind::FileRead.into(), verdict: verdict.into(), resource: name.to_owned(), ..Event::default() }
}

fn names(batch: &EventBatch) -> Vec<&str> {
    let name = |record: &'_ tyr_proto::v1::Record| match record.record.as_ref() {
        Some(Payload::Event(event)) => Some(event.resource.clone()),
        _ => None,
    };
    batch.records.iter().filter_map(name).map(|name| &*name.leak()).collect()
}

async fn none_due(spool: &Spool) -> bool {
    timeout(Duration::from_millis(1), spool.next_batch()).await.is_err()
}

#[tokio::test(start_paused = true)]
async fn an_allowed_event_waits_a_second_and_a_denial_50_ms() {
    let spool = Spool::new(1 << 20);
    let start = Instant::now();
    spool.append_event(event(Verdict::Allow, "a"));
    assert_eq!(names(&spool.next_batch().await), ["a"]);
    assert_eq!(start.elapsed(), FLUSH_AFTER);

    let start = Instant::now();
    spool.append_event(event(Verdict::Allow, "b"));
    spool.append_event(event(Verdict::Deny, "c"));
    let batch = spool.next_batch().await;
    assert_eq!((batch.first_sequence, names(&batch)), (2, vec!["b", "c"]));
    assert_eq!(start.elapsed(), FLUSH_URGENT_AFTER);
}

#[tokio::test(start_paused = true)]
async fn a_hundred_records_leave_at_once() {
    let spool = Spool::new(1 << 20);
    for _ in 0..100 {
        spool.append_event(event(Verdict::Allow, "a"));
    }
    let start = Instant::now();
    assert_eq!(spool.next_batch().await.records.len(), 100);
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert!(none_due(&spool).await);
}

#[tokio::test(start_paused = true)]
async fn many_bytes_leave_at_once() {
    let spool = Spool::new(1 << 21);
    let start = Instant::now();
    let long = "x".repeat(200 * 1024);
    for _ in 0..3 {
        spool.append_event(event(Verdict::Allow, &long));
    }
    assert_eq!(spool.next_batch().await.records.len(), 2);
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_eq!(spool.next_batch().await.records.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn hands_out_again_exactly_what_was_not_acknowledged() {
    let spool = Spool::new(1 << 20);
    for name in ["a", "b", "c"] {
        spool.append_event(event(Verdict::Deny, name));
    }
    let first = spool.next_batch().await;
    assert!(spool.acknowledge(&first.spool_epoch, 1));
    spool.rewind();
    let again = spool.next_batch().await;
    assert_eq!((again.first_sequence, names(&again)), (2, vec!["b", "c"]));
    assert_eq!(again.records, first.records[1..]);
    assert!(spool.acknowledge(&again.spool_epoch, 3));
    assert_eq!(spool.counters().acknowledged, 3);
    spool.rewind();
    assert!(none_due(&spool).await);
}

#[tokio::test(start_paused = true)]
async fn an_acknowledgement_of_something_else_changes_nothing() {
    let spool = Spool::new(1 << 20);
    spool.append_event(event(Verdict::Deny, "a"));
    assert!(!spool.acknowledge(&spool.epoch(), 1), "not sent yet");
    spool.next_batch().await;
    assert!(!spool.acknowledge(&[0; 16], 1), "another epoch");
    assert!(!spool.acknowledge(&spool.epoch(), u64::MAX));
    assert_eq!(spool.counters().records, 1);
}

#[tokio::test(start_paused = true)]
async fn keeps_denials_and_announcements_before_allowed_events() {
    let spool = Spool::new(64 * 1024);
    spool.append_discovered(DiscoveredAgent::default());
    spool.append_event(event(Verdict::Deny, "kept"));
    let long = "x".repeat(1000);
    for _ in 0..200 {
        spool.append_event(event(Verdict::Allow, &long));
    }
    let counters = spool.counters();
    assert!(counters.bytes <= 64 * 1024);
    assert_eq!(counters.emitted, 201);
    assert!(counters.lost > 100, "{counters:?}");
    let first = spool.next_batch().await;
    assert_eq!((first.records.len(), names(&first)), (2, vec!["kept"]), "then a gap");

    for _ in 0..200 {
        spool.append_event(event(Verdict::Deny, &long));
    }
    let losses = spool.losses();
    assert_eq!(losses.iter().map(|loss| loss.verdict).collect::<Vec<_>>(), [1, 2], "allowed ones went first");
    assert_eq!(spool.counters().announcements_lost, 0);
}

#[tokio::test(start_paused = true)]
async fn what_was_sent_is_never_counted_as_lost() {
    let spool = Spool::new(8 * 1024);
    spool.append_event(event(Verdict::Allow, &"x".repeat(6000)));
    let sent = spool.next_batch().await;
    for _ in 0..10 {
        spool.append_event(event(Verdict::Deny, &"y".repeat(4000)));
    }
    assert_eq!(spool.counters().lost, 10);
    spool.rewind();
    assert_eq!(spool.next_batch().await.records[0], sent.records[0]);
}

#[tokio::test(start_paused = true)]
async fn reports_losses_once_and_again_when_they_grow() {
    let losses = |batch: &EventBatch| {
        let count = |record: &tyr_proto::v1::Record| match &record.record {
            Some(Payload::Loss(loss)) => Some((loss.reason.clone(), loss.count)),
            _ => None,
        };
        batch.records.iter().filter_map(count).collect::<Vec<_>>()
    };
    let spool = Spool::new(1 << 20);
    let (kind, verdict) = (EventKind::Exec.into(), Verdict::Allow.into());
    spool.set_lost(kind, verdict, "kernel_ring", 7);
    assert_eq!(losses(&spool.next_batch().await), [("kernel_ring".to_owned(), 7)]);
    spool.set_lost(kind, verdict, "kernel_ring", 7);
    assert!(none_due(&spool).await, "nothing new");
    spool.set_lost(kind, verdict, "kernel_ring", 9);
    assert_eq!(losses(&spool.next_batch().await), [("kernel_ring".to_owned(), 9)]);
    assert_eq!((spool.counters().emitted, spool.counters().lost), (9, 9));
}

#[tokio::test(start_paused = true)]
async fn stops_at_the_window_until_something_is_acknowledged() {
    let spool = Spool::new(1 << 24);
    for _ in 0..IN_FLIGHT_RECORDS_MAX + 100 {
        spool.append_event(event(Verdict::Allow, "a"));
    }
    let mut sent = 0;
    while let Ok(batch) = timeout(Duration::from_secs(5), spool.next_batch()).await {
        sent += batch.records.len();
    }
    assert_eq!(sent, IN_FLIGHT_RECORDS_MAX);
    assert!(spool.acknowledge(&spool.epoch(), 100));
    assert_eq!(spool.next_batch().await.records.len(), 100);
}

#[tokio::test(start_paused = true)]
async fn at_the_end_nothing_waits() {
    let spool = Spool::new(1 << 20);
    spool.append_event(event(Verdict::Allow, "a"));
    let start = Instant::now();
    tokio::join!(spool.drained(), async {
        let batch = spool.next_batch().await;
        spool.append_event(event(Verdict::Allow, "b"));
        assert!(spool.acknowledge(&batch.spool_epoch, 1));
        let batch = spool.next_batch().await;
        assert!(spool.acknowledge(&batch.spool_epoch, batch.first_sequence));
    });
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_eq!(spool.counters().records, 0);
}

/// What can happen to a spool.
#[derive(Debug, Clone)]
enum Act {
    Append {
        deny: bool,
        bytes: usize,
    },
    Take,
    /// Acknowledges this share of what was sent, in 1/255.
    Acknowledge(u8),
    Reconnect,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (any::<bool>(), 0_usize..600).prop_map(|(deny, bytes)| Act::Append { deny, bytes }),
        2 => Just(Act::Take),
        1 => any::<u8>().prop_map(Act::Acknowledge),
        1 => Just(Act::Reconnect),
    ]
}

proptest! {
    /// Emitted = stored + lost, and nothing stored that was never made or that changed: whatever happens, in any order.
    #[test]
    fn every_event_is_stored_or_lost(acts in proptest::collection::vec(act(), 0..300)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let spool = Spool::new(20 * 1024);
            let mut stored = std::collections::BTreeMap::new();
            let mut emitted = 0_u64;
            let mut sent_to = 0;
            let mut acked_to = 0;
            let deliver = |batch: EventBatch, stored: &mut std::collections::BTreeMap<u64, _>, sent_to: &mut u64| {
                for (record, sequence) in batch.records.into_iter().zip(batch.first_sequence..) {
                    *sent_to = (*sent_to).max(sequence);
                    if let Some(old) = stored.insert(sequence, record.clone()) {
                        assert_eq!(old, record, "a replay carries the same bytes");
                    }
                }
            };
            for act in acts {
                match act {
                    Act::Append { deny, bytes } => {
                        let verdict = if deny { Verdict::Deny } else { Verdict::Allow };
                        spool.append_event(event(verdict, &"x".repeat(bytes)));
                        emitted += 1;
                    }
                    Act::Take => {
                        if let Ok(batch) = timeout(Duration::from_secs(2), spool.next_batch()).await {
                            deliver(batch, &mut stored, &mut sent_to);
                        }
                    }
                    Act::Acknowledge(share) => {
                        let sequence = acked_to + (sent_to - acked_to) * u64::from(share) / 255;
                        if sequence > acked_to {
                            assert!(spool.acknowledge(&spool.epoch(), sequence));
                            acked_to = sequence;
                        }
                    }
                    Act::Reconnect => spool.rewind(),
                }
            }
            while let Ok(batch) = timeout(Duration::from_secs(5), spool.next_batch()).await {
                deliver(batch, &mut stored, &mut sent_to);
            }
            let events = stored.values().filter(|record| matches!(record.record, Some(Payload::Event(_)))).count();
            let last_report: u64 = {
                let mut totals = std::collections::BTreeMap::new();
                for record in stored.values() {
                    if let Some(Payload::Loss(loss)) = &record.record {
                        totals.insert((loss.kind, loss.verdict, loss.reason.clone()), loss.count);
                    }
                }
                totals.values().sum()
            };
            assert_eq!(emitted, events as u64 + last_report);
            assert_eq!(spool.counters().lost, last_report);
            assert_eq!(spool.counters().emitted, emitted);
        });
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_server_refuses_is_narrowed_down_and_given_up_alone() {
    let spool = Spool::new(1 << 20);
    for n in 0..150 {
        spool.append_event(event(Verdict::Deny, if n == 120 { "poison" } else { "fine" }));
    }
    // A server that takes all but that one, and says so by ending the connection.
    let (mut connections, mut stored) = (0, 0);
    while spool.counters().records > 0 {
        connections += 1;
        assert!(connections < 50, "it is stuck: {:?}", spool.counters());
        spool.rewind();
        loop {
            let Ok(batch) = timeout(Duration::from_secs(2), spool.next_batch()).await else { break };
            if names(&batch).contains(&"poison") {
                spool.refused();
                break;
            }
            let events = names(&batch).len();
            let last = batch.first_sequence + batch.records.len() as u64 - 1;
            assert!(spool.acknowledge(&batch.spool_epoch, last));
            stored += events;
        }
    }
    assert_eq!(stored, 149);
    let lost: Vec<_> = spool.losses().into_iter().map(|loss| (loss.reason, loss.count)).collect();
    assert_eq!(lost, [("refused".to_owned(), 1)]);
    let counters = spool.counters();
    assert_eq!((counters.emitted, counters.acknowledged, counters.lost), (150, 149, 1));
    assert_eq!(counters.bytes, 0);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_before_anything_was_sent_gives_nothing_up() {
    let spool = Spool::new(1 << 20);
    spool.append_event(event(Verdict::Deny, "a"));
    for _ in 0..20 {
        spool.rewind();
        assert!(!spool.refused());
    }
    assert_eq!(names(&spool.next_batch().await), ["a"]);
}

#[tokio::test(start_paused = true)]
async fn a_record_that_no_message_can_hold_is_counted_as_lost() {
    let spool = Spool::new(1 << 24);
    spool.append_event(event(Verdict::Deny, &"x".repeat(RECORD_BYTES_MAX)));
    spool.append_event(event(Verdict::Deny, "fine"));
    assert_eq!(names(&spool.next_batch().await), ["fine"]);
    assert_eq!((spool.counters().lost, spool.counters().emitted), (1, 2));
    assert_eq!(spool.losses()[0].reason, "too_large");
}
