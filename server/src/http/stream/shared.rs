//! Events as bytes, made once for all readers that ask for the same.

use std::sync::PoisonError;

use bytes::Bytes;

use super::frame::Frames;
use crate::app::live::{Pieces, Stored};
use crate::db::events::Filter;

/// Most bytes of one piece, unless one event alone has more: what waits for a slow reader is counted in pieces.
pub(super) const PIECE_BYTES: usize = 64 * 1024;

/// The frames of all events that the filter lets through, in order.
pub(super) fn frames(stored: &Stored, filter: &Filter) -> Pieces {
    if *filter == Filter::default() {
        return whole(stored);
    }
    if let Some(known) = stored.rendered.selected.lock().unwrap_or_else(PoisonError::into_inner).get(filter) {
        return known.clone();
    }
    // Not under the lock: two readers may do it at once, and get the same.
    let selected: Vec<usize> =
        stored.events.iter().enumerate().filter(|(_, event)| filter.matches(event)).map(|(index, _)| index).collect();
    let pieces = match selected.len() {
        0 => Pieces::default(),
        count if count == stored.events.len() => whole(stored),
        _ => {
            let events = events(stored);
            join(selected.iter().map(|index| &events[*index]))
        }
    };
    let mut known = stored.rendered.selected.lock().unwrap_or_else(PoisonError::into_inner);
    known.entry(filter.clone()).or_insert(pieces).clone()
}

fn whole(stored: &Stored) -> Pieces {
    stored.rendered.whole.get_or_init(|| join(events(stored).iter())).clone()
}

fn events(stored: &Stored) -> &[Bytes] {
    stored.rendered.events.get_or_init(|| {
        let mut frames = Frames::default();
        stored
            .events
            .iter()
            .map(|event| {
                frames.event(event);
                frames.take()
            })
            .collect()
    })
}

fn join<'a>(events: impl Iterator<Item = &'a Bytes>) -> Pieces {
    let (mut pieces, mut count) = (Vec::new(), 0);
    let mut piece = Vec::new();
    for event in events {
        if !piece.is_empty() && piece.len() + event.len() > PIECE_BYTES {
            pieces.push(Bytes::from(std::mem::take(&mut piece)));
        }
        piece.extend_from_slice(event);
        count += 1;
    }
    if !piece.is_empty() {
        pieces.push(Bytes::from(piece));
    }
    Pieces { bytes: pieces.into(), events: count }
}
