//! The event stream: connects, follows, and connects again, telling each step.
//!
//! `eventsource-client` parses and nothing more: each connection is one of its streams with its own reconnecting switched off.
//! Left to itself it would try a refused token without end, keep an old token, swallow connection errors, take a web page for a
//! stream, and forget the cursor at the first event without an id. So the transport is ours (the client's one HTTP client, a
//! fresh token per try, limits), and so are the cursor, the back-off and the decision to stop.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use eventsource_client::{Client as _, ClientBuilder, Error as LibraryError, ReconnectOptions, SSE};
use futures_util::{Stream, StreamExt};
use jiff::Timestamp;
use launchdarkly_sdk_transport::{ByteStream, HttpTransport, Request, Response, ResponseFuture, TransportError};
use rand::RngExt;
use reqwest::StatusCode;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap};
use serde::de::DeserializeOwned;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tyr_api::agents::{Agent, DiscoveredAgent};
use tyr_api::alerts::Alert;
use tyr_api::events::{Event, EventQuery};
use tyr_api::stream::{self, Gap, StreamStats};

use super::Client;
use super::request::{ERROR_BYTES_MAX, has_content_type};
use crate::error::{Failure, Kind};

/// Longest silence on a live stream. The server sends a comment each 10 s.
const SILENCE_MAX: Duration = Duration::from_secs(45);
/// First delay before another try; doubled with each.
const DELAY_FIRST: Duration = Duration::from_millis(500);
/// Longest delay before another try.
const DELAY_MAX: Duration = Duration::from_secs(10);
/// A connection that lived this long, or brought an event, was a good one: the next back-off begins anew.
const GOOD_AFTER: Duration = Duration::from_secs(5);
/// Longest event, in bytes of its lines. Agents' lists of 10,000 are cut by the server into smaller ones.
const EVENT_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Items that wait for a slow reader; then the connection is read no further, and the server tells of the gap.
const QUEUE_ITEMS: usize = 1024;

/// What to follow.
#[derive(Clone, Debug, Default)]
pub struct StreamQuery {
    /// Only these events; the server ignores everything but the filters.
    pub filter: EventQuery,
    /// Named events to send as well: [`stream::STATS`], [`stream::AGENTS`], [`stream::AI`], [`stream::ALERTS`].
    pub include: Vec<&'static str>,
    /// Go on after this event: `Snapshot::cursor`, or an earlier [`SseItem::Event`]'s id.
    pub last_event_id: Option<String>,
    /// Give events as [`SseItem::Text`], for whoever looks at few of them.
    pub as_text: bool,
}

/// What happens on the stream, in order.
#[derive(Debug)]
pub enum SseItem {
    /// A try begins.
    Connecting,
    /// The server answered; events follow.
    Live,
    /// A judged action.
    Event {
        /// Resume with it.
        id: Option<String>,
        /// The action.
        event: Box<Event>,
    },
    /// A judged action that nobody read yet: it may be nonsense.
    Text {
        /// Resume with it.
        id: Option<String>,
        /// Its JSON.
        text: String,
    },
    /// The server left events out, or events may have passed while there was nothing to resume from.
    Gap(Gap),
    /// Counters, once a second.
    Stats(StreamStats),
    /// Agents that changed.
    Agents(Vec<Agent>),
    /// AI processes that changed.
    Ai(Vec<DiscoveredAgent>),
    /// An alert that changed.
    Alert(Box<Alert>),
    /// A sign of life without content.
    KeepAlive,
    /// Content that could not be understood, left out.
    Unreadable {
        /// Name of the SSE event.
        name: String,
        /// What is wrong with it.
        cause: String,
    },
    /// Cut off; there will be another try.
    Waiting {
        /// Tries since the last good connection, from 1.
        attempt: u32,
        /// How long from now.
        delay: Duration,
        /// Why it was cut off.
        cause: Failure,
    },
    /// Cut off for good: login refused, or nothing to follow there. The stream ends.
    Stopped(Failure),
}

