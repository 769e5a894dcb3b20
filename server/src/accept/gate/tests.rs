use super::*;

fn gate(connections: usize, per_source: usize, unproved: usize) -> Arc<Gate> {
    let limits = Limits { connections_max: connections, per_source_max: per_source, unproved_per_source_max: unproved };
    Gate::new(limits)
}

async fn come(gate: &Arc<Gate>, address: &str) -> Result<Arc<Place>, &'static str> {
    gate.enter(address.parse().expect("an address"), gate.permit().await)
}

#[tokio::test]
async fn one_source_takes_no_more_than_its_share() {
    let gate = gate(10, 3, 2);
    let mut inside = vec![come(&gate, "192.0.2.1").await.expect("in"), come(&gate, "192.0.2.1").await.expect("in")];
    assert!(come(&gate, "192.0.2.1").await.expect_err("full").contains("unproved"));
    inside[0].proved();
    inside.push(come(&gate, "192.0.2.1").await.expect("room again"));
    inside[1].proved();
    assert!(come(&gate, "192.0.2.1").await.expect_err("full").contains("connections"));
    inside.push(come(&gate, "192.0.2.2").await.expect("another source"));
    assert_eq!(gate.counts(), Counts { open: 4, accepted: 4, turned_away: 2, failed: 0 });
    drop(inside);
    assert_eq!(gate.counts().open, 0);
    assert!(gate.lock().is_empty(), "nobody is remembered who did nothing wrong");
}

#[tokio::test]
async fn a_64_of_ipv6_is_one_source_and_a_mapped_address_is_ipv4() {
    let gate = gate(10, 1, 1);
    let _six = come(&gate, "2001:db8::1").await.expect("in");
    come(&gate, "2001:db8::ffff:2").await.expect_err("the same source");
    let _other = come(&gate, "2001:db8:0:1::1").await.expect("another one");
    let _four = come(&gate, "192.0.2.1").await.expect("in");
    come(&gate, "::ffff:192.0.2.1").await.expect_err("the same source");
}

#[tokio::test]
async fn a_source_that_keeps_failing_is_shut_out_unless_an_agent_is_connected_from_it() {
    let gate = gate(10, 10, 10);
    let agent = come(&gate, "192.0.2.1").await.expect("in");
    agent.vouch();
    let bad = come(&gate, "192.0.2.1").await.expect("in");
    for _ in 0..=STRIKES_MAX {
        bad.strike(1);
    }
    drop(come(&gate, "192.0.2.1").await.expect("for the agent's sake"));
    drop(agent);
    assert!(come(&gate, "192.0.2.1").await.expect_err("shut out").contains("shut out"));
    come(&gate, "192.0.2.2").await.expect("others are not concerned");
    assert_eq!(gate.counts().failed, u64::from(STRIKES_MAX) + 1);
}

#[test]
fn failures_leak_away_and_penalties_grow() {
    let gate = gate(10, 10, 10);
    let (source, mut now) = (Source::of("192.0.2.1".parse().expect("an address")), Instant::now());
    // One each three seconds is never too much.
    for _ in 0..1000 {
        gate.strike(source, 1, now);
        now += LEAK_EVERY;
    }
    assert!(!gate.lock()[&source].is_shut(now));
    let mut penalties = Vec::new();
    for _ in 0..8 {
        gate.strike(source, STRIKES_MAX + 1, now);
        let until = gate.lock()[&source].shut_until.expect("shut out");
        penalties.push(until - now);
        now = until;
        assert!(!gate.lock()[&source].is_shut(now), "for a while only");
    }
    assert_eq!(penalties[..3], [SHUT_FIRST, 2 * SHUT_FIRST, 4 * SHUT_FIRST]);
    assert_eq!(penalties.last(), Some(&SHUT_MAX));
    now += SHUT_MAX;
    assert!(gate.lock().get_mut(&source).expect("there").is_blank(now), "and forgotten in the end");
}

#[test]
fn memory_for_sources_is_bounded() {
    let gate = gate(10, 10, 10);
    let now = Instant::now();
    for n in 0..SOURCES_MAX + 100 {
        gate.strike(Source(n as u128), 1, now);
    }
    assert_eq!(gate.lock().len(), SOURCES_MAX);
    gate.strike(Source(u128::MAX), 1, now + LEAK_EVERY);
    assert_eq!(gate.lock().len(), 1, "room is made by forgetting what has leaked away");
}

#[tokio::test]
async fn turns_are_few_per_source_and_the_wait_for_them_is_bounded() {
    let gate = gate(1000, 1000, 1000);
    let place = come(&gate, "192.0.2.1").await.expect("in");
    let held: Vec<Turn> = futures_util::future::join_all((0..TURNS).map(|_| place.turn()))
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    let mut waiting: Vec<_> = (0..TURNS_WAITING_MAX).map(|_| Box::pin(place.turn())).collect();
    for wait in &mut waiting {
        assert!(futures_util::poll!(wait.as_mut()).is_pending());
    }
    place.turn().await.expect_err("enough wait");
    let other = come(&gate, "192.0.2.2").await.expect("in");
    other.turn().await.expect("another source has turns of its own");
    drop(waiting);
    drop(held);
    place.turn().await.expect("those who gave up count no more");
}
