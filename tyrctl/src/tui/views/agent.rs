//! All about one agent: who it is, what it enforces and why not more, its policy, its AI processes, its events. The same of one
//! AI process.

use ratatui::layout::Rect;
use tyr_api::agents::{Agent, DenialTrial, DiscoveredAgent, Posture, TablesState};
use tyr_api::events::{EventKind, Verdict};

use crate::tui::state::State;
use crate::tui::state::fleet::{Standing, age_s};
use crate::tui::state::order::Table;
use crate::tui::state::rows::posture_word;
use crate::tui::state::ui::{AgentPage, Pane};
use crate::tui::theme::{Glyph, Role};
use crate::tui::views::canvas::{Canvas, Span, span};
use crate::tui::views::columns::{
    event_mark, rate_text, resource_text, standing, standing_role, verdict_role, verdict_text,
};
use crate::tui::views::panels::{self, Heads};
use crate::tui::views::{columns, format, overview, rates};

/// Columns of a label.
const LABEL: u16 = 10;

/// The page.
pub fn page(canvas: &mut Canvas<'_>, state: &State, page: &AgentPage, area: Rect) {
    let Some(agent) = state.data().fleet.get(page.agent) else {
        canvas.text(area.x + 1, area.y, area.width, "this agent is gone (archived); esc goes back", Role::Warn);
        return;
    };
    let process = page.process.and_then(|id| state.data().fleet.ai_get(id));
    let facts = match (page.process, process) {
        (None, _) => facts(canvas, state, agent),
        (Some(_), Some(process)) => process_facts(canvas, state, page, process),
        (Some(_), None) => vec![("", vec![span("this AI process ended long ago", Role::Warn)])],
    };
    if state.size.0 < 60 || state.size.1 < 15 {
        let used = fact_lines(canvas, area, &facts[..facts.len().min(3)]);
        let rest = Rect { y: area.y + used, height: area.height.saturating_sub(used), ..area };
        match page.focus {
            Pane::PageAi => panels::ai(canvas, state, &page.ai, rest, true),
            Pane::PageDrift => panels::drift(canvas, state, &page.drifts, rest, true, Heads::Hidden),
            _ => panels::events(canvas, state, &page.events, rest, true, Heads::Hidden),
        }
        return;
    }
    let facts_height = u16::try_from(facts.len()).unwrap_or(9) + 2;
    let top = Rect { height: facts_height.min(area.height), ..area };
    let mut title = vec![span(state.name_of(agent.agent_id, &agent.name), Role::Accent)];
    if let Some(process) = process {
        title.push(span(
            format!(" {} {} {}", canvas.theme.glyph(Glyph::Closed), process.agent_type, process.pid),
            Role::Strong,
        ));
    }
    let id = page.process.unwrap_or(agent.agent_id).to_string();
    let inner = canvas.panel(top, &title, &id, false);
    fact_lines(canvas, Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner }, &facts);
    let rest = Rect { y: top.bottom(), height: area.height - top.height, ..area };
    if state.zoom {
        lists(canvas, state, page, page.focus, rest);
        return;
    }
    let wanted = |rows: usize| u16::try_from(rows.max(1)).unwrap_or(u16::MAX).saturating_add(3);
    let ai = if page.process.is_some() { 0 } else { wanted(page.ai.rows().len()).min((rest.height / 4).max(4)) };
    let left = rest.height.saturating_sub(ai);
    let drift = if page.drifts.rows().is_empty() { 3 } else { wanted(page.drifts.rows().len()).min(left / 2) };
    let mut y = rest.y;
    for (pane, height) in [(Pane::PageAi, ai), (Pane::PageEvents, left.saturating_sub(drift)), (Pane::PageDrift, drift)]
    {
        let height = height.min(rest.bottom().saturating_sub(y));
        if height == 0 {
            continue;
        }
        lists(canvas, state, page, pane, Rect { y, height, ..rest });
        y += height;
    }
}

fn lists(canvas: &mut Canvas<'_>, state: &State, page: &AgentPage, pane: Pane, area: Rect) {
    let focused = page.focus == pane;
    let height = area.height.saturating_sub(3);
    match pane {
        Pane::PageAi => {
            let note = panels::position(canvas, state, Table::Ai, &page.ai, height);
            let inner = canvas.panel(area, &[span("AI processes", Role::Accent)], &note, focused);
            panels::ai(canvas, state, &page.ai, inner, focused);
        }
        Pane::PageDrift => {
            let note = panels::position(canvas, state, Table::Drift, &page.drifts, height);
            let inner = canvas.panel(area, &[span("Its drift, 1 d", Role::Accent)], &note, focused);
            panels::drift(canvas, state, &page.drifts, inner, focused, overview::heads(inner));
        }
        _ => {
            let (title, note) = overview::tail_title(canvas, state, &page.events, height);
            let inner = canvas.panel(area, &title, &note, focused);
            panels::events(canvas, state, &page.events, inner, focused, overview::heads(inner));
        }
    }
}

