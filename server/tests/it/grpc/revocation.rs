//! Archiving and revoking agents that are connected.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use tonic::Code;
use tyr_proto::v1::agent_message::Payload as FromAgent;
use tyr_proto::v1::server_message::Payload as ToAgent;
use tyr_server::app::audit::Actor;
use tyr_server::app::auth::sessions::SessionKeys;
use tyr_server::app::{App, agents, fleet};
use tyr_server::config::Certificates;
use tyr_server::pki::Pki;
use tyr_server::tls::TlsConfigs;

use super::Door;
use crate::stack::{LIMIT, batch, event};

/// What is promised to whoever revokes.
const PROMISED: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_revoked_agent_is_cut_off_within_a_second_and_for_good() {
    let door = Door::open().await;
    let (lost, other) = (door.enroll().await, door.enroll().await);
    let mut stream = door.stream(&lost).await.expect("open");
    let mut bystander = door.stream(&other).await.expect("open");
    stream.greet().await;
    bystander.greet().await;
    stream.send(FromAgent::EventBatch(batch(vec![event()]))).await;
    stream.next().await.expect("an ack");

    let asked = Instant::now();
    let agent = agents::revoke(&door.stack.app, lost.agent_id, &Actor::environment()).await.expect("revoked");
    let status = stream.next().await.expect_err("ended");
    let took = asked.elapsed();
    assert!(took < PROMISED, "{took:?}");
    assert_eq!((status.code(), status.message().contains("revoked")), (Code::PermissionDenied, true), "{status}");
    assert!(agent.revoked_at.is_some() && agent.archived_at.is_some() && !agent.connected);
    assert_eq!(door.stream(&lost).await.err().expect("refused").code(), Code::PermissionDenied);

    bystander.send(FromAgent::EventBatch(batch(vec![event()]))).await;
    assert!(matches!(bystander.next().await, Ok(ToAgent::Ack(_))), "others go on");
    assert_eq!(door.stack.count("SELECT count(*) FROM events").await, 2, "events stay");
    assert_eq!(door.stack.count("SELECT count(*) FROM audit_log WHERE action = 'agent.revoke'").await, 1);

    // For good; but the host may come back as another agent.
    agents::archive(&door.stack.app, lost.agent_id, false, &Actor::environment()).await.expect_err("refused");
    let again = door.enroll().await;
    assert_ne!(again.agent_id, lost.agent_id);
    door.stream(&again).await.expect("open").greet().await;
    drop((stream, bystander));
    door.close().await;
}

#[tokio::test]
async fn a_revocation_at_another_server_reaches_the_stream_within_a_second() {
    let door = Door::open().await;
    let watched = CancellationToken::new();
    let watching = tokio::spawn(fleet::watch_refusals(Arc::clone(&door.stack.app), watched.clone()));
    let enrolled = door.enroll().await;
    let mut stream = door.stream(&enrolled).await.expect("open");
    stream.greet().await;

    // Another server of the same database, which knows nothing of the stream.
    let dir = tempfile::tempdir().expect("a folder");
    let pki = Pki::load_or_create(dir.path(), &[]).expect("a CA");
    let tls = TlsConfigs::new(&pki, true, Certificates::default().grace).expect("TLS");
    let key = SessionKeys::load_or_create(dir.path()).expect("a key");
    let other = App::new(door.stack.app.config.clone(), door.stack.db.pool.clone(), pki, tls, key);
    let asked = Instant::now();
    agents::revoke(&other, enrolled.agent_id, &Actor::environment()).await.expect("revoked");
    let status = stream.next().await.expect_err("ended");
    let took = asked.elapsed();
    assert!(took < PROMISED, "{took:?}");
    assert_eq!(status.code(), Code::PermissionDenied, "{status}");
    watched.cancel();
    tokio::time::timeout(LIMIT, watching).await.expect("ends").expect("no panic");
    drop((stream, other));
    door.close().await;
}

#[tokio::test]
async fn an_archived_agent_is_let_in_again_once_it_is_taken_back() {
    let door = Door::open().await;
    let enrolled = door.enroll().await;
    let mut stream = door.stream(&enrolled).await.expect("open");
    stream.greet().await;
    let by = Actor::environment();
    agents::archive(&door.stack.app, enrolled.agent_id, true, &by).await.expect("archived");
    let status = stream.next().await.expect_err("ended");
    assert_eq!((status.code(), status.message().contains("archived")), (Code::PermissionDenied, true), "{status}");
    assert_eq!(door.stack.app.fleet.by_liveness()["online"], 0, "it counts no more");
    assert_eq!(door.stream(&enrolled).await.err().expect("refused").code(), Code::PermissionDenied);
    agents::archive(&door.stack.app, enrolled.agent_id, false, &by).await.expect("taken back");
    door.stream(&enrolled).await.expect("open").greet().await;
    drop(stream);
    door.close().await;
}

#[tokio::test]
async fn ai_processes_that_the_agent_knows_no_more_are_ended() {
    use tyr_proto::v1::{DiscoveredAgent, LiveAiProcesses, Record, record};
    let door = Door::open().await;
    let enrolled = door.enroll().await;
    let mut stream = door.stream(&enrolled).await.expect("open");
    stream.greet().await;
    let ids = [uuid::Uuid::now_v7(), uuid::Uuid::now_v7()];
    let announced = ids.map(|id| Record {
        record: Some(record::Record::DiscoveredAgent(DiscoveredAgent {
            discovered_agent_id: id.to_string(),
            agent_type: "codex".to_owned(),
            pid: 7,
            first_seen_ns: event().timestamp_ns,
            found_by: "scan".to_owned(),
            ..DiscoveredAgent::default()
        })),
    });
    let mut news = batch(vec![]);
    news.records = announced.to_vec();
    stream.send(FromAgent::EventBatch(news)).await;
    stream.next().await.expect("an ack");
    assert_eq!(door.stack.count("SELECT count(*) FROM discovered_agents WHERE ended_at IS NULL").await, 2);

    // The agent crashed, and its successor still finds one of them.
    let mut stream = door.stream(&enrolled).await.expect("open");
    stream.greet().await;
    let living = LiveAiProcesses { discovered_agent_ids: vec![ids[1].as_bytes().to_vec()] };
    stream.send(FromAgent::LiveAiProcesses(living)).await;
    // One task takes both, so the ack comes after the list was worked off.
    stream.send(FromAgent::EventBatch(batch(vec![event()]))).await;
    stream.next().await.expect("an ack");
    let alive: Vec<uuid::Uuid> = sqlx::query_scalar("SELECT id FROM discovered_agents WHERE ended_at IS NULL")
        .fetch_all(&door.stack.app.pool)
        .await
        .expect("read");
    assert_eq!(alive, [ids[1]]);

    // The list is bounded and has to make sense.
    stream.send(FromAgent::LiveAiProcesses(LiveAiProcesses { discovered_agent_ids: vec![vec![1, 2, 3]] })).await;
    assert_eq!(stream.next().await.expect_err("ended").code(), Code::InvalidArgument);
    drop(stream);
    door.close().await;
}
