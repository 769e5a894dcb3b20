//! Snapshot first, then the stream alone; after an outage both again, with nothing shown twice.
//!
//! The queue to the screen is short. While it's full, what comes in is put together into one batch: counters are summed up, agents keep their
//! newest state, and event bodies beyond a limit are dropped and counted, so a slow terminal holds nothing up and nothing is silently lost.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use tyr_api::stream::{AGENTS, AI, ALERTS, STATS};

use crate::client::Client;
use crate::client::sse::{self, Connection, SseItem, StreamQuery};
use crate::error::{Failure, Kind};
use crate::tui::state::feed::{Batch, Feed};

/// Messages that wait for the screen.
const QUEUE_MAX: usize = 8;
/// Longest wait before a further attempt at a snapshot.
const DELAY_MAX: Duration = Duration::from_secs(10);

/// The task that talks to the server; dropping it hangs up.
#[derive(Debug)]
pub struct Conn {
    retry: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Conn {
    /// Tries at once, if it waits or has given up.
    pub fn retry(&self) {
        self.retry.notify_one();
    }
}

impl Drop for Conn {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Starts to follow the server from within a tokio runtime.
pub fn start(client: Client) -> (Conn, mpsc::Receiver<Feed>) {
    let (sender, receiver) = mpsc::channel(QUEUE_MAX);
    let retry = Arc::new(Notify::new());
    let follower = Follower { client, sender, retry: Arc::clone(&retry), cursor: None, attempt: 0 };
    (Conn { retry, task: tokio::spawn(follower.run()) }, receiver)
}

/// Nobody listens any more.
struct Gone;

struct Follower {
    client: Client,
    sender: mpsc::Sender<Feed>,
    retry: Arc<Notify>,
    /// Id of the last event seen.
    cursor: Option<String>,
    /// Attempts since the last good connection.
    attempt: u32,
}

impl Follower {
    async fn run(mut self) {
        // Ends when nobody listens any more.
        while self.follow().await.is_ok() {}
    }

    /// From a snapshot on until the stream has to be begun anew.
    async fn follow(&mut self) -> Result<(), Gone> {
        self.send(Feed::Connecting).await?;
        let snapshot = match self.client.snapshot().await {
            Ok(snapshot) => snapshot,
            Err(failure) if failure.kind == Kind::Unreachable => {
                self.attempt += 1;
                let delay = Duration::from_millis(500).saturating_mul(1 << (self.attempt - 1).min(5)).min(DELAY_MAX);
                self.wait(self.attempt, delay, &failure).await?;
                tokio::select! {
                    () = tokio::time::sleep(delay) => {}
                    () = self.retry.notified() => {}
                }
                return Ok(());
            }
            Err(failure) => return self.stop(&failure).await,
        };
        let resumed = self.cursor.is_some();
        let from = self.cursor.clone().unwrap_or_else(|| snapshot.cursor.clone());
        self.cursor = Some(from.clone());
        self.send(Feed::Snapshot { snapshot: Box::new(snapshot), resumed }).await?;
        let query = StreamQuery {
            include: vec![STATS, AGENTS, AI, ALERTS],
            last_event_id: Some(from).filter(|id| !id.is_empty()),
            ..StreamQuery::default()
        };
        let connection = sse::connect(&self.client, query);
        self.stream(connection).await
    }

    /// Follows one stream through its reconnects.
    async fn stream(&mut self, mut connection: Connection) -> Result<(), Gone> {
        let mut batch = Batch::default();
        let mut was_cut = false;
        let sender = self.sender.clone();
        loop {
            let item = tokio::select! {
                biased;
                () = self.retry.notified() => {
                    connection.retry_now();
                    continue;
                }
                permit = sender.reserve(), if !batch.is_empty() => {
                    permit.map_err(|_| Gone)?.send(Feed::Batch(Box::new(std::mem::take(&mut batch))));
                    continue;
                }
                item = connection.next() => item,
            };
            match item {
                Some(SseItem::Event { id, event }) => {
                    if id.is_some() {
                        batch.cursor.clone_from(&id);
                        self.cursor = id;
                    }
                    batch.event(*event);
                }
                Some(SseItem::Gap(gap)) => batch.gap(gap),
                Some(SseItem::Stats(stats)) => {
                    batch.alive = true;
                    batch.stats.push(stats);
                }
                Some(SseItem::Agents(agents)) => {
                    batch.alive = true;
                    batch.agents.extend(agents.into_iter().map(|agent| (agent.agent_id, agent)));
                }
                Some(SseItem::Ai(processes)) => {
                    batch.alive = true;
                    batch.ai.extend(processes.into_iter().map(|process| (process.id, process)));
                }
                Some(SseItem::Alert(alert)) => {
                    batch.alive = true;
                    batch.alerts.insert(alert.alert_id, *alert);
                }
                Some(SseItem::KeepAlive) => batch.alive = true,
                Some(SseItem::Unreadable { name, cause }) => {
                    tracing::warn!(sse.name = name, cause, "unreadable item on the stream left out");
                    batch.alive = true;
                }
                Some(SseItem::Connecting) => self.send(Feed::Connecting).await?,
                Some(SseItem::Live) => {
                    if was_cut {
                        // What changed meanwhile on agents comes with no event: take their state anew.
                        let Ok(snapshot) = self.client.snapshot().await else { return Ok(()) };
                        self.send(Feed::Snapshot { snapshot: Box::new(snapshot), resumed: true }).await?;
                    }
                    was_cut = false;
                    self.attempt = 0;
                    self.send(Feed::Open).await?;
                }
                Some(SseItem::Waiting { attempt, delay, cause }) => {
                    was_cut = true;
                    self.flush(&mut batch).await?;
                    self.wait(attempt, delay, &cause).await?;
                }
                Some(SseItem::Stopped(failure)) => {
                    self.flush(&mut batch).await?;
                    return self.stop(&failure).await;
                }
                None => return Ok(()),
            }
        }
    }

    async fn send(&self, feed: Feed) -> Result<(), Gone> {
        self.sender.send(feed).await.map_err(|_| Gone)
    }

    async fn flush(&self, batch: &mut Batch) -> Result<(), Gone> {
        if batch.is_empty() { Ok(()) } else { self.send(Feed::Batch(Box::new(std::mem::take(batch)))).await }
    }

    async fn wait(&self, attempt: u32, delay: Duration, failure: &Failure) -> Result<(), Gone> {
        self.send(Feed::Waiting { attempt, until: Instant::now() + delay, cause: in_one_line(failure) }).await
    }

    /// Gives up until the operator asks for another try.
    async fn stop(&self, failure: &Failure) -> Result<(), Gone> {
        let login = failure.kind == Kind::Denied;
        self.send(Feed::Stopped { cause: in_one_line(failure), login }).await?;
        tokio::select! {
            () = self.retry.notified() => Ok(()),
            () = self.sender.closed() => Err(Gone),
        }
    }
}

/// What went wrong, for the message line; what to do only where nothing comes back by itself.
fn in_one_line(failure: &Failure) -> String {
    match failure.hints.first() {
        Some(hint) if failure.kind != Kind::Unreachable => format!("{} - {hint}", failure.one_line()),
        _ => failure.one_line(),
    }
}
