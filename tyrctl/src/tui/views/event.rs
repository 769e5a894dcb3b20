//! All about one event: what happened, who decided, what the server says, and everything the host told. Text of this kind is
//! wrapped, never cut, and scrolled by the keys that move.

use ratatui::layout::Rect;
use tyr_api::events::{DriftReason, Event, Verdict};

use crate::tui::filter::contains;
use crate::tui::input::Action;
use crate::tui::state::State;
use crate::tui::state::mouse::Target;
use crate::tui::state::ui::{EventPage, Scroll};
use crate::tui::theme::Role;
use crate::tui::views::canvas::{Canvas, Span, span};
use crate::tui::views::columns::verdict_role;
use crate::tui::views::format;

/// Columns of a label.
const LABEL: u16 = 13;

/// A line of facts: its label, its text, and how that looks.
pub type Fact = (String, String, Role);

/// The page.
pub fn page(canvas: &mut Canvas<'_>, state: &State, page: &EventPage, area: Rect) {
    let title = [span("Event", Role::Accent), span(" enter says why", Role::Dim)];
    let (copy, json) = (state.keys.first(Action::Copy), state.keys.first(Action::CopyJson));
    let note = format!("{copy} copies the resource, {json} the event as JSON");
    text(canvas, state, area, &title, &note, &facts(state, &page.event), &page.scroll);
}

/// Facts in a box, wrapped and scrolled.
pub fn text(
    canvas: &mut Canvas<'_>,
    state: &State,
    area: Rect,
    title: &[Span<'_>],
    note: &str,
    facts: &[Fact],
    scroll: &Scroll,
) {
    state.drawn(area, Target::Text);
    let inner = if area.height >= 8 { canvas.panel(area, title, note, true) } else { area };
    let width = inner.width.saturating_sub(LABEL + 2);
    let mut lines: Vec<(&str, String, Role)> = Vec::new();
    for (label, text, role) in facts {
        for (n, line) in canvas.wrap(text, width).into_iter().enumerate() {
            lines.push((if n == 0 { label } else { "" }, line, *role));
        }
    }
    let height = usize::from(inner.height);
    let words = state.filter.words();
    let matches = |line: &str| words.iter().any(|word| contains(line, word));
    scroll.mark((0..lines.len()).filter(|n| matches(&lines[*n].1)));
    let first = scroll.first(lines.len(), height);
    for ((label, line, role), y) in lines.iter().skip(first).zip(inner.y..inner.bottom()) {
        canvas.text(inner.x + 1, y, LABEL - 1, label, Role::Dim);
        canvas.text(inner.x + 1 + LABEL, y, width, line, if matches(line) { Role::Accent } else { *role });
    }
    if lines.len() > first + height && inner.height > 0 {
        let more = format!(" {} more ", lines.len() - first - height);
        canvas.text_right(inner.x, inner.right(), inner.bottom() - 1, &more, Role::Warn);
    }
}

fn facts(state: &State, event: &Event) -> Vec<Fact> {
    let mut facts: Vec<Fact> = Vec::new();
    let mut fact = |label: &str, text: String, role: Role| facts.push((label.to_owned(), text, role));
    fact("what", format!("{} of an AI process", event.kind), Role::Strong);
    fact("resource", state.shown(&event.resource).into_owned(), Role::Strong);
    fact("verdict", format!("{}: {}", event.verdict, verdict_text(event)), verdict_role(event.verdict));
    match (event.server_verdict, event.drift_detected) {
        (Some(server), true) => {
            let why = event.drift_reason.map_or("", reason_sentence);
            fact("server says", format!("{server}, so this is drift: {why}"), Role::Bad);
        }
        (Some(server), false) => fact("server says", format!("{server}, the same"), Role::Normal),
        (None, _) => fact("server says", "nothing: it did not judge this event".to_owned(), Role::Dim),
    }
    let rule = match (&event.rule, event.policy_version) {
        (Some(rule), Some(version)) => format!("{rule}, in policy v{version}"),
        (Some(rule), None) => rule.clone(),
        (None, _) => "no rule matched: the policy's default, or allow".to_owned(),
    };
    fact("rule", rule, Role::Normal);
    fact("severity", event.severity.to_string(), Role::Normal);
    let policy =
        event.policy_id.as_ref().map_or_else(|| "no policy at all".to_owned(), |id| format!("effective policy {id}"));
    fact("judged by", policy, Role::Normal);
    let agent = state.data().fleet.get(event.agent_id);
    if let Some(agent) = agent
        && agent.assigned_policy_id != event.policy_id
    {
        let assigned = agent.assigned_policy_id.clone().unwrap_or_else(|| "none".to_owned());
        fact("assigned now", format!("effective policy {assigned}"), Role::Warn);
    }
    fact("when", format!("{} by the host's clock", format::date_ms(event.ts)), Role::Normal);
    let late = event.received_at.as_millisecond() - event.ts.as_millisecond();
    fact(
        "stored",
        format!("{} by the server's clock ({})", format::date_ms(event.received_at), format::skew(late)),
        Role::Normal,
    );
    let name = state.name_of(event.agent_id, &event.agent_name);
    fact("agent", format!("{name} ({})", event.agent_id), Role::Normal);
    let ai = match (&event.agent_type, event.discovered_agent_id) {
        (Some(kind), Some(id)) => format!("{kind} ({id})"),
        (Some(kind), None) => kind.clone(),
        (None, _) => "none".to_owned(),
    };
    fact("AI process", ai, Role::Normal);
    if let Some(process) = event.discovered_agent_id.and_then(|id| state.data().fleet.ai_get(id)) {
        fact("", format!("started as pid {}: {}", process.pid, state.shown(&process.cmdline)), Role::Normal);
    }
    fact("pid", event.pid.to_string(), Role::Normal);
    fact("program", state.shown(&event.process_exe).into_owned(), Role::Normal);
    fact("arguments", state.shown(&event.cmdline).into_owned(), Role::Normal);
    for (key, value) in &event.metadata {
        fact(key, state.shown(value).into_owned(), Role::Normal);
    }
    fact("event id", event.event_id.to_string(), Role::Dim);
    facts
}

/// What became of the action.
pub fn verdict_text(event: &Event) -> &'static str {
    match event.verdict {
        Verdict::Allow => "it went ahead",
        Verdict::Deny => "the kernel refused it (EPERM)",
        Verdict::Alert if event.drift_reason == Some(DriftReason::NotEnforcedHere) => {
            "it went ahead, although the rule says deny"
        }
        Verdict::Alert => "it went ahead, and somebody should look",
    }
}

/// Why agent and server disagree.
pub const fn reason_sentence(reason: DriftReason) -> &'static str {
    match reason {
        DriftReason::NotEnforcedHere => "this host's kernel can't refuse this kind of action (not enforced here)",
        DriftReason::StalePolicy => "the agent judged by another policy than the one assigned to it (stale policy)",
        DriftReason::VerdictDiffers => "the same policy, and another verdict (verdict differs)",
    }
}
