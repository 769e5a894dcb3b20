//! `GET /api/v1/events/stream`: events as they are stored, as server-sent events.
//!
//! A reader subscribes to the live channel first, then replays from the table what was stored after its `Last-Event-ID`,
//! then follows, skipping what it sent already: nothing is missed and nothing comes twice. What a reader does not take
//! waits in a queue of a few pieces; behind it, the ring of the live channel (shared by all readers) moves on, and the
//! reader is told how many events it missed. So a slow reader costs a fixed amount of memory and holds nobody up.
//!
//! Events are made into bytes once for all readers of a filter, and the more readers there are, the longer each waits
//! between two writes: a thousand readers cost about as many writes as a hundred.

mod frame;
mod reader;
mod shared;
pub mod slots;

use std::convert::Infallible;
use std::sync::Arc;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tyr_api::error::ErrorBody;
use tyr_api::stream::{self as api, StreamQuery};

use self::reader::{Include, Reader};
use self::slots::Full;
use super::error::{ApiError, nearest};
use super::events::{FILTERS, filter};
use super::params::{Known, Params, invalid};
use super::router::Door;
use super::serve::Cut;
use super::who::Viewer;
use crate::app::App;
use crate::db::events::Position;

/// Seconds after which it may be tried again when there are too many.
const RETRY_AFTER_S: u64 = 10;

/// Events from now on, or from `Last-Event-ID` on.
#[utoipa::path(
    get,
    path = "/api/v1/events/stream",
    tag = "events",
    params(StreamQuery, ("last-event-id" = Option<String>, Header, description = "Where to go on: the `id:` of the last event")),
    responses(
        (status = 429, description = "This user has as many streams as it may", body = ErrorBody),
        (status = 200, description = "Server-sent events without end", body = String, content_type = "text/event-stream"),
    ),
    security(("session" = ["viewer"])),
)]
pub async fn follow(
    Viewer(user): Viewer,
    State(door): State<Door>,
    State(app): State<Arc<App>>,
    cut: Option<Extension<Cut>>,
    headers: HeaderMap,
    params: Params,
) -> Result<Response, ApiError> {
    let params = params.only(&[FILTERS.as_slice(), &["include", "last_event_id"]].concat())?;
    let filter = filter(&params)?;
    let include = include(&params)?;
    let after = last_event_id(&headers, &params)?;
    let slot = door.streams.open_for(user.user_id).map_err(|full| match full {
        Full::Server => {
            app.metrics.sse.refused("server_limit");
            ApiError::unavailable("too_many_streams", RETRY_AFTER_S)
        }
        Full::User => {
            app.metrics.sse.refused("user_limit");
            let message =
                format!("`{}` has {} open streams, which is the limit", user.username, door.streams.per_user_max());
            ApiError::new(StatusCode::TOO_MANY_REQUESTS, "too_many_streams", message)
                .hint("close one; `TYR_SSE_STREAMS_PER_USER` of the server sets the limit")
                .retry_after(RETRY_AFTER_S)
        }
    })?;
    let session = door.streams.session(&app, &user, &door.stop);
    let (outbox, receiver) = reader::queue();
    // Before anything is read from the table.
    let live = app.live.subscribe();
    let news = app.fleet.news();
    let reader = Reader::new(app, &door, filter, include, outbox, after, session, cut.map(|Extension(cut)| cut));
    tokio::spawn(async move {
        reader.run(&user.username, live, news).await;
    });
    let headers = [
        (CONTENT_TYPE, "text/event-stream"),
        (CACHE_CONTROL, "no-store"),
        // nginx would hold events back.
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    let pieces = ReceiverStream::new(receiver).map(move |piece| {
        // As long as the connection holds the body, and with it what waits there, the stream counts as open.
        let _ = &slot;
        Ok::<Bytes, Infallible>(piece)
    });
    let body = Body::from_stream(pieces);
    Ok((headers, body).into_response())
}

fn include(params: &Known) -> Result<Include, ApiError> {
    const WORDS: [&str; 4] = [api::STATS, api::AGENTS, api::AI, api::ALERTS];
    let mut include = Include::default();
    let Some(text) = params.text("include") else { return Ok(include) };
    for word in text.split(',') {
        match word {
            api::STATS => include.stats = true,
            api::AGENTS => include.agents = true,
            api::AI => include.ai = true,
            api::ALERTS => include.alerts = true,
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