type Fact = (&'static str, Vec<Span<'static>>);

fn fact_lines(canvas: &mut Canvas<'_>, area: Rect, facts: &[Fact]) -> u16 {
    let mut used = 0;
    for ((label, spans), y) in facts.iter().zip(area.y..area.bottom()) {
        canvas.text(area.x, y, LABEL, label, Role::Dim);
        canvas.line(area.x + LABEL, y, area.right(), spans);
        used += 1;
    }
    used
}

fn facts(canvas: &Canvas<'_>, state: &State, agent: &Agent) -> Vec<Fact> {
    let bullet = format!(" {} ", canvas.theme.glyph(Glyph::Bullet));
    let standing = standing(state, agent);
    let normal = |text: String| span(text, Role::Normal);
    let mut facts: Vec<Fact> = Vec::new();
    let age = state.clock.map(|clock| format::age(age_s(agent, clock))).unwrap_or_default();
    facts.push((
        "state",
        vec![
            span(standing.word(), standing_role(standing)),
            normal(format!("{bullet}last seen {}, {age} ago", format::stamp(state, agent.last_seen))),
            span(if agent.connected { "" } else { ", no stream" }, Role::Warn),
            normal(format!("{bullet}{} ev/s ", rate_text(state, agent))),
            span(rates::shape(state, agent.agent_id), Role::Good),
        ],
    ));
    let scope = if agent.scope.is_empty() { "whole host".into() } else { state.shown(&agent.scope) };
    facts.push((
        "host",
        vec![normal(format!(
            "kernel {} {}{bullet}tyrd {}{bullet}scope {scope}",
            agent.kernel, agent.arch, agent.agent_version
        ))],
    ));
    let role = match agent.posture {
        Posture::Enforcing => Role::Good,
        Posture::Partial | Posture::Observing => Role::Warn,
        Posture::Unknown | Posture::Blind => Role::Bad,
    };
    let posture = vec![span(posture_word(agent.posture), role), normal(format!(": {}", posture_text(agent.posture)))];
    facts.push(("posture", posture));
    if !agent.posture_reason.is_empty() {
        facts.push(("why", vec![normal(state.shown(&agent.posture_reason).into_owned())]));
    }
    if let Some(doubt) = agent.doubt() {
        facts.push(("doubt", vec![span(doubt.to_string(), Role::Bad)]));
    }
    facts.push(("shown by", proof(state, agent, &bullet)));
    facts.push(("hooks", vec![normal(if agent.hooks.is_empty() { "none".to_owned() } else { agent.hooks.join(" ") })]));
    facts.push(("policy", policy(agent)));
    if !agent.policy_error.is_empty() {
        facts.push(("", vec![span(format!("did not load: {}", state.shown(&agent.policy_error)), Role::Bad)]));
    }
    let lost = if agent.events_lost > 0 { Role::Bad } else { Role::Normal };
    let skew = if standing == Standing::Skewed { Role::Warn } else { Role::Normal };
    facts.push((
        "health",
        vec![
            span(format!("lost {}", format::count(agent.events_lost)), lost),
            normal(format!("{bullet}waiting on the host {}", format::count(agent.spool_records))),
            span(format!("{bullet}clock {}", format::skew(agent.clock_skew_ms)), skew),
            normal(format!("{bullet}certificate until {}", format::date(agent.cert_not_after))),
            normal(format!("{bullet}enrolled {}", format::date(agent.enrolled_at))),
        ],
    ));
    facts
}

fn process_facts(canvas: &Canvas<'_>, state: &State, page: &AgentPage, process: &DiscoveredAgent) -> Vec<Fact> {
    let bullet = format!(" {} ", canvas.theme.glyph(Glyph::Bullet));
    let normal = |text: String| span(text, Role::Normal);
    let began = format!(
        "first seen {}, {} ago",
        format::stamp(state, process.first_seen),
        columns::ago(state, process.first_seen)
    );
    let state_of = match process.ended_at {
        Some(ended) => span(format!("ended {} ago", columns::ago(state, ended)), Role::Dim),
        None => span("alive", Role::Good),
    };
    let mut facts: Vec<Fact> = vec![
        ("state", vec![state_of, normal(format!("{bullet}{began}{bullet}found by {}", process.found_by))]),
        (
            "what",
            vec![normal(format!(
                "{}, pid {}{bullet}program {}",
                process.agent_type,
                process.pid,
                state.shown(&process.process_exe)
            ))],
        ),
        ("arguments", vec![normal(state.shown(&process.cmdline).into_owned())]),
    ];
    if !process.registered {
        facts.push(("type", vec![span("not registered: nobody approved it, and it has no overlay", Role::Warn)]));
    }
    if process.display_name != process.agent_type {
        facts.push(("name", vec![normal(state.shown(&process.display_name).into_owned())]));
    }
    facts.push(("signature", vec![span(process.process_signature.clone(), Role::Dim)]));
    let mut by_kind = [[0_u64; 3]; 5];
    let events = state.data().events.newest_first().filter_map(|entry| entry.held());
    for event in events.filter(|event| event.discovered_agent_id == page.process) {
        by_kind[event.kind as usize][event.verdict as usize] += 1;
    }
    // What was denied first: the line may be cut.
    let mut held = Vec::new();
    for verdict in [Verdict::Deny, Verdict::Alert, Verdict::Allow] {
        let count: u64 = by_kind.iter().map(|counts| counts[verdict as usize]).sum();
        if count > 0 {
            held.push(span(format!("{verdict} {}  ", format::count(count)), verdict_role(verdict)));
        }
    }
    for kind in EventKind::ALL {
        let count: u64 = by_kind[*kind as usize].iter().sum();
        if count > 0 {
            held.push(span(format!("  {kind} {}", format::count(count)), Role::Normal));
        }
    }
    if held.is_empty() {
        held.push(span("none", Role::Dim));
    }
    facts.push(("held here", held));
    facts
}