/// A stream that is being followed. Ends after [`SseItem::Stopped`] only; dropping it hangs up.
#[derive(Debug)]
pub struct Connection {
    items: mpsc::Receiver<SseItem>,
    bytes: Arc<AtomicU64>,
    hurry: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Connection {
    /// Waits for what comes next and takes all of it, at most so many items; how many, 0 at the end.
    pub async fn next_many(&mut self, items: &mut Vec<SseItem>, limit: usize) -> usize {
        self.items.recv_many(items, limit).await
    }

    /// Bytes that came, over all tries.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Tries at once if it waits for the next try.
    pub fn retry_now(&self) {
        self.hurry.notify_one();
    }
}

impl Stream for Connection {
    type Item = SseItem;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<SseItem>> {
        self.items.poll_recv(cx)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Follows `GET /api/v1/events/stream` from within a tokio runtime.
pub fn connect(client: &Client, query: StreamQuery) -> Connection {
    let (sender, items) = mpsc::channel(QUEUE_ITEMS);
    let hurry = Arc::new(Notify::new());
    let bytes = Arc::new(AtomicU64::new(0));
    let follower = Follower {
        transport: Transport { client: client.clone(), bytes: Arc::clone(&bytes) },
        cursor: query.last_event_id.clone(),
        query,
        sender,
        base: DELAY_FIRST,
        lived: false,
        blind_since: None,
    };
    let task = tokio::spawn(follower.run(Arc::clone(&hurry)));
    Connection { items, bytes, hurry, task }
}

/// How one connection ended.
enum End {
    /// Nobody reads any more.
    Dropped,
    /// Another try makes sense.
    Cut { cause: Failure, was_good: bool },
    /// It does not.
    Stop(Failure),
}

struct Follower {
    transport: Transport,
    query: StreamQuery,
    /// Id of the last event that had one.
    cursor: Option<String>,
    sender: mpsc::Sender<SseItem>,
    /// First delay; the server may set it by `retry:`.
    base: Duration,
    /// Whether it was live before.
    lived: bool,
    /// Since when it is cut off with no id to resume from, by our clock.
    blind_since: Option<Timestamp>,
}

impl Follower {
    async fn run(mut self, hurry: Arc<Notify>) {
        let mut attempt = 0;
        loop {
            if self.sender.send(SseItem::Connecting).await.is_err() {
                return;
            }
            let (cause, was_good) = match self.follow_once().await {
                End::Dropped => return,
                End::Stop(failure) => {
                    // Nobody left to tell is fine: it ends either way.
                    let _ = self.sender.send(SseItem::Stopped(failure)).await;
                    return;
                }
                End::Cut { cause, was_good } => (cause, was_good),
            };
            if self.lived && self.cursor.is_none() {
                self.blind_since.get_or_insert_with(Timestamp::now);
            }
            attempt = if was_good { 1 } else { attempt + 1 };
            let delay = back_off(self.base, attempt, rand::rng().random_range(0.5..=1.0));
            if self.sender.send(SseItem::Waiting { attempt, delay, cause }).await.is_err() {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(delay) => {}
                () = hurry.notified() => {}
            }
        }
    }

    async fn follow_once(&mut self) -> End {
        let endpoint = self.transport.client.endpoint().clone();
        let stop = |what: String| End::Stop(Failure::usage(what));
        let url = match self.url() {
            Ok(url) => url,
            Err(failure) => return End::Stop(failure),
        };
        let builder = match ClientBuilder::for_url(url.as_str()) {
            Ok(builder) => builder.redirect_limit(0).reconnect(ReconnectOptions::reconnect(false).build()),
            Err(error) => return stop(format!("`{url}` is no address: {error}")),
        };
        let builder = match &self.cursor {
            Some(id) => builder.last_event_id(id.clone()),
            None => builder,
        };
        let mut stream = builder.build_with_transport(self.transport.clone()).stream();

        // The head of the answer has the time of a request, what follows has the server's keep-alives.
        let mut patience = endpoint.timeout;
        let mut live_since = None;
        let mut brought_events = false;
        loop {
            let was_good = brought_events || live_since.is_some_and(|since: Instant| since.elapsed() >= GOOD_AFTER);
            let cut = |cause| End::Cut { cause, was_good };
            let item = match timeout(patience, stream.next()).await {
                Err(_) if live_since.is_none() => return cut(self.transport.client.too_slow()),
                Err(_) => {
                    return cut(Failure::new(Kind::Unreachable, format!("`{}` fell silent", endpoint.name()))
                        .cause(format!("neither event nor keep-alive for {} s", SILENCE_MAX.as_secs())));
                }
                Ok(None | Some(Err(LibraryError::Eof | LibraryError::UnexpectedEof))) => {
                    return cut(Failure::new(Kind::Unreachable, format!("`{}` closed the stream", endpoint.name())));
                }
                Ok(Some(Err(error))) => return self.ended_by(error, was_good).await,
                Ok(Some(Ok(item))) => item,
            };
            let item = match item {
                SSE::Connected(_) => {
                    patience = SILENCE_MAX;
                    live_since = Some(Instant::now());
                    self.lived = true;
                    if self.sender.send(SseItem::Live).await.is_err() {
                        return End::Dropped;
                    }
                    // Without a cursor the server can't know what we missed.
                    match self.blind_since.take() {
                        Some(since) => SseItem::Gap(Gap { missed: None, since }),
                        None => continue,
                    }
                }
                SSE::Comment(_) => SseItem::KeepAlive,
                SSE::Event(event) => {
                    if let Some(ms) = event.retry {
                        self.base = Duration::from_millis(ms).clamp(Duration::from_millis(100), DELAY_MAX);
                    }
                    brought_events = true;
                    // Ours, as the library's is lost at the first event without an id. An id that can't be a header is no cursor.
                    let id = event.id.filter(|id| !id.is_empty() && reqwest::header::HeaderValue::from_str(id).is_ok());
                    if id.is_some() {
                        self.cursor.clone_from(&id);
                    }
                    if self.query.as_text && event.event_type == "message" {
                        SseItem::Text { id, text: event.data }
                    } else {
                        decode(&event.event_type, &event.data, id)
                    }
                }
            };
            if self.sender.send(item).await.is_err() {
                return End::Dropped;
            }
        }
    }

    fn url(&self) -> Result<reqwest::Url, Failure> {
        let mut url = self.transport.client.url("/api/v1/events/stream")?;
        let mut filter = serde_json::to_value(&self.query.filter)
            .map_err(|error| Failure::failed("the filter could not be written").because(&error))?;
        filter.sort_all_objects();
        for (name, value) in filter.as_object().into_iter().flatten() {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            url.query_pairs_mut().append_pair(name, &text);
        }
        if !self.query.include.is_empty() {
            url.query_pairs_mut().append_pair("include", &self.query.include.join(","));
        }
        Ok(url)
    }

    async fn ended_by(&self, error: LibraryError, was_good: bool) -> End {
        let client = &self.transport.client;
        let server = client.endpoint().name();
        match error {
            LibraryError::UnexpectedResponse(response, body) => {
                let status = StatusCode::from_u16(response.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                let failure = client.refused(status, &read_error(body.into_stream()).await, "/api/v1/events/stream");
                let temporary = status.is_server_error()
                    || matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS);
                if temporary { End::Cut { cause: failure, was_good } } else { End::Stop(failure) }
            }
            LibraryError::MaxRedirectLimitReached(_) => End::Stop(
                Failure::failed(format!("`{server}` redirects elsewhere"))
                    .hint("redirects are not followed; give the final address as --server"),
            ),
            LibraryError::Transport(error) => match into_failure(error) {
                Ok(failure) if matches!(failure.kind, Kind::Unreachable) => End::Cut { cause: failure, was_good },
                Ok(failure) => End::Stop(failure),
                Err(error) => End::Cut { cause: client.unreachable(&error), was_good },
            },
            LibraryError::InvalidParameter(error) => {
                End::Stop(Failure::failed("the stream could not be asked for").because(&*error))
            }
            error => End::Cut {
                cause: Failure::new(Kind::Unreachable, format!("the stream of `{server}` broke"))
                    .cause(error.to_string()),
                was_good,
            },
        }
    }
}

/// Delay before that try: doubled each time up to [`DELAY_MAX`], of which `share` (0.5 to 1) is waited, so that many clients of
/// a restarted server don't come back at once.
fn back_off(base: Duration, attempt: u32, share: f64) -> Duration {
    base.saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1).min(16))).min(DELAY_MAX).mul_f64(share)
}

