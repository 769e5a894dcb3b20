//! One reader of the stream, from its first frame to its last.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::{broadcast, mpsc};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tracing::warn;
use tyr_api::alerts::Alert;
use tyr_api::events::Event;
use tyr_api::stream::{self as api, Gap};

use super::frame::Frames;
use super::shared::{self, PIECE_BYTES};
use super::slots::Streams;
use crate::app::fleet::News;
use crate::app::live::{Next, Stored, Subscription};
use crate::app::{App, alerts};
use crate::db::DbError;
use crate::db::events::{Filter, Position, replay};
use crate::http::router::Door;
use crate::http::serve::Cut;
use crate::metrics;

/// Most events that are replayed to one reader; beyond them there is a gap.
const REPLAY_MAX: u32 = 10_000;
/// Events that one query of a replay reads.
const REPLAY_PAGE: u32 = 1000;
/// Pieces that wait for a reader: 256 KiB for each.
const QUEUE_PIECES: usize = 4;
/// Bytes that are taken from the ring at once.
const TAKE_BYTES: usize = QUEUE_PIECES * PIECE_BYTES;
/// A reader that takes nothing for this long is cut off; it may resume by its last id.
const STALL_MAX: Duration = Duration::from_secs(30);
const KEEP_ALIVE: Duration = Duration::from_secs(10);
/// Wait before connecting again.
const RETRY_MS: u32 = 1000;
/// The same while the server restarts.
const RETRY_STOPPING_MS: u32 = 3000;
/// `since` of a gap lies this much before it: events are listed by the host's clock, which may be behind, and arrive up
/// to seconds later.
const GAP_MARGIN: SignedDuration = SignedDuration::from_secs(60);
/// What each open stream adds to the time between two writes to a reader, so that all of them together write at most
/// 10,000 times a second.
const PACE_PER_STREAM: Duration = Duration::from_micros(100);
/// Longest time between two writes: of what may pass until a denial is on a screen, the smaller part.
const PACE_MAX: Duration = Duration::from_millis(100);

/// What a reader asked for beside events.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Include {
    pub(super) stats: bool,
    pub(super) agents: bool,
    pub(super) ai: bool,
    pub(super) alerts: bool,
}

/// Why a stream ends.
#[derive(Debug)]
enum End {
    /// The reader went away.
    Reader,
    /// The reader takes nothing.
    Stalled,
    /// The server stops.
    Stopping,
    /// The session is over.
    Session,
    /// The table could not be read: the reader resumes, which tells it what is wrong.
    Database(DbError),
}

/// The writing end of a reader's queue.
pub(super) struct Outbox {
    sender: mpsc::Sender<Bytes>,
    /// A place of its own in the queue: a reader that is behind is told all the same why its stream ends.
    last_word: mpsc::OwnedPermit<Bytes>,
}

/// A reader's queue, with room for the last word beside [`QUEUE_PIECES`].
pub(super) fn queue() -> (Outbox, mpsc::Receiver<Bytes>) {
    let (sender, receiver) = mpsc::channel(QUEUE_PIECES + 1);
    let last_word = sender.clone().try_reserve_owned().expect("a new queue has room");
    (Outbox { sender, last_word }, receiver)
}

/// One reader and how far it got.
pub(super) struct Reader {
    counted: metrics::sse::Reader,
    app: Arc<App>,
    filter: Filter,
    include: Include,
    outbox: Outbox,
    stop: CancellationToken,
    streams: Arc<Streams>,
    /// Cancelled when the session is over.
    session: Arc<CancellationToken>,
    /// Cuts the connection, where it is this reader's own.
    cut: Option<Cut>,
    frames: Frames,
    /// Pieces on their way, before those of `frames`.
    pieces: Vec<Bytes>,
    /// Everything up to here was sent, or did not match.
    sent: Option<Position>,
    /// Whether the live channel alone tells everything from now on.
    caught_up: bool,
    /// Events that may still be replayed.
    replayable: u32,
}

