//! `tyrctl events tail`: events as they happen.
//!
//! The stream is opened before the stored events are listed, so that nothing falls between the two; what both have is shown
//! once.

use std::collections::HashSet;

use futures_util::StreamExt;
use jiff::Timestamp;
use tyr_api::events::{Event, EventQuery};

use super::{Filter, Outcome, VIEW, fetch};
use crate::app::App;
use crate::args::{EventsTailArgs, Format, ListArgs};
use crate::client::sse::{self, SseItem, StreamQuery};
use crate::error::Failure;
use crate::output::sanitize::sanitize;
use crate::output::table::paint;
use crate::output::value::Value;
use crate::when;

/// `events tail`.
pub(in crate::commands) async fn run(app: &App, args: &EventsTailArgs) -> Result<Outcome, Failure> {
    if app.out.format == Format::Json {
        return Err(
            Failure::usage("a stream never becomes one JSON document").hint("`-o jsonl` prints one object per line")
        );
    }
    let client = app.client()?;
    let filter = Filter::new(&client, &args.filter).await?;
    let list = ListArgs::default();
    let query = StreamQuery { filter: filter.query(), last_event_id: args.from.clone(), ..StreamQuery::default() };
    let mut stream = sse::connect(&client, query);
    let mut shown = Shown { app, list: &list, left: args.count };
    let mut was_live = false;
    // Events of the list, which the stream may bring again.
    let mut listed = HashSet::new();
    while let Some(item) = stream.next().await {
        match item {
            SseItem::Live if !was_live => {
                was_live = true;
                VIEW.print_head(&app.out, &list)?;
                if args.from.is_none() && args.last > 0 {
                    let (mut events, _) =
                        fetch(app, &client, EventQuery { ..filter.query() }, &filter, args.last as usize).await?;
                    events.reverse();
                    for event in events {
                        listed.insert(event.event_id);
                        if !shown.event(&event)? {
                            return Ok(Outcome::Done);
                        }
                    }
                }
                app.out.flush()?;
            }
            SseItem::Live => app.out.note("note: connected again"),
            SseItem::Event { event, .. } => {
                // The stream has passed what the list had once it brings anything else, but their order differs.
                if filter.passes(&event) && !listed.remove(&event.event_id) && !shown.event(&event)? {
                    return Ok(Outcome::Done);
                }
            }
            SseItem::Gap(gap) => {
                let missed = gap.missed.map_or_else(|| "some".to_owned(), |missed| missed.to_string());
                app.out.note(&format!(
                    "note: {missed} events are missing here; `tyrctl events list --since {}` has them",
                    gap.since
                ));
            }
            SseItem::Unreadable { name, cause } => {
                app.out.note(&format!("note: left out a `{name}` that could not be read: {cause}"));
            }
            // Before the first connection a script wants to know; later the stream goes on by itself.
            SseItem::Waiting { cause, .. } if !was_live => return Err(cause),
            SseItem::Waiting { delay, cause, .. } => {
                app.out.note(&format!("note: {}; trying again in {:.1} s", cause.one_line(), delay.as_secs_f64()));
            }
            SseItem::Stopped(failure) => return Err(failure),
            SseItem::Connecting
            | SseItem::Text { .. }
            | SseItem::KeepAlive
            | SseItem::Stats(_)
            | SseItem::Agents(_)
            | SseItem::Ai(_)
            | SseItem::Alert(_) => {}
        }
    }
    Ok(Outcome::Done)
}

struct Shown<'a> {
    app: &'a App,
    list: &'a ListArgs,
    /// Events until `--count`.
    left: Option<u64>,
}

impl Shown<'_> {
    /// Prints an event at once; false when it was the last one wanted.
    fn event(&mut self, event: &Event) -> Result<bool, Failure> {
        let out = &self.app.out;
        if matches!(out.format, Format::Table | Format::Wide) {
            out.text(&line(self.app, event))?;
        } else {
            VIEW.print_row(out, self.list, event)?;
        }
        out.flush()?;
        if let Some(left) = &mut self.left {
            *left -= 1;
            return Ok(*left > 0);
        }
        Ok(true)
    }
}

/// As documented: time, verdict, kind, resource, process id, process; then whose it is and why.
fn line(app: &App, event: &Event) -> String {
    let verdict = format!("{:5}", event.verdict.as_str());
    let verdict = match super::verdict(event.verdict) {
        Value::Word(_, tone) if app.out.color => paint(tone).colorize(&verdict),
        _ => verdict,
    };
    let process = event.process_exe.rsplit('/').next().unwrap_or_default();
    let mut line = format!(
        "{}  {verdict}  {:11}  {}  pid={}  {}  agent={}",
        time(app, event.ts),
        event.kind.as_str(),
        sanitize(&event.resource),
        event.pid,
        sanitize(process),
        sanitize(&event.agent_name),
    );
    let mut add = |name: &str, value: &str| {
        line.push_str("  ");
        line.push_str(name);
        line.push('=');
        line.push_str(&sanitize(value));
    };
    if let Some(kind) = &event.agent_type {
        add("type", kind);
    }
    if let Some(rule) = &event.rule {
        add("rule", rule);
    }
    if let (true, Some(server)) = (event.drift_detected, event.server_verdict) {
        add("drift", &format!("{}→{server}", event.verdict));
    }
    if let Some(count) = event.metadata.get("count").filter(|count| *count != "1") {
        add("count", count);
    }
    line.push('\n');
    line
}

fn time(app: &App, at: Timestamp) -> String {
    when::show(at, &app.tz)
}
