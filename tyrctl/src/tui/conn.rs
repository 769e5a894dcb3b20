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
use crate::tui::record::Recorder;
use crate::tui::sampler::Sampler;
use crate::tui::state::feed::{Batch, Feed};
use crate::tui::state::news::News;

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

/// Starts to follow the server from within a tokio runtime; what comes is recorded, if it shall be.
pub fn start(client: Client, recorder: Option<Recorder>) -> (Conn, mpsc::Receiver<Feed>) {
    let (sender, receiver) = mpsc::channel(QUEUE_MAX);
    let retry = Arc::new(Notify::new());
    let follower = Follower { client, sender, recorder, retry: Arc::clone(&retry), cursor: None, attempt: 0 };
    (Conn { retry, task: tokio::spawn(follower.run()) }, receiver)
}

/// Nobody listens any more.
struct Gone;

struct Follower {
    client: Client,
    sender: mpsc::Sender<Feed>,
    recorder: Option<Recorder>,
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
        self.tell(News::Connecting).await?;
        let snapshot = match self.client.snapshot().await {
            Ok(snapshot) => snapshot,
            Err(failure) => return self.failed(&failure).await,
        };
        let resumed = self.cursor.is_some();
        let from = self.cursor.clone().unwrap_or_else(|| snapshot.cursor.clone());
        self.cursor = Some(from.clone());
        self.tell(News::Snapshot { resumed, snapshot: Box::new(snapshot) }).await?;
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
        let mut sampler = Sampler::default();
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
            let news = match item {
                Some(SseItem::Event { id, event }) => {
                    if id.is_some() {
                        batch.cursor.clone_from(&id);
                        self.cursor = id;
                    }
                    let news = News::Event(event);
                    self.record(&news).await?;
                    match news {
                        News::Event(event) if !sampler.shows(&event, Instant::now()) => batch.event_unseen(&event),
                        news => drop(batch.take(news, Instant::now())),
                    }
                    continue;
                }
                Some(SseItem::Gap(gap)) => News::Gap(gap),
                Some(SseItem::Stats(stats)) => News::Stats(stats),
                Some(SseItem::Agents(agents)) => News::Agents(agents),
                Some(SseItem::Ai(processes)) => News::Ai(processes),
                Some(SseItem::Alert(alert)) => News::Alert(alert),
                Some(SseItem::KeepAlive) => News::Alive,
                Some(SseItem::Unreadable { name, cause }) => {
                    tracing::warn!(sse.name = name, cause, "unreadable item on the stream left out");
                    News::Alive
                }
                Some(SseItem::Connecting) => News::Connecting,
                Some(SseItem::Live) => {
                    if was_cut {
                        // What changed meanwhile on agents comes with no event: take their state anew.
                        let Ok(snapshot) = self.client.snapshot().await else { return Ok(()) };
                        self.tell(News::Snapshot { resumed: true, snapshot: Box::new(snapshot) }).await?;
                    }
                    was_cut = false;
                    self.attempt = 0;
                    News::Open
                }
                Some(SseItem::Waiting { attempt, delay, cause }) => {
                    was_cut = true;
                    waiting(attempt, delay, &cause)
                }
                Some(SseItem::Stopped(failure)) => {
                    self.flush(&mut batch).await?;
                    return self.failed(&failure).await;
                }
                None => return Ok(()),
            };
            if news.is_about_the_connection() {
                self.flush(&mut batch).await?;
                self.tell(news).await?;
            } else {
                self.record(&news).await?;
                batch.take(news, Instant::now());
            }
        }
    }

    /// Tells what became of the connection.
    async fn tell(&mut self, news: News) -> Result<(), Gone> {
        self.record(&news).await?;
        match Batch::default().take(news, Instant::now()) {
            Some(feed) => self.send(feed).await,
            None => Ok(()),
        }
    }

    async fn record(&mut self, news: &News) -> Result<(), Gone> {
        let Some(recorder) = &mut self.recorder else { return Ok(()) };
        let Err(why) = recorder.push(news) else { return Ok(()) };
        self.recorder = None;
        self.send(Feed::RecordingEnded(why)).await
    }

    async fn send(&self, feed: Feed) -> Result<(), Gone> {
        self.sender.send(feed).await.map_err(|_| Gone)
    }

    async fn flush(&self, batch: &mut Batch) -> Result<(), Gone> {
        if batch.is_empty() { Ok(()) } else { self.send(Feed::Batch(Box::new(std::mem::take(batch)))).await }
    }

    /// After a failure: whoever is refused, or asked for nonsense, waits for the operator; everything else may pass by itself,
    /// also a proxy that answers for a server that is being replaced.
    async fn failed(&mut self, failure: &Failure) -> Result<(), Gone> {
        let login = failure.kind == Kind::Denied;
        if login || failure.kind == Kind::Usage {
            let cause = if login { failure.one_line() } else { in_one_line(failure) };
            self.tell(News::Stopped { cause, login }).await?;
            return tokio::select! {
                () = self.retry.notified() => Ok(()),
                () = self.sender.closed() => Err(Gone),
            };
        }
        self.attempt += 1;
        let delay = Duration::from_millis(500).saturating_mul(1 << (self.attempt - 1).min(5)).min(DELAY_MAX);
        self.tell(waiting(self.attempt, delay, failure)).await?;
        tokio::select! {
            () = tokio::time::sleep(delay) => {}
            () = self.retry.notified() => {}
        }
        Ok(())
    }
}

fn waiting(attempt: u32, delay: Duration, failure: &Failure) -> News {
    let delay_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
    News::Waiting { attempt, delay_ms, cause: in_one_line(failure) }
}

/// What went wrong, for the message line; what to do only where nothing comes back by itself.
fn in_one_line(failure: &Failure) -> String {
    match failure.hints.first() {
        Some(hint) if failure.kind != Kind::Unreachable => format!("{} - {hint}", failure.one_line()),
        _ => failure.one_line(),
    }
}
