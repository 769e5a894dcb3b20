//! An event as it came: its text is read once without a copy, and made into an [`Event`] only when somebody looks at it.
//!
//! Of thousands of events a second a screen shows a few dozen. Each [`Event`] is twenty pieces of memory; its text is one.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use tyr_api::events::{DriftReason, Event, EventKind, Severity, Verdict};
use uuid::Uuid;

/// Text within a text; copied only where it holds escapes.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// A map of texts, read and forgotten: what is shown of it is read again then.
#[derive(Debug, Default)]
struct Metadata;

impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Metadata;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of texts")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Metadata, A::Error> {
                while map.next_entry::<Text<'de>, Text<'de>>()?.is_some() {}
                Ok(Metadata)
            }
        }
        deserializer.deserialize_map(Reader)
    }
}

/// The fields of an [`Event`], in a text or in another event; whatever can be read as one can be read as the other.
#[derive(Debug, Deserialize)]
struct Fields<'a> {
    event_id: Uuid,
    agent_id: Uuid,
    #[serde(borrow)]
    agent_name: Cow<'a, str>,
    ts: Timestamp,
    received_at: Timestamp,
    discovered_agent_id: Option<Uuid>,
    #[serde(borrow)]
    agent_type: Option<Text<'a>>,
    kind: EventKind,
    #[serde(borrow)]
    resource: Cow<'a, str>,
    verdict: Verdict,
    server_verdict: Option<Verdict>,
    drift_detected: bool,
    drift_reason: Option<DriftReason>,
    severity: Severity,
    #[serde(borrow)]
    rule: Option<Text<'a>>,
    #[serde(borrow)]
    #[expect(dead_code, reason = "read as proof that it can be")]
    policy_id: Option<Text<'a>>,
    policy_version: Option<u32>,
    pid: i64,
    #[serde(borrow)]
    process_exe: Cow<'a, str>,
    #[serde(borrow)]
    cmdline: Cow<'a, str>,
    #[expect(dead_code, reason = "read as proof that it can be")]
    metadata: Metadata,
}

/// What lists, filters and counters ask of an event, without a copy of it.
#[derive(Clone, Copy, Debug)]
pub struct Glance<'a> {
    /// See [`Event::event_id`].
    pub event_id: Uuid,
    /// See [`Event::agent_id`].
    pub agent_id: Uuid,
    /// See [`Event::agent_name`].
    pub agent_name: &'a str,
    /// See [`Event::ts`].
    pub ts: Timestamp,
    /// See [`Event::received_at`].
    pub received_at: Timestamp,
    /// See [`Event::discovered_agent_id`].
    pub discovered_agent_id: Option<Uuid>,
    /// See [`Event::agent_type`].
    pub agent_type: Option<&'a str>,
    /// See [`Event::kind`].
    pub kind: EventKind,
    /// See [`Event::resource`].
    pub resource: &'a str,
    /// See [`Event::verdict`].
    pub verdict: Verdict,
    /// See [`Event::server_verdict`].
    pub server_verdict: Option<Verdict>,
    /// See [`Event::drift_detected`].
    pub drift_detected: bool,
    /// See [`Event::drift_reason`].
    pub drift_reason: Option<DriftReason>,
    /// See [`Event::severity`].
    pub severity: Severity,
    /// See [`Event::rule`].
    pub rule: Option<&'a str>,
    /// See [`Event::policy_version`].
    pub policy_version: Option<u32>,
    /// See [`Event::pid`].
    pub pid: i64,
    /// See [`Event::process_exe`].
    pub process_exe: &'a str,
    /// See [`Event::cmdline`].
    pub cmdline: &'a str,
}

impl Glance<'_> {
    /// Whether it was allowed, and rightly so.
    pub fn is_plain(&self) -> bool {
        self.verdict == Verdict::Allow && !self.drift_detected
    }
}

