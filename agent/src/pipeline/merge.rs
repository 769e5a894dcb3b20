//! Repeats of an allowed action within a second become one event with their count.
//!
//! The first action is reported at once, so that merging delays nothing that is new. Those that follow it within the window
//! are one event at the window's end; while they go on, one event each second.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;
use tyr_proto::v1::Event;

use crate::clock::rfc3339;

/// How long repeats are gathered.
pub(super) const WINDOW: Duration = Duration::from_secs(1);
/// Actions that are watched for repeats at a time: at about 1 KiB each, 4 MiB. Further ones are reported one by one.
pub(super) const KEYS_MAX: usize = 4096;

/// What makes two allowed actions the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pid: i64,
    kind: i32,
    resource: String,
    policy_id: String,
    rule: Option<String>,
    errno: Option<String>,
    operation: Option<String>,
    process_exe: String,
}

impl Key {
    /// Of an event without a count.
    pub(super) fn of(event: &Event) -> Self {
        Self {
            pid: event.pid,
            kind: event.kind,
            resource: event.resource.clone(),
            policy_id: event.policy_id.clone(),
            rule: event.metadata.get("rule").cloned(),
            errno: event.metadata.get("errno").cloned(),
            operation: event.metadata.get("operation").cloned(),
            process_exe: event.process_exe.clone(),
        }
    }
}

#[derive(Debug)]
struct Window {
    began: Instant,
    repeats: Option<Repeats>,
}

#[derive(Debug)]
struct Repeats {
    event: Event,
    count: u64,
    last_us: i64,
}

impl Repeats {
    fn into_event(self) -> Event {
        let mut event = self.event;
        stands_for(&mut event, self.count, self.last_us);
        event
    }
}

/// The windows that are open.
#[derive(Debug, Default)]
pub(super) struct Merge {
    windows: HashMap<Key, Window>,
}

impl Merge {
    /// Takes an allowed action; gives it back when it is to be reported now.
    pub(super) fn take(&mut self, key: Key, event: Event, count: u64, last_us: i64, now: Instant) -> Option<Event> {
        let Some(window) = self.windows.get_mut(&key) else {
            if self.windows.len() < KEYS_MAX {
                self.windows.insert(key, Window { began: now, repeats: None });
            }
            return Some(Repeats { event, count, last_us }.into_event());
        };
        match &mut window.repeats {
            Some(repeats) => {
                repeats.count += count;
                repeats.last_us = repeats.last_us.max(last_us);
            }
            None => window.repeats = Some(Repeats { event, count, last_us }),
        }
        None
    }

    /// What is to be reported of the windows that are over. A window with repeats opens anew, one without closes.
    pub(super) fn expired(&mut self, now: Instant) -> Vec<Event> {
        let mut events = Vec::new();
        self.windows.retain(|_, window| {
            if now.duration_since(window.began) < WINDOW {
                return true;
            }
            let Some(repeats) = window.repeats.take() else { return false };
            events.push(repeats.into_event());
            window.began = now;
            true
        });
        in_order(events)
    }

    /// What is to be reported of one tree, which is gone.
    pub(super) fn of_tree(&mut self, tree_id: &str) -> Vec<Event> {
        let of_tree = |event: &Event| event.discovered_agent_id.as_deref() == Some(tree_id);
        let windows = self.windows.values_mut();
        let repeats = windows.filter_map(|window| window.repeats.take_if(|repeats| of_tree(&repeats.event)));
        in_order(repeats.map(Repeats::into_event).collect())
    }

    /// Everything that is to be reported, at the end.
    pub(super) fn all(&mut self) -> Vec<Event> {
        let repeats = self.windows.drain().filter_map(|(_, window)| window.repeats);
        in_order(repeats.map(Repeats::into_event).collect())
    }
}

/// A hash map has no order of its own; events do.
fn in_order(mut events: Vec<Event>) -> Vec<Event> {
    events.sort_unstable_by(|a, b| a.event_id.cmp(&b.event_id));
    events
}

/// Says in the metadata that the event stands for several actions, if it does.
pub(super) fn stands_for(event: &mut Event, count: u64, last_us: i64) {
    if count > 1 {
        let mut say = |key: &str, value: String| event.metadata.insert(key.to_owned(), value);
        say("count", count.to_string());
        say("first_ts", rfc3339(event.timestamp_ns / 1000));
        say("last_ts", rfc3339(last_us));
    }
}
