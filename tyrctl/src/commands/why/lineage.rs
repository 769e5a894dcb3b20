//! From the AI process down to the one that acted, as far as the starts of programs are stored.

use serde::Serialize;
use tyr_api::agents::DiscoveredAgent;
use tyr_api::events::{Event, EventKind, EventQuery};

use crate::client::Client;
use crate::error::Failure;

/// Starts of programs before the event that are looked through.
const EXECS_MAX: u32 = 1_000;
/// Longest line of ancestors.
const DEPTH_MAX: usize = 32;

/// One process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Ancestor {
    pub(super) pid: i64,
    /// Empty where nothing is stored of it.
    pub(super) process_exe: String,
    pub(super) cmdline: String,
}

/// The AI process first, the acting one last. Processes of which no start is stored are left out but for their number.
pub(super) async fn of(
    client: &Client,
    event: &Event,
    root: Option<&DiscoveredAgent>,
) -> Result<Vec<Ancestor>, Failure> {
    let query = EventQuery {
        agent_id: Some(event.agent_id),
        kind: Some(EventKind::Exec),
        agent_type: event.agent_type.clone(),
        until: Some(event.ts),
        limit: Some(EXECS_MAX),
        ..EventQuery::default()
    };
    let execs = client.events(&query).await?.items;
    Ok(walk(event, root, &execs))
}

/// `execs` newest first.
fn walk(event: &Event, root: Option<&DiscoveredAgent>, execs: &[Event]) -> Vec<Ancestor> {
    let parent_of = |event: &Event| event.metadata.get("ppid").and_then(|ppid| ppid.parse::<i64>().ok());
    let acting = Ancestor { pid: event.pid, process_exe: event.process_exe.clone(), cmdline: event.cmdline.clone() };
    let mut line = vec![acting];
    let mut next = parent_of(event);
    let mut before = event.ts;
    while let Some(pid) = next.filter(|pid| *pid > 1 && line.len() < DEPTH_MAX) {
        if let Some(root) = root.filter(|root| root.pid == pid) {
            line.push(ancestor_of(root));
            break;
        }
        // Numbers come again: the newest start before its child's is the parent's.
        let found = execs
            .iter()
            .find(|exec| exec.pid == pid && exec.ts <= before && exec.discovered_agent_id == event.discovered_agent_id);
        let Some(exec) = found else {
            line.push(Ancestor { pid, process_exe: String::new(), cmdline: String::new() });
            line.extend(root.map(ancestor_of));
            break;
        };
        line.push(Ancestor { pid, process_exe: exec.process_exe.clone(), cmdline: exec.cmdline.clone() });
        (next, before) = (parent_of(exec), exec.ts);
    }
    line.reverse();
    line
}

fn ancestor_of(root: &DiscoveredAgent) -> Ancestor {
    Ancestor { pid: root.pid, process_exe: root.process_exe.clone(), cmdline: root.cmdline.clone() }
}

/// On one line, the root first.
pub(super) fn shown(line: &[Ancestor]) -> String {
    let one = |ancestor: &Ancestor| {
        let what = if ancestor.cmdline.is_empty() { &ancestor.process_exe } else { &ancestor.cmdline };
        format!("{} {}", ancestor.pid, if what.is_empty() { "?" } else { what })
    };
    line.iter().map(one).collect::<Vec<_>>().join(" → ")
}