/// What the agent tried, and what the server compared.
fn proof(state: &State, agent: &Agent, bullet: &str) -> Vec<Span<'static>> {
    let (trial, role) = match agent.denial {
        DenialTrial::NotTried => ("no denial can be tried", Role::Dim),
        DenialTrial::Denied => ("a tried denial was denied", Role::Good),
        DenialTrial::WentThrough => ("a tried denial went through", Role::Bad),
        DenialTrial::NotKnown => ("a denial could not be tried", Role::Bad),
    };
    let at = agent.denial_at.map_or_else(String::new, |at| format!(", {} ago", columns::ago(state, at)));
    let (tables, tables_role) = match agent.tables {
        TablesState::Unknown => ("tables not compared", Role::Dim),
        TablesState::AsExpected => ("tables as expected", Role::Good),
        TablesState::Differ => ("tables are NOT those of its policy", Role::Bad),
    };
    let digest = agent.tables_digest.split_once('-').map_or("", |(_, hex)| hex);
    let digest: String = state.shown(digest).chars().take(12).collect();
    let digest = if digest.is_empty() { digest } else { format!(" ({digest})") };
    vec![
        span(format!("{trial}{at}"), role),
        span(bullet.to_owned(), Role::Normal),
        span(format!("{tables}{digest}"), tables_role),
    ]
}

const fn posture_text(posture: Posture) -> &'static str {
    match posture {
        Posture::Unknown => "the agent never said",
        Posture::Blind => "nothing could be loaded",
        Posture::Observing => "everything observed, nothing enforced",
        Posture::Partial => "network rules enforced, files and programs observed",
        Posture::Enforcing => "all rules enforced in the kernel",
    }
}

fn policy(agent: &Agent) -> Vec<Span<'static>> {
    let short =
        |id: &Option<String>| id.as_deref().map_or_else(|| "none".to_owned(), |id| id.chars().take(8).collect());
    let version = agent.policy_version.map_or_else(|| "none".to_owned(), |version| format!("v{version}"));
    if agent.policy_id.is_none() && agent.assigned_policy_id.is_none() {
        return vec![span("none assigned: everything is allowed and recorded", Role::Warn)];
    }
    let in_force = format!("{version} in force ({})", short(&agent.policy_id));
    if agent.policy_id == agent.assigned_policy_id {
        vec![span(in_force, Role::Normal), span(" = assigned", Role::Good)]
    } else {
        vec![
            span(in_force, Role::Normal),
            span(format!(", but {} is assigned", short(&agent.assigned_policy_id)), Role::Bad),
        ]
    }
}

/// The panel about the agent that is selected in the overview.
pub fn selected(canvas: &mut Canvas<'_>, state: &State, area: Rect) {
    let Some(agent) = state.selected_agent() else {
        canvas.panel(area, &[span("Selected", Role::Accent)], "", false);
        return;
    };
    let title = [span("Selected: ", Role::Accent), span(state.name_of(agent.agent_id, &agent.name), Role::Strong)];
    let inner = canvas.panel(area, &title, "enter opens", false);
    let inner = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
    let facts = facts(canvas, state, agent);
    let used = fact_lines(canvas, inner, &facts);
    let held = state.events.rows().iter().filter_map(|entry| entry.held());
    let events = held.filter(|held| held.agent_id == agent.agent_id).map(|held| held.event());
    for (event, y) in events.zip(inner.y + used + 1..inner.bottom()) {
        let event = &*event;
        let (mark, mark_role) = event_mark(canvas.theme, event);
        canvas.text(inner.x, y, 2, mark, mark_role);
        let spans = [
            span(format!("{} ", format::stamp(state, event.ts)), Role::Dim),
            span(format!("{:<11} ", event.kind), Role::Normal),
            span(format!("{}  ", verdict_text(event, canvas.theme.glyph(Glyph::Arrow))), verdict_role(event.verdict)),
            span(state.shown(&resource_text(event)).into_owned(), Role::Normal),
        ];
        canvas.line(inner.x + 3, y, inner.right(), &spans);
    }
}