fn decode(name: &str, data: &str, id: Option<String>) -> SseItem {
    fn read<T: DeserializeOwned>(name: &str, data: &str, item: impl FnOnce(T) -> SseItem) -> SseItem {
        match serde_json::from_str(data) {
            Ok(content) => item(content),
            Err(error) => SseItem::Unreadable { name: name.to_owned(), cause: error.to_string() },
        }
    }
    match name {
        "message" => read(name, data, |event| SseItem::Event { id, event }),
        stream::GAP => read(name, data, SseItem::Gap),
        stream::STATS => read(name, data, SseItem::Stats),
        stream::AGENTS => read(name, data, SseItem::Agents),
        stream::AI => read(name, data, SseItem::Ai),
        stream::ALERT => read(name, data, |alert| SseItem::Alert(Box::new(alert))),
        // A newer server's: no reason to complain each time.
        _ => SseItem::KeepAlive,
    }
}

async fn read_error(mut body: ByteStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Some(Ok(chunk)) = body.next().await {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > ERROR_BYTES_MAX {
            break;
        }
    }
    bytes
}

/// A [`Failure`] that went through the library as a transport error, taken out again.
fn into_failure(error: TransportError) -> Result<Failure, TransportError> {
    match error.inner().downcast_ref::<Failure>() {
        Some(failure) => Ok(failure.clone()),
        None => Err(error),
    }
}

/// The library's way to the network: our one HTTP client, with the token as it is at that moment.
#[derive(Clone)]
struct Transport {
    client: Client,
    bytes: Arc<AtomicU64>,
}