impl Reader {
    #[expect(clippy::too_many_arguments, reason = "each is one thing that a reader has, and it is made in one place")]
    pub(super) fn new(
        app: Arc<App>,
        door: &Door,
        filter: Filter,
        include: Include,
        outbox: Outbox,
        after: Option<Position>,
        session: Arc<CancellationToken>,
        cut: Option<Cut>,
    ) -> Self {
        Self {
            counted: app.metrics.sse.subscribed(app.live.ordinal()),
            app,
            filter,
            include,
            outbox,
            stop: door.stop.clone(),
            streams: Arc::clone(&door.streams),
            session,
            cut,
            frames: Frames::default(),
            pieces: Vec::new(),
            sent: after,
            caught_up: after.is_none(),
            replayable: REPLAY_MAX,
        }
    }

    /// Sends until there is a reason to end.
    pub(super) async fn run(mut self, username: &str, live: Subscription, news: broadcast::Receiver<Arc<News>>) {
        let farewell = match self.follow(live, news).await {
            End::Reader => return,
            End::Stalled => {
                // What was handed to the connection would wait there for ever.
                if let Some(cut) = &self.cut {
                    cut.now();
                }
                return;
            }
            End::Stopping => {
                self.frames.retry(RETRY_STOPPING_MS);
                "the server stops"
            }
            End::Session => "the session has ended",
            End::Database(error) => {
                warn!(error = &error as &dyn std::error::Error, user.name = username, "a stream could not be replayed");
                "the events could not be read; connect again"
            }
        };
        self.frames.comment(farewell);
        self.outbox.last_word.send(self.frames.take());
    }

    async fn follow(&mut self, mut live: Subscription, mut news: broadcast::Receiver<Arc<News>>) -> End {
        let mut keep_alive = interval_at(Instant::now() + KEEP_ALIVE, KEEP_ALIVE);
        keep_alive.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let wants_news = self.include.stats || self.include.agents || self.include.ai;
        let wants_alerts = self.include.alerts;
        // Before they are read from the table.
        let mut alerts = self.app.alerts.subscribe();
        let session = Arc::clone(&self.session);
        self.frames.retry(RETRY_MS);
        if let Err(end) = self.flush().await {
            return end;
        }
        if !self.caught_up
            && let Err(end) = self.replay().await
        {
            return end;
        }
        if wants_alerts && let Err(end) = self.begin_alerts().await {
            return end;
        }
        let mut not_before = Instant::now();
        loop {
            let done = tokio::select! {
                () = self.stop.cancelled() => Err(End::Stopping),
                () = self.outbox.sender.closed() => Err(End::Reader),
                () = session.cancelled() => Err(End::Session),
                _ = keep_alive.tick() => {
                    self.frames.comment("keep-alive");
                    self.flush().await
                }
                next = paced(&mut live, not_before) => {
                    not_before = Instant::now() + self.pace();
                    self.on_events(next, &mut live).await
                }
                change = news.recv(), if wants_news => self.on_news(change).await,
                change = alerts.recv(), if wants_alerts => self.on_alerts(change).await,
            };
            if let Err(end) = done {
                return end;
            }
        }
    }

    /// Time from one write to the next.
    fn pace(&self) -> Duration {
        (PACE_PER_STREAM * self.streams.open()).min(PACE_MAX)
    }

    /// Sends what was stored after the last id that the reader has.
    async fn replay(&mut self) -> Result<(), End> {
        while let Some(after) = self.sent {
            let mut conn = self.app.pool.acquire().await.map_err(|error| End::Database(error.into()))?;
            let limit = REPLAY_PAGE.min(self.replayable + 1);
            let events = replay(&mut conn, &self.filter, after, limit).await.map_err(End::Database)?;
            // A slow reader must not keep a connection.
            drop(conn);
            for event in &events {
                if self.replayable == 0 {
                    return self.gap(None).await;
                }
                self.replayable -= 1;
                self.push(event).await?;
            }
            if events.len() < usize::try_from(limit).unwrap_or(usize::MAX) {
                break;
            }
        }
        self.flush().await
    }

    /// Sends what came, and what else is there, up to what the queue holds.
    async fn on_events(&mut self, first: Next, live: &mut Subscription) -> Result<(), End> {
        let mut next = Some(first);
        while let Some(now) = next {
            match now {
                Next::Batch(stored) => self.on_stored(&stored).await?,
                // While it was replayed to: the table has what was missed.
                Next::Missed(_) if !self.caught_up => self.replay().await?,
                Next::Missed(missed) => self.gap(Some(missed)).await?,
            }
            if self.pieces.iter().map(Bytes::len).sum::<usize>() >= TAKE_BYTES {
                break;
            }
            next = live.try_next();
        }
        self.flush().await?;
        self.counted.reached(live.ordinal());
        Ok(())
    }

