//! Why an event was judged as it was, step by step: who did it, what policy stood there, what rule decided, what the host could
//! do about it, what the server says, and how often the same came before.

use std::sync::Arc;

use ratatui::layout::Rect;
use tyr_api::agents::Posture;
use tyr_api::events::{Event, Verdict};

use crate::tui::state::State;
use crate::tui::state::rows::posture_word;
use crate::tui::state::ui::EventPage;
use crate::tui::theme::{Glyph, Role};
use crate::tui::views::canvas::{Canvas, span};
use crate::tui::views::columns::{resource_text, verdict_role, verdict_text};
use crate::tui::views::event::{self, Fact};
use crate::tui::views::format;

/// Events of the same AI process that are listed before this one.
const BEFORE_MAX: usize = 8;

/// The page.
pub fn page(canvas: &mut Canvas<'_>, state: &State, page: &EventPage, area: Rect) {
    let title = [span("Why", Role::Accent), span(format!(" {}", page.event.verdict), verdict_role(page.event.verdict))];
    let facts = facts(state, page);
    event::text(canvas, state, area, &title, "esc goes back", &facts, &page.scroll);
}

fn facts(state: &State, page: &EventPage) -> Vec<Fact> {
    let event = &page.event;
    let mut facts: Vec<Fact> = Vec::new();
    let mut fact = |label: &str, text: String, role: Role| facts.push((label.to_owned(), text, role));
    let resource = resource_text(event);
    let who = event.agent_type.as_deref().unwrap_or("a process");
    let name = state.name_of(event.agent_id, &event.agent_name);
    fact(
        "1 who",
        format!("{who} on {name}, pid {}, program {}", event.pid, state.shown(&event.process_exe)),
        Role::Normal,
    );
    fact("", format!("{} {}", event.kind, state.shown(&resource)), Role::Strong);

    let agent = state.data().fleet.get(event.agent_id);
    match (&event.policy_id, event.policy_version) {
        (None, _) => fact("2 policy", "none stood there: all is allowed and recorded".to_owned(), Role::Warn),
        (Some(id), None) => fact("2 policy", format!("effective policy {id}"), Role::Normal),
        (Some(id), Some(version)) => {
            fact("2 policy", format!("version {version}, in effective policy {id}"), Role::Normal);
            fact("", format!("its text: tyrctl policy show {version}"), Role::Dim);
        }
    }
    if let Some(agent) = agent {
        let assigned = agent.assigned_policy_id.as_deref().unwrap_or("none");
        if agent.assigned_policy_id == event.policy_id {
            fact("", "the same is assigned to the host now".to_owned(), Role::Normal);
        } else {
            fact("", format!("another is assigned to the host now: {assigned}"), Role::Warn);
        }
    }

    match &event.rule {
        Some(rule) => fact("3 rule", format!("{rule}, severity {}", event.severity), Role::Strong),
        None => {
            fact(
                "3 rule",
                "none matched: the policy's default decided, or nothing forbids it".to_owned(),
                Role::Normal,
            );
        }
    }

    let could = match (agent.map(|agent| agent.posture), event.verdict) {
        (_, Verdict::Deny) => "the kernel refused it".to_owned(),
        (Some(posture), _) => {
            let able = match posture {
                Posture::Enforcing => "can refuse everything",
                Posture::Partial => "can refuse network actions, and observe files and programs",
                Posture::Observing => "can observe, and refuse nothing",
                Posture::Blind => "sees nothing",
                Posture::Unknown => "never said what it can do",
            };
            format!("{} now: it {able}", posture_word(posture))
        }
        (None, _) => "what this host can do is not known".to_owned(),
    };
    fact("4 host", could, Role::Normal);
    if let Some(reason) = agent.map(|agent| &agent.posture_reason).filter(|reason| !reason.is_empty()) {
        fact("", state.shown(reason).into_owned(), Role::Dim);
    }
    if let Some(reason) = event.metadata.get("reason") {
        fact("", format!("the host says: {}", state.shown(reason)), Role::Normal);
    }

    let role = verdict_role(event.verdict);
    fact("5 verdict", format!("{}: {}", event.verdict, event::verdict_text(event)), role);
    match (event.server_verdict, event.drift_detected) {
        (Some(server), true) => {
            let why = event.drift_reason.map_or("it does not say why", event::reason_sentence);
            fact("6 server", format!("{server}, so this is drift: {why}"), Role::Bad);
        }
        (Some(server), false) => fact("6 server", format!("{server}, the same"), Role::Normal),
        (None, _) => fact("6 server", "did not judge this event".to_owned(), Role::Dim),
    }
    if agent.is_some_and(|agent| agent.clock_skew_ms.abs() > crate::tui::state::fleet::SKEW_WARN_MS) {
        fact("", "the host's clock is off: its times are not the server's".to_owned(), Role::Warn);
    }

    fact("", String::new(), Role::Normal);
    fact("the same", same(state, page), Role::Normal);
    let before = before(state, event);
    if !before.is_empty() {
        fact("before it", format!("the last {} of this AI process that are held here", before.len()), Role::Dim);
    }
    let arrow = state.theme.glyph(Glyph::Arrow);
    for one in &before {
        let resource = resource_text(one);
        let verdict = verdict_text(one, arrow);
        let text = format!("{}  {:<11}  {verdict}  {}", format::stamp(state, one.ts), one.kind, state.shown(&resource));
        fact("", text, verdict_role(one.verdict));
    }
    facts
}

/// How often the same rule decided among the held events, and on how many agents: counted once a second, as all are read for it.
fn same(state: &State, page: &EventPage) -> String {
    let second = state.clock.map_or(0, jiff::Timestamp::as_second);
    let (at, text) = &mut *page.alike.borrow_mut();
    if *at != second || text.is_empty() {
        (*at, *text) = (second, count_same(state, &page.event));
    }
    text.clone()
}

fn count_same(state: &State, event: &Event) -> String {
    let held = state.data().events.newest_first().filter_map(|entry| entry.held());
    let mut agents = std::collections::BTreeSet::new();
    let (mut alike, mut here) = (0_u64, 0_u64);
    for one in held.filter(|one| one.verdict == event.verdict) {
        one.glance(|glance| {
            if glance.rule == event.rule.as_deref() {
                alike += 1;
                agents.insert(glance.agent_id);
                here += u64::from(glance.resource == event.resource && glance.kind == event.kind);
            }
        });
    }
    let by = event.rule.as_ref().map_or_else(|| "no rule".to_owned(), |rule| format!("rule {rule}"));
    format!(
        "held here: {} with {by} and {}; of these {} on this resource; agents: {}",
        format::count(alike),
        event.verdict,
        format::count(here),
        format::count(agents.len() as u64)
    )
}

/// What the same AI process did before it, newest first.
fn before(state: &State, event: &Event) -> Vec<Arc<Event>> {
    if event.discovered_agent_id.is_none() {
        return Vec::new();
    }
    let held = state.data().events.newest_first().filter_map(|entry| entry.held());
    let mine =
        held.filter(|one| one.discovered_agent_id == event.discovered_agent_id && one.event_id != event.event_id);
    mine.map(|one| one.event()).filter(|one| one.ts <= event.ts).take(BEFORE_MAX).collect()
}
