//! `GET /api/v1/events/stream`: events as they are stored, as server-sent events.
//!
//! A reader subscribes to the live channel first, then replays from the table what was stored after its `Last-Event-ID`,
//! then follows, skipping what it sent already: nothing is missed and nothing comes twice. What a reader does not take
//! waits in a queue of a few chunks; behind it, the ring of the live channel (shared by all readers) moves on, and the
//! reader is told how many events it missed. So a slow reader costs a fixed amount of memory and holds nobody up.

mod frame;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tracing::warn;
use tyr_api::stream::{self as api, Gap, StreamQuery};

use self::frame::Frames;
use super::error::{ApiError, nearest};
use super::events::{FILTERS, filter};
use super::params::{Known, Params, invalid};
use super::router::Door;
use super::who::Viewer;
use crate::app::App;
use crate::app::auth::{self, User};
use crate::app::fleet::News;
use crate::app::live::Stored;
use crate::db::DbError;
use crate::db::events::{Filter, Position, replay};
use crate::metrics;

/// Most streams at a time.
pub const STREAMS_MAX: usize = 200;
/// Most events that are replayed to one reader; beyond them there is a gap.
const REPLAY_MAX: u32 = 10_000;
/// Events that one query of a replay reads.
const REPLAY_PAGE: u32 = 1000;
/// Chunks that wait for a reader, and what a chunk holds before it is sent: 256 KiB for each reader.
const QUEUE_CHUNKS: usize = 4;
const CHUNK_BYTES: usize = 64 * 1024;
/// A reader that takes nothing for this long is cut off; it may resume by its last id.
const STALL_MAX: Duration = Duration::from_secs(30);
const KEEP_ALIVE: Duration = Duration::from_secs(10);
/// How often the session is looked at.
const CHECK_EVERY: Duration = Duration::from_secs(5);
/// Wait before connecting again.
const RETRY_MS: u32 = 1000;
/// The same while the server restarts.
const RETRY_STOPPING_MS: u32 = 3000;
/// `since` of a gap lies this much before it: events are listed by the host's clock, which may be behind, and arrive up
/// to seconds later.
const GAP_MARGIN: SignedDuration = SignedDuration::from_secs(60);

/// What a reader asked for beside events.
#[derive(Clone, Copy, Debug, Default)]
struct Include {
    stats: bool,
    agents: bool,
    ai: bool,
}

/// Events from now on, or from `Last-Event-ID` on.
#[utoipa::path(
    get,
    path = "/api/v1/events/stream",
    tag = "events",
    params(StreamQuery, ("last-event-id" = Option<String>, Header, description = "Where to go on: the `id:` of the last event")),
    responses(
        (status = 200, description = "Server-sent events without end", body = String, content_type = "text/event-stream"),
    ),
    security(("session" = ["viewer"])),
)]
pub async fn follow(
    Viewer(user): Viewer,
    State(door): State<Door>,
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    params: Params,
) -> Result<Response, ApiError> {
    let [agent_id, kind, verdict, agent_type, drift] = FILTERS;
    let params = params.only(&[agent_id, kind, verdict, agent_type, drift, "include", "last_event_id"])?;
    let filter = filter(&params)?;
    let include = include(&params)?;
    let after = last_event_id(&headers, &params)?;
    let Ok(slot) = Arc::clone(&door.streams).try_acquire_owned() else {
        app.metrics.sse.refused("server_limit");
        return Err(ApiError::unavailable("too_many_streams", 10));
    };
    let (sender, receiver) = mpsc::channel(QUEUE_CHUNKS);
    // Before anything is read from the table.
    let live = app.live.subscribe();
    let news = app.fleet.news();
    let counted = app.metrics.sse.subscribed(app.live.ordinal());
    let reader = Reader {
        counted,
        app,
        user,
        filter,
        include,
        sender,
        stop: door.stop.clone(),
        frames: Frames::default(),
        sent: after,
        ordinal: None,
        caught_up: after.is_none(),
        replayable: REPLAY_MAX,
        _slot: slot,
    };
    tokio::spawn(reader.run(live, news));
    let headers = [
        (CONTENT_TYPE, "text/event-stream"),
        (CACHE_CONTROL, "no-store"),
        // nginx would hold events back.
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    let body = Body::from_stream(ReceiverStream::new(receiver).map(Ok::<Bytes, Infallible>));
    Ok((headers, body).into_response())
}

fn include(params: &Known) -> Result<Include, ApiError> {
    const WORDS: [&str; 3] = [api::STATS, api::AGENTS, api::AI];
    let mut include = Include::default();
    let Some(text) = params.text("include") else { return Ok(include) };
    for word in text.split(',') {
        match word {
            api::STATS => include.stats = true,
            api::AGENTS => include.agents = true,
            api::AI => include.ai = true,
            _ => {
                let error =
                    invalid("include", text, &format_args!("one or more of {}, with commas between", WORDS.join(", ")));
                return Err(error.maybe_hint(nearest(word, WORDS).map(|meant| format!("did you mean `{meant}`?"))));
            }
        }
    }
    Ok(include)
}

/// The header, which browsers and clients send by themselves, before the parameter.
fn last_event_id(headers: &HeaderMap, params: &Known) -> Result<Option<Position>, ApiError> {
    let text = match headers.get("last-event-id") {
        Some(value) => value.to_str().unwrap_or("\u{fffd}"),
        None => match params.text("last_event_id") {
            Some(text) => text,
            None => return Ok(None),
        },
    };
    // A client that has seen no event yet sends an empty one.
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| {
        let shown: String = text.chars().take(64).collect();
        ApiError::bad_request("invalid_last_event_id", format!("`{shown}` is not an id of this stream"))
            .hint("give back the `id:` of the last event unchanged, or the `cursor` of a snapshot")
    })
}