impl<'a> From<&'a Fields<'a>> for Glance<'a> {
    fn from(fields: &'a Fields<'a>) -> Self {
        Self {
            event_id: fields.event_id,
            agent_id: fields.agent_id,
            agent_name: &fields.agent_name,
            ts: fields.ts,
            received_at: fields.received_at,
            discovered_agent_id: fields.discovered_agent_id,
            agent_type: fields.agent_type.as_ref().map(|text| &*text.0),
            kind: fields.kind,
            resource: &fields.resource,
            verdict: fields.verdict,
            server_verdict: fields.server_verdict,
            drift_detected: fields.drift_detected,
            drift_reason: fields.drift_reason,
            severity: fields.severity,
            rule: fields.rule.as_ref().map(|text| &*text.0),
            policy_version: fields.policy_version,
            pid: fields.pid,
            process_exe: &fields.process_exe,
            cmdline: &fields.cmdline,
        }
    }
}

impl<'a> From<&'a Event> for Glance<'a> {
    fn from(event: &'a Event) -> Self {
        Self {
            event_id: event.event_id,
            agent_id: event.agent_id,
            agent_name: &event.agent_name,
            ts: event.ts,
            received_at: event.received_at,
            discovered_agent_id: event.discovered_agent_id,
            agent_type: event.agent_type.as_deref(),
            kind: event.kind,
            resource: &event.resource,
            verdict: event.verdict,
            server_verdict: event.server_verdict,
            drift_detected: event.drift_detected,
            drift_reason: event.drift_reason,
            severity: event.severity,
            rule: event.rule.as_deref(),
            policy_version: event.policy_version,
            pid: event.pid,
            process_exe: &event.process_exe,
            cmdline: &event.cmdline,
        }
    }
}