    async fn on_stored(&mut self, stored: &Stored) -> Result<(), End> {
        self.caught_up = true;
        if self.sent.is_none_or(|sent| sent.at < stored.received_at) {
            let pieces = shared::frames(stored, &self.filter);
            if pieces.events > 0 && !self.frames.is_empty() {
                self.pieces.push(self.frames.take());
            }
            self.counted.sent(pieces.events);
            self.pieces.extend_from_slice(&pieces.bytes);
        } else {
            // Part of it was replayed.
            for event in &stored.events {
                if self.sent.is_none_or(|sent| Position::in_stream(event) > sent) && self.filter.matches(event) {
                    self.push(event).await?;
                }
            }
        }
        if let Some(last) = stored.events.last() {
            self.sent = self.sent.max(Some(Position::in_stream(last)));
        }
        Ok(())
    }

    async fn on_news(&mut self, news: Result<Arc<News>, broadcast::error::RecvError>) -> Result<(), End> {
        // Lagged: the next stats tell the state again, and a reader that is a minute behind is cut off anyway.
        let Ok(news) = news else { return Ok(()) };
        let rendered = news.rendered.get_or_init(|| {
            let (mut agents, mut ai, mut stats) = (Frames::default(), Frames::default(), Frames::default());
            agents.named(api::AGENTS, &news.agents);
            ai.named(api::AI, &news.discovered_agents);
            stats.named(api::STATS, &news.stats);
            [agents.take(), ai.take(), stats.take()]
        });
        let [agents, ai, stats] = rendered;
        let wanted = [
            (agents, self.include.agents && !news.agents.is_empty()),
            (ai, self.include.ai && !news.discovered_agents.is_empty()),
            (stats, self.include.stats),
        ];
        self.pieces.extend(wanted.into_iter().filter(|(_, wanted)| *wanted).map(|(piece, _)| piece.clone()));
        self.flush().await
    }

    /// Sends how alerts stand: what changed between a reader's snapshot and its subscription would be missed otherwise.
    async fn begin_alerts(&mut self) -> Result<(), End> {
        let alerts = alerts::list::to_begin_with(&self.app).await.map_err(End::Database)?;
        for alert in &alerts {
            self.frames.named(api::ALERT, alert);
        }
        self.flush().await
    }

    async fn on_alerts(&mut self, changed: Result<Arc<Vec<Alert>>, broadcast::error::RecvError>) -> Result<(), End> {
        match changed {
            Ok(changed) => {
                for alert in &*changed {
                    self.frames.named(api::ALERT, alert);
                }
                self.flush().await
            }
            Err(broadcast::error::RecvError::Lagged(_)) => self.begin_alerts().await,
            Err(broadcast::error::RecvError::Closed) => Err(End::Stopping),
        }
    }

    async fn gap(&mut self, missed: Option<u64>) -> Result<(), End> {
        let last = self.sent.map_or_else(Timestamp::now, |sent| sent.at);
        let since = last.checked_sub(GAP_MARGIN).unwrap_or(Timestamp::MIN);
        self.counted.gap(missed);
        self.frames.named(api::GAP, &Gap { missed, since });
        self.flush().await
    }

    async fn push(&mut self, event: &Event) -> Result<(), End> {
        self.frames.event(event);
        self.counted.sent(1);
        self.sent = Some(Position::in_stream(event));
        if self.frames.len() >= PIECE_BYTES { self.flush().await } else { Ok(()) }
    }

    /// Waits for room in the reader's queue.
    async fn flush(&mut self) -> Result<(), End> {
        if !self.frames.is_empty() {
            self.pieces.push(self.frames.take());
        }
        for piece in std::mem::take(&mut self.pieces) {
            tokio::select! {
                sent = timeout(STALL_MAX, self.outbox.sender.send(piece)) => match sent {
                    Ok(Ok(())) => {}
                    Ok(Err(_)) => return Err(End::Reader),
                    Err(_) => return Err(End::Stalled),
                },
                () = self.stop.cancelled() => return Err(End::Stopping),
            }
        }
        Ok(())
    }
}

/// What comes next, but not before its time. Loses nothing when it is dropped before its end.
async fn paced(live: &mut Subscription, not_before: Instant) -> Next {
    sleep_until(not_before).await;
    live.next().await
}