/// Why a stream ends.
#[derive(Debug)]
enum End {
    /// The reader went away or takes nothing.
    Reader,
    /// The server stops.
    Stopping,
    /// The session is over.
    Session,
    /// The table could not be read: the reader resumes, which tells it what is wrong.
    Database(DbError),
}

/// One reader and how far it got.
struct Reader {
    counted: metrics::sse::Reader,
    app: Arc<App>,
    user: User,
    filter: Filter,
    include: Include,
    sender: mpsc::Sender<Bytes>,
    stop: CancellationToken,
    frames: Frames,
    /// Everything up to here was sent, or did not match.
    sent: Option<Position>,
    /// What the next batch's ordinal should be.
    ordinal: Option<u64>,
    /// Whether the live channel alone tells everything from now on.
    caught_up: bool,
    /// Events that may still be replayed.
    replayable: u32,
    _slot: OwnedSemaphorePermit,
}

impl Reader {
    async fn run(mut self, live: broadcast::Receiver<Arc<Stored>>, news: broadcast::Receiver<Arc<News>>) {
        let farewell = match self.follow(live, news).await {
            End::Reader => return,
            End::Stopping => {
                self.frames.retry(RETRY_STOPPING_MS);
                "the server stops"
            }
            End::Session => "the session has ended",
            End::Database(error) => {
                warn!(
                    error = &error as &dyn std::error::Error,
                    user.name = self.user.username,
                    "a stream could not be replayed"
                );
                "the events could not be read; connect again"
            }
        };
        self.frames.comment(farewell);
        // A reader with a full queue does without.
        let _ = self.sender.try_send(self.frames.take());
    }