/// What the text of an event says, as long as the text is there.
///
/// # Errors
/// When it is no event.
pub fn glance<R>(text: &str, look: impl FnOnce(Glance<'_>) -> R) -> Result<R, serde_json::Error> {
    serde_json::from_str::<Fields<'_>>(text).map(|fields| look(Glance::from(&fields)))
}

/// An event that is kept.
#[derive(Debug)]
pub struct Held {
    /// See [`Event::event_id`].
    pub event_id: Uuid,
    /// See [`Event::agent_id`].
    pub agent_id: Uuid,
    /// See [`Event::discovered_agent_id`].
    pub discovered_agent_id: Option<Uuid>,
    /// See [`Event::received_at`].
    pub received_at: Timestamp,
    /// See [`Event::kind`].
    pub kind: EventKind,
    /// See [`Event::verdict`].
    pub verdict: Verdict,
    /// See [`Event::drift_detected`].
    pub drift_detected: bool,
    /// As it came; empty where the event itself came.
    text: String,
    event: OnceLock<Arc<Event>>,
}

impl Held {
    fn of(glance: &Glance<'_>, text: String, event: OnceLock<Arc<Event>>) -> Self {
        Self {
            event_id: glance.event_id,
            agent_id: glance.agent_id,
            discovered_agent_id: glance.discovered_agent_id,
            received_at: glance.received_at,
            kind: glance.kind,
            verdict: glance.verdict,
            drift_detected: glance.drift_detected,
            text,
            event,
        }
    }

    /// Reads the text of an event, and keeps it if that is wanted.
    ///
    /// # Errors
    /// When it is no event.
    pub fn from_text(
        text: String,
        wanted: impl FnOnce(&Glance<'_>) -> bool,
    ) -> Result<Option<Self>, serde_json::Error> {
        let held = glance(&text, |event| wanted(&event).then(|| Self::of(&event, String::new(), OnceLock::new())))?;
        Ok(held.map(|held| Self { text, ..held }))
    }

    /// All of it, made of the text anew each time: what is drawn is a few dozen of thousands, and would fill the memory twice.
    pub fn event(&self) -> Arc<Event> {
        self.event.get().cloned().unwrap_or_else(|| {
            let event = serde_json::from_str(&self.text);
            Arc::new(event.expect("a text that was read as these fields before"))
        })
    }

    /// All of it, made once: for a list that is sorted by what the text holds.
    pub fn opened(&self) -> &Arc<Event> {
        self.event.get_or_init(|| self.event())
    }

    /// What lists and filters ask of it; cheaper than [`Held::event`], and leaves nothing behind.
    pub fn glance<R>(&self, look: impl FnOnce(Glance<'_>) -> R) -> R {
        match self.event.get() {
            Some(event) => look(Glance::from(&**event)),
            None => glance(&self.text, look).expect("a text that was read as these fields before"),
        }
    }

    /// Whether it was allowed, and rightly so.
    pub fn is_plain(&self) -> bool {
        self.verdict == Verdict::Allow && !self.drift_detected
    }

    /// Rough bytes that it takes.
    pub fn weight(&self) -> usize {
        let of_event = self.event.get().filter(|_| self.text.is_empty()).map_or(0, |event| {
            let metadata: usize = event.metadata.iter().map(|(key, value)| key.len() + value.len() + 48).sum();
            512 + event.resource.len()
                + event.cmdline.len()
                + event.process_exe.len()
                + event.agent_name.len()
                + metadata
        });
        256 + self.text.len() + of_event
    }
}

impl From<Event> for Held {
    fn from(event: Event) -> Self {
        let event = Arc::new(event);
        Self::of(&Glance::from(&*event), String::new(), OnceLock::from(Arc::clone(&event)))
    }
}

impl From<Box<Event>> for Held {
    fn from(event: Box<Event>) -> Self {
        Self::from(*event)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use tyr_api::events::Event;

    use super::{Glance, Held, glance};
    use crate::tui::state::testing::{agent, drift, event};

    fn all() -> Vec<Event> {
        use tyr_api::events::{EventKind, Verdict};
        let mut hostile = drift(
            3,
            &agent(1, "a\"\\\n\u{1b}[2J\u{202e}é", 5),
            9,
            Verdict::Alert,
            Verdict::Deny,
            EventKind::Exec,
            "/\t\"x",
        );
        hostile.cmdline = "\u{0}\u{7f}\u{1f600}".to_owned();
        hostile.metadata =
            [("count", "12"), ("a\"", "\\")].map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        let mut bare = event(4);
        (bare.discovered_agent_id, bare.agent_type, bare.rule) = (None, None, None);
        (bare.policy_id, bare.policy_version, bare.server_verdict) = (None, None, None);
        vec![event(1), hostile, bare]
    }

    #[test]
    fn a_text_says_the_same_as_the_event_that_it_becomes() {
        for event in all() {
            let text = serde_json::to_string(&event).unwrap();
            let held = Held::from_text(text, |_| true).unwrap().expect("it is wanted");
            let of_text = held.glance(|glance| format!("{glance:?}"));
            assert_eq!(of_text, format!("{:?}", Glance::from(&event)));
            assert_eq!(*held.event(), event);
            assert_eq!(**held.opened(), event);
            assert_eq!(held.glance(|glance| format!("{glance:?}")), of_text, "once it was looked at");
        }
    }

    #[test]
    fn what_is_no_event_for_one_is_none_for_the_other() {
        let good = serde_json::to_value(event(1)).unwrap();
        let mut tried = 0;
        for field in good.as_object().unwrap().keys() {
            for bad in
                [Some(json!([])), Some(json!({"x": 1})), Some(json!(-1)), Some(Value::Null), Some(json!("x")), None]
            {
                let mut value = good.clone();
                match bad {
                    Some(bad) => drop(value.as_object_mut().unwrap().insert(field.clone(), bad)),
                    None => drop(value.as_object_mut().unwrap().remove(field)),
                }
                let text = value.to_string();
                let event = serde_json::from_str::<Event>(&text);
                assert_eq!(glance(&text, |_| ()).is_ok(), event.is_ok(), "{text}");
                tried += 1;
            }
        }
        assert!(tried > 100);
        for text in ["", "{", "null", "[]", "{\"event_id\":1,\"event_id\":2}"] {
            assert!(glance(text, |_| ()).is_err() && serde_json::from_str::<Event>(text).is_err(), "{text}");
        }
    }
}
