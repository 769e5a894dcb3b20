//! Snapshot first, then the stream alone; after an outage both again, with nothing shown twice.
//!
//! What comes in is put together into one batch, which waits a moment behind the last one unless it holds what somebody should see at once, and longer while the
//! short queue to the screen is full: counters are summed up, agents keep their newest state, and event bodies beyond a limit are dropped and
//! counted, so a slow terminal holds nothing up and nothing is silently lost.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant as TokioInstant, sleep};
use tyr_api::stream::{AGENTS, AI, ALERTS, STATS};

use crate::client::Client;
use crate::client::sse::{self, Connection, SseItem, StreamQuery};
use crate::error::{Failure, Kind};
use crate::tui::filter::Filter;
use crate::tui::record::Recorder;
use crate::tui::sampler::Sampler;
use crate::tui::state::feed::{Batch, Feed};
use crate::tui::state::held::Held;
use crate::tui::state::news::News;
use crate::tui::state::rows::EventRow;

/// Messages that wait for the screen.
const QUEUE_MAX: usize = 8;
/// Items of the stream that are taken between two looks at the queue.
const ITEMS_MAX: usize = 256;
/// Least distance of two batches that hold nothing but what is as it should be.
const HOLD: Duration = Duration::from_millis(100);
/// Longest wait before a further attempt at a snapshot.
const DELAY_MAX: Duration = Duration::from_secs(10);

/// The task that talks to the server; dropping it hangs up.
#[derive(Debug)]
pub struct Conn {
    retry: Arc<Notify>,
    filter: watch::Sender<Filter>,
    task: JoinHandle<()>,
}

impl Conn {
    /// What the operator wants to see: a sample is not taken of it, as long as it's not too much.
    pub fn prefer(&self, filter: Filter) {
        self.filter.send_replace(filter);
    }

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
    let (filter, preferred) = watch::channel(Filter::default());
    let follower =
        Follower { client, sender, recorder, retry: Arc::clone(&retry), preferred, cursor: None, attempt: 0 };
    (Conn { retry, filter, task: tokio::spawn(follower.run()) }, receiver)
}

/// Nobody listens any more.
struct Gone;