    async fn follow(
        &mut self,
        mut live: broadcast::Receiver<Arc<Stored>>,
        mut news: broadcast::Receiver<Arc<News>>,
    ) -> End {
        let started = Instant::now();
        let mut check = interval_at(started + CHECK_EVERY, CHECK_EVERY);
        let mut keep_alive = interval_at(started + KEEP_ALIVE, KEEP_ALIVE);
        check.set_missed_tick_behavior(MissedTickBehavior::Delay);
        keep_alive.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut endings = self.app.endings.listen();
        let wants_news = self.include.stats || self.include.agents || self.include.ai;
        self.frames.retry(RETRY_MS);
        if let Err(end) = self.flush().await {
            return end;
        }
        if !self.caught_up
            && let Err(end) = self.replay().await
        {
            return end;
        }
        loop {
            let done = tokio::select! {
                () = self.stop.cancelled() => Err(End::Stopping),
                () = self.sender.closed() => Err(End::Reader),
                _ = check.tick() => self.check().await,
                ended = endings.recv() => match ended {
                    Ok(ended) if !ended.concerns(&self.user) => Ok(()),
                    // It may be this one; or some were missed.
                    _ => self.check().await,
                },
                _ = keep_alive.tick() => {
                    self.frames.comment("keep-alive");
                    self.flush().await
                }
                stored = live.recv() => self.on_stored(stored).await,
                change = news.recv(), if wants_news => self.on_news(change).await,
            };
            if let Err(end) = done {
                return end;
            }
        }
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

    async fn on_stored(&mut self, stored: Result<Arc<Stored>, RecvError>) -> Result<(), End> {
        let stored = match stored {
            Ok(stored) => stored,
            // While it was replayed to: the table has what was missed.
            Err(RecvError::Lagged(_)) if !self.caught_up => return self.replay().await,
            // The next batch's ordinal tells how many events that were.
            Err(RecvError::Lagged(_)) => return Ok(()),
            Err(RecvError::Closed) => return Err(End::Stopping),
        };
        self.caught_up = true;
        if let Some(missed) = self.ordinal.and_then(|expected| stored.ordinal.checked_sub(expected))
            && missed > 0
        {
            self.gap(Some(missed)).await?;
        }
        let next = stored.ordinal + u64::try_from(stored.events.len()).unwrap_or(u64::MAX);
        self.ordinal = Some(next);
        for event in &stored.events {
            if self.sent.is_some_and(|sent| Position::in_stream(event) <= sent) {
                continue;
            }
            if self.filter.matches(event) {
                self.push(event).await?;
            }
        }
        if let Some(last) = stored.events.last() {
            self.sent = self.sent.max(Some(Position::in_stream(last)));
        }
        self.flush().await?;
        self.counted.reached(next);
        Ok(())
    }

    async fn on_news(&mut self, news: Result<Arc<News>, RecvError>) -> Result<(), End> {
        // Lagged: the next stats tell the state again, and a reader that is a minute behind is cut off anyway.
        let Ok(news) = news else { return Ok(()) };
        if self.include.agents && !news.agents.is_empty() {
            self.frames.named(api::AGENTS, &news.agents);
        }
        if self.include.ai && !news.discovered_agents.is_empty() {
            self.frames.named(api::AI, &news.discovered_agents);
        }
        if self.include.stats {
            self.frames.named(api::STATS, &news.stats);
        }
        self.flush().await
    }

    async fn check(&self) -> Result<(), End> {
        let valid = match auth::still_valid(&self.app, &self.user).await {
            Ok(valid) => valid,
            // Says nothing of the user; the end of the token is known without a database.
            Err(_) => Timestamp::now() < self.user.session_expires_at,
        };
        if valid { Ok(()) } else { Err(End::Session) }
    }

    async fn gap(&mut self, missed: Option<u64>) -> Result<(), End> {
        let last = self.sent.map_or_else(Timestamp::now, |sent| sent.at);
        let since = last.checked_sub(GAP_MARGIN).unwrap_or(Timestamp::MIN);
        self.counted.gap(missed);
        self.frames.named(api::GAP, &Gap { missed, since });
        self.flush().await
    }

    async fn push(&mut self, event: &tyr_api::events::Event) -> Result<(), End> {
        self.frames.event(event);
        self.counted.sent(1);
        self.sent = Some(Position::in_stream(event));
        if self.frames.len() >= CHUNK_BYTES { self.flush().await } else { Ok(()) }
    }

    /// Waits for room in the reader's queue.
    async fn flush(&mut self) -> Result<(), End> {
        if self.frames.is_empty() {
            return Ok(());
        }
        let chunk = self.frames.take();
        tokio::select! {
            sent = timeout(STALL_MAX, self.sender.send(chunk)) => match sent {
                Ok(Ok(())) => Ok(()),
                Ok(Err(_)) | Err(_) => Err(End::Reader),
            },
            () = self.stop.cancelled() => Err(End::Stopping),
        }
    }
}