impl HttpTransport for Transport {
    fn request(&self, request: Request<Option<Bytes>>) -> ResponseFuture {
        let (client, counter) = (self.client.clone(), Arc::clone(&self.bytes));
        Box::pin(Exclusive(Mutex::new(Box::pin(async move {
            let (head, _) = request.into_parts();
            let mut headers: HeaderMap = head.headers;
            headers.insert(ACCEPT, reqwest::header::HeaderValue::from_static("text/event-stream"));
            headers.insert(AUTHORIZATION, client.bearer().map_err(TransportError::new)?);
            let answer = client
                .0
                .http
                .get(head.uri.to_string())
                .headers(headers)
                .send()
                .await
                .map_err(|error| TransportError::new(client.unreachable(&error)))?;
            let server = client.endpoint().name();
            let status = answer.status();
            if status == StatusCode::NO_CONTENT {
                return Err(TransportError::new(
                    Failure::failed(format!("`{server}` has no event stream")).cause("it answered 204 No Content"),
                ));
            }
            if status.is_success() && !has_content_type(answer.headers(), "text/event-stream") {
                let given = answer
                    .headers()
                    .get(reqwest::header::CONTENT_TYPE)
                    .map_or_else(|| "none".into(), |v| String::from_utf8_lossy(v.as_bytes()).into_owned());
                return Err(TransportError::new(
                    Failure::failed(format!("`{server}` answers something else than an event stream"))
                        .cause(format!("content type: {given}"))
                        .hint("is a proxy with a login page in between?"),
                ));
            }
            let mut response = Response::builder().status(status);
            if let Some(copy) = response.headers_mut() {
                copy.clone_from(answer.headers());
            }
            let body = Limited { chunks: answer.bytes_stream(), counter, bytes: 0, line: 0 };
            let body: ByteStream = Box::pin(Exclusive(Mutex::new(Box::pin(body))));
            response.body(body).map_err(TransportError::new)
        }))))
    }
}

/// Makes `Sync` what is only `Send`: the lock is never taken by two, as polling needs `&mut`.
struct Exclusive<T: ?Sized>(Mutex<Pin<Box<T>>>);

impl<F: Future + ?Sized> Future for Exclusive<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.get_mut().0.get_mut().unwrap_or_else(PoisonError::into_inner).as_mut().poll(cx)
    }
}

impl<S: Stream + ?Sized> Stream for Exclusive<S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        self.get_mut().0.get_mut().unwrap_or_else(PoisonError::into_inner).as_mut().poll_next(cx)
    }
}

/// Ends a body in which one event grows beyond [`EVENT_BYTES_MAX`]: the parser has no limit of its own.
struct Limited<S> {
    chunks: S,
    /// All bytes of the connection.
    counter: Arc<AtomicU64>,
    /// Since the last empty line.
    bytes: usize,
    /// Since the last line feed, carriage returns at the end aside.
    line: usize,
}

impl<S: Stream<Item = reqwest::Result<Bytes>> + Unpin> Stream for Limited<S> {
    type Item = Result<Bytes, TransportError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let chunk = match std::task::ready!(self.chunks.poll_next_unpin(cx)) {
            None => return Poll::Ready(None),
            Some(Err(error)) => return Poll::Ready(Some(Err(TransportError::new(error)))),
            Some(Ok(chunk)) => chunk,
        };
        self.counter.fetch_add(chunk.len() as u64, Ordering::Relaxed);
        let text = |line: &[u8]| line.len() - usize::from(line.last() == Some(&b'\r'));
        let mut rest = &chunk[..];
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let is_empty = self.line + text(&rest[..end]) == 0;
            self.bytes = if is_empty { 0 } else { self.bytes + end + 1 };
            self.line = 0;
            if self.bytes > EVENT_BYTES_MAX {
                break;
            }
            rest = &rest[end + 1..];
        }
        self.line += text(rest);
        if self.bytes + rest.len() > EVENT_BYTES_MAX {
            let failure = Failure::new(Kind::Unreachable, "the stream broke")
                .cause(format!("an event is larger than {EVENT_BYTES_MAX} bytes"));
            return Poll::Ready(Some(Err(TransportError::new(failure))));
        }
        self.bytes += rest.len();
        Poll::Ready(Some(Ok(chunk)))
    }
}

#[cfg(test)]
mod tests {
    use super::{DELAY_FIRST, DELAY_MAX, Duration, back_off};

    #[test]
    fn back_off_doubles_up_to_its_limit() {
        assert_eq!(back_off(DELAY_FIRST, 1, 1.0), DELAY_FIRST);
        assert_eq!(back_off(DELAY_FIRST, 3, 1.0), DELAY_FIRST * 4);
        assert_eq!(back_off(DELAY_FIRST, 3, 0.5), DELAY_FIRST * 2);
        assert_eq!(back_off(DELAY_FIRST, u32::MAX, 1.0), DELAY_MAX);
        assert_eq!(back_off(Duration::MAX, 40, 1.0), DELAY_MAX);
    }
}