struct Follower {
    client: Client,
    sender: mpsc::Sender<Feed>,
    recorder: Option<Recorder>,
    retry: Arc<Notify>,
    /// What the operator wants to see.
    preferred: watch::Receiver<Filter>,
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
            as_text: true,
            ..StreamQuery::default()
        };
        let connection = sse::connect(&self.client, query);
        self.stream(connection).await
    }

    /// Follows one stream through its reconnects.
    async fn stream(&mut self, mut connection: Connection) -> Result<(), Gone> {
        let mut coming = Coming::default();
        let mut was_cut = false;
        let mut items = Vec::with_capacity(ITEMS_MAX);
        let sender = self.sender.clone();
        let hold = sleep(Duration::ZERO);
        tokio::pin!(hold);
        let mut flushed = TokioInstant::now();
        loop {
            let waits = !coming.batch.is_empty() && !coming.hurries;
            tokio::select! {
                biased;
                () = self.retry.notified() => {
                    connection.retry_now();
                    continue;
                }
                permit = sender.reserve(), if coming.hurries => {
                    permit.map_err(|_| Gone)?.send(coming.feed(connection.bytes()));
                    flushed = TokioInstant::now();
                    continue;
                }
                () = &mut hold, if waits => {
                    coming.hurries = true;
                    continue;
                }
                count = connection.next_many(&mut items, ITEMS_MAX) => if count == 0 { return Ok(()) },
            }
            if coming.batch.is_empty() {
                hold.as_mut().reset(flushed + HOLD);
            }
            let now = Instant::now();
            for item in items.drain(..) {
                let news = match item {
                    SseItem::Text { id, text } => {
                        if id.is_some() {
                            self.cursor.clone_from(&id);
                            coming.batch.cursor = id;
                        }
                        self.event(&mut coming, text, now).await?;
                        continue;
                    }
                    SseItem::Event { .. } => continue,
                    SseItem::Gap(gap) => News::Gap(gap),
                    SseItem::Stats(stats) => News::Stats(stats),
                    SseItem::Agents(agents) => News::Agents(agents),
                    SseItem::Ai(processes) => News::Ai(processes),
                    SseItem::Alert(alert) => News::Alert(alert),
                    SseItem::KeepAlive => News::Alive,
                    SseItem::Unreadable { name, cause } => left_out(&name, &cause),
                    SseItem::Connecting => News::Connecting,
                    SseItem::Live => {
                        if was_cut {
                            // What changed meanwhile on agents comes with no event: take their state anew.
                            let Ok(snapshot) = self.client.snapshot().await else { return Ok(()) };
                            self.tell(News::Snapshot { resumed: true, snapshot: Box::new(snapshot) }).await?;
                        }
                        was_cut = false;
                        self.attempt = 0;
                        News::Open
                    }
                    SseItem::Waiting { attempt, delay, cause } => {
                        was_cut = true;
                        waiting(attempt, delay, &cause)
                    }
                    SseItem::Stopped(failure) => {
                        self.flush(&mut coming, connection.bytes()).await?;
                        return self.failed(&failure).await;
                    }
                };
                if news.is_about_the_connection() {
                    self.flush(&mut coming, connection.bytes()).await?;
                    self.tell(news).await?;
                } else {
                    self.record(&news).await?;
                    // The server's clock is in the counters: they must not grow old.
                    coming.hurries |= matches!(news, News::Stats(_));
                    coming.batch.take(news, now);
                }
            }
            coming.hurries |= coming.batch.urgent;
        }
    }

    /// Takes an event in: shown, or counted alone where there are too many.
    async fn event(&mut self, coming: &mut Coming, text: String, now: Instant) -> Result<(), Gone> {
        if self.recorder.is_some()
            && let Ok(event) = serde_json::from_str(&text)
        {
            self.record(&News::Event(event)).await?;
        }
        let Coming { batch, sampler, .. } = coming;
        let taken = Held::from_text(text, |event| {
            let wanted = || {
                let filter = self.preferred.borrow();
                !filter.is_empty() && filter.wants(&EventRow { event: *event, now: Timestamp::now() })
            };
            let shows = sampler.shows(event, now, wanted);
            if !shows {
                batch.event_unseen(event);
            }
            shows
        });
        match taken {
            Ok(Some(held)) => batch.event(held),
            Ok(None) => {}
            Err(error) => drop(batch.take(left_out("message", &error.to_string()), now)),
        }
        Ok(())
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

    async fn flush(&self, coming: &mut Coming, bytes: u64) -> Result<(), Gone> {
        if coming.batch.is_empty() { Ok(()) } else { self.send(coming.feed(bytes)).await }
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
            () = sleep(delay) => {}
            () = self.retry.notified() => {}
        }
        Ok(())
    }
}

/// What comes from a stream, until the screen takes it.
#[derive(Default)]
struct Coming {
    batch: Batch,
    /// Whether the screen shall have it as soon as it can take it.
    hurries: bool,
    sampler: Sampler,
    /// Bytes of the stream that the screen was told of.
    bytes: u64,
}

impl Coming {
    /// What came, for the screen; `bytes` are all of the stream so far.
    fn feed(&mut self, bytes: u64) -> Feed {
        self.hurries = false;
        let batch = Batch { bytes: bytes - self.bytes, ..std::mem::take(&mut self.batch) };
        self.bytes = bytes;
        Feed::Batch(Box::new(batch))
    }
}

fn left_out(name: &str, cause: &str) -> News {
    tracing::warn!(sse.name = name, cause, "unreadable item on the stream left out");
    News::Alive
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
