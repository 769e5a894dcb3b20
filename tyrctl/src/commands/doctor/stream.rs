//! The event stream: whether it opens, lives, and goes on where it was cut off.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use tokio::time::timeout;

use super::Finding;
use super::server::ms;
use crate::client::Client;
use crate::client::sse::{self, Connection, SseItem, StreamQuery};
use crate::error::{Failure, Kind};

/// Opens it, waits for a sign of life, and opens it again with the id of an event.
pub(super) async fn look(client: &Client, wait: Duration, findings: &mut Vec<Finding>) {
    let started = Instant::now();
    let mut connection = sse::connect(client, StreamQuery::default());
    if let Err(failure) = opened(client, &mut connection).await {
        findings.push(Finding::fail("stream", &failure));
        return;
    }
    findings.push(Finding::ok("stream", format!("opened in {}", ms(started.elapsed()))));
    let sign = timeout(wait, sign_of_life(&mut connection)).await;
    drop(connection);
    let mut cursor = None;
    findings.push(match sign {
        Err(_) => Finding::warn(
            "alive",
            format!("neither event nor comment within {wait:?}"),
            "the server sends a comment each 10 s: does a proxy in between hold answers back (buffering)?",
        ),
        Ok(Err(failure)) => Finding::fail("alive", &failure),
        Ok(Ok(None)) => Finding::ok("alive", format!("a comment after {}", ms(started.elapsed()))),
        Ok(Ok(Some(id))) => {
            let found = format!("an event with an id after {}", ms(started.elapsed()));
            cursor = Some(id);
            Finding::ok("alive", found)
        }
    });
    let cursor = match cursor {
        Some(cursor) => Ok(Some(cursor)),
        // No event came by; the dashboard's snapshot names the place to go on from too.
        None => client.snapshot().await.map(|snapshot| Some(snapshot.cursor).filter(|cursor| !cursor.is_empty())),
    };
    findings.push(match cursor {
        Err(failure) => Finding::fail("resume", &failure),
        Ok(None) => Finding::skip("resume", "there is no event yet to go on after"),
        Ok(Some(cursor)) => {
            let query = StreamQuery { last_event_id: Some(cursor), ..StreamQuery::default() };
            let mut connection = sse::connect(client, query);
            match opened(client, &mut connection).await {
                Ok(()) => Finding::ok("resume", "the server goes on after the last event"),
                Err(failure) => Finding::fail("resume", &failure),
            }
        }
    });
}

async fn opened(client: &Client, connection: &mut Connection) -> Result<(), Failure> {
    let live = async {
        while let Some(item) = connection.next().await {
            match item {
                SseItem::Live => return Ok(()),
                SseItem::Waiting { cause, .. } | SseItem::Stopped(cause) => return Err(cause),
                _ => {}
            }
        }
        Err(ended())
    };
    let limit = client.endpoint().timeout;
    timeout(limit, live)
        .await
        .unwrap_or_else(|_| Err(Failure::new(Kind::Unreachable, format!("the stream did not open within {limit:?}"))))
}

/// The id of an event, or none: it was a comment.
async fn sign_of_life(connection: &mut Connection) -> Result<Option<String>, Failure> {
    while let Some(item) = connection.next().await {
        match item {
            SseItem::Event { id: Some(id), .. } => return Ok(Some(id)),
            SseItem::Event { id: None, .. } => {
                return Err(
                    Failure::failed("an event came without an id").hint("does a proxy in between change the stream?")
                );
            }
            SseItem::KeepAlive => return Ok(None),
            SseItem::Waiting { cause, .. } | SseItem::Stopped(cause) => return Err(cause),
            _ => {}
        }
    }
    Err(ended())
}

fn ended() -> Failure {
    Failure::new(Kind::Unreachable, "the stream ended")
}
