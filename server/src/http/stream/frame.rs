//! Server-sent events as bytes.
//!
//! Data is JSON on one line, names come from constants and ids from [`Position`]: no text from outside can hold the CR or
//! LF that would end a line.

use bytes::{BufMut, Bytes, BytesMut};
use serde::Serialize;
use tyr_api::events::Event;

use crate::db::events::Position;

/// Frames on their way to one reader.
#[derive(Debug, Default)]
pub(super) struct Frames(BytesMut);

impl Frames {
    /// One stored event: `id:` and `data:`.
    pub(super) fn event(&mut self, event: &Event) {
        self.put(format_args!("id: {}\n", Position::in_stream(event)));
        self.data(event);
    }

    /// A named event without an id, so that it does not move the resume cursor.
    pub(super) fn named(&mut self, name: &'static str, data: &impl Serialize) {
        self.put(format_args!("event: {name}\n"));
        self.data(data);
    }

    /// Milliseconds to wait before connecting again.
    pub(super) fn retry(&mut self, ms: u32) {
        self.put(format_args!("retry: {ms}\n\n"));
    }

    /// Keeps proxies and readers from giving up, or tells people why a stream ends.
    pub(super) fn comment(&mut self, text: &'static str) {
        self.put(format_args!(": {text}\n\n"));
    }

    /// Bytes so far.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is nothing to send.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Hands over what is there.
    pub(super) fn take(&mut self) -> Bytes {
        self.0.split().freeze()
    }

    fn data(&mut self, data: &impl Serialize) {
        self.0.put_slice(b"data: ");
        serde_json::to_writer((&mut self.0).writer(), data).expect("these types are JSON, and memory takes it");
        self.0.put_slice(b"\n\n");
    }

    fn put(&mut self, text: std::fmt::Arguments<'_>) {
        use std::fmt::Write;
        self.0.write_fmt(text).expect("memory takes it");
    }
}

#[cfg(test)]
mod tests {
    use super::Frames;

    #[test]
    fn line_breaks_in_data_stay_within_their_line() {
        let mut frames = Frames::default();
        frames.named("stats", &"a\r\nid: 1\n\ndata: b\u{2028}\0");
        let text = String::from_utf8(frames.take().to_vec()).expect("UTF-8");
        assert_eq!(text, "event: stats\ndata: \"a\\r\\nid: 1\\n\\ndata: b\u{2028}\\u0000\"\n\n");
        assert!(frames.is_empty());
    }
}
