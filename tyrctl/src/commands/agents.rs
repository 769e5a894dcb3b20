//! `tyrctl agents` and `tyrctl agent`.

use jiff::SignedDuration;
use tyr_api::agents::{Agent, AgentsQuery, DenialTrial, Doubt, Liveness, Posture, TablesState};
use uuid::Uuid;

use super::change::may_go_on;
use super::{Outcome, hint, sql};
use crate::app::App;
use crate::args::{AgentChangeArgs, AgentsArgs, ChangeArgs, Format};
use crate::client::Client;
use crate::error::Failure;
use crate::output::nearest;
use crate::output::rows::{Column, View, print_record};
use crate::output::value::{Tone, Value};
use crate::sql::{Bound, Value as Literal, catalog};

/// What the server takes for stale and for offline, unless `TYR_STALE_AFTER_S` says otherwise.
const STALE_AFTER: SignedDuration = SignedDuration::from_secs(90);
const OFFLINE_AFTER: SignedDuration = SignedDuration::from_mins(5);
/// From when on an agent that is heard from is late.
const LATE_AFTER: SignedDuration = SignedDuration::from_secs(45);
/// Online for so long without an event: silent.
const SILENT_FOR: SignedDuration = SignedDuration::from_hours(24 * 7);
/// Longest silence that the server is asked for, in seconds.
const SILENCE_S_MAX: u32 = 1_000_000_000;

pub(crate) const VIEW: View<Agent> = View {
    noun: "agents",
    name: |agent| agent.name.clone(),
    columns: &[
        Column::flexible("name", |agent| Value::text(&agent.name)),
        Column::new("status", |agent| liveness(agent.liveness)),
        Column::new("last_seen", last_seen),
        Column::new("posture", believed),
        Column::new("policy", policy),
        Column::new("ai", |agent| Value::Count(agent.ai_processes.into())),
        Column::new("lost", |agent| Value::Count(agent.events_lost)),
        Column::flexible("kernel", |agent| Value::text(&agent.kernel)),
        Column::wide("agent_id", |agent| Value::Text(agent.agent_id.to_string())),
        Column::wide("last_event_at", |agent| Value::maybe(agent.last_event_at, Value::Time)),
        Column::wide("staleness", |agent| Value::Span(staleness(agent))),
        Column::wide("connected", |agent| Value::Text(agent.connected.to_string())),
        Column::wide("version", |agent| Value::text(&agent.agent_version)),
        Column::wide("arch", |agent| Value::text(&agent.arch)),
        Column::wide("capabilities", |agent| Value::text(agent.capabilities.join(" "))),
        Column::wide("denial", denial),
        Column::wide("denial_at", |agent| Value::maybe(agent.denial_at, Value::Time)),
        Column::wide("tables", |agent| tables(agent.tables)),
        Column::wide("tables_digest", |agent| Value::text(&agent.tables_digest)),
        Column::wide("unregistered", |agent| Value::text(&agent.unregistered_agents)),
        Column::wide("scope", |agent| Value::text(&agent.scope)),
        Column::wide("policy_id", |agent| Value::maybe(agent.policy_id.clone(), Value::Text)),
        Column::wide("assigned", |agent| Value::maybe(agent.assigned_policy_id.clone(), Value::Text)),
        Column::wide("policy_error", |agent| Value::text(&agent.policy_error)),
        Column::wide("clock_skew_ms", |agent| Value::Number(agent.clock_skew_ms)),
        Column::wide("waiting", |agent| Value::Count(agent.spool_records)),
        Column::wide("enrolled_at", |agent| Value::Time(agent.enrolled_at)),
        Column::wide("cert_not_after", |agent| Value::Time(agent.cert_not_after)),
        Column::wide("archived_at", |agent| Value::maybe(agent.archived_at, Value::Time)),
        Column::wide("revoked_at", |agent| Value::maybe(agent.revoked_at, Value::Time)),
    ],
};

/// `agents [NAME…] [--stale[=DURATION] | --silent[=DURATION] | --online | --offline]`.
pub(super) async fn list(app: &App, args: &AgentsArgs) -> Result<Outcome, Failure> {
    if args.sql.sql {
        if args.stale == Some(None) || args.silent.is_some() || args.online || args.offline {
            app.out.note(
                "note: with the server's default limits; TYR_STALE_AFTER_S and TYR_HEARTBEAT_INTERVAL_S change them",
            );
        }
        return sql::print(app, &args.list, &[statement(app, args)]);
    }
    let client = app.client()?;
    let query = query(args);
    let mut agents = client.agents_where(&query).await?;
    if !args.names.is_empty() {
        let is_all = query == AgentsQuery { include_archived: query.include_archived, ..AgentsQuery::default() };
        // One that is there and not what was asked for is no unknown one.
        let all = if is_all { agents.clone() } else { client.agents(args.archived).await? };
        let mut named: Vec<Agent> = Vec::new();
        for name in &args.names {
            let id = pick(&all, name)?.agent_id;
            if !named.iter().any(|known| known.agent_id == id) {
                named.extend(agents.iter().find(|agent| agent.agent_id == id).cloned());
            }
        }
        agents = named;
    }
    if args.stale.is_some() {
        agents.sort_by_key(|agent| std::cmp::Reverse(agent.staleness_ms));
    } else if args.names.is_empty() {
        agents.sort_by(|a, b| a.name.cmp(&b.name));
    }
    let what = match args {
        AgentsArgs { stale: Some(_), .. } => "stale ",
        AgentsArgs { silent: Some(_), .. } => "silent ",
        AgentsArgs { online: true, .. } => "online ",
        AgentsArgs { offline: true, .. } => "offline ",
        _ => "",
    };
    let none = agents.is_empty();
    let outcome = VIEW.print(&app.out, &args.list, agents, &format!("no {what}agents"))?;
    if none {
        hint::first_host(app, &client, None).await;
    }
    Ok(outcome)
}

/// Whole seconds, as the server takes them.
fn seconds(duration: SignedDuration) -> u32 {
    u32::try_from(duration.as_secs()).unwrap_or(u32::MAX).clamp(1, SILENCE_S_MAX)
}

/// What the server is asked: it knows who was heard from, by its clock and its limits.
fn query(args: &AgentsArgs) -> AgentsQuery {
    let liveness = match args {
        AgentsArgs { stale: Some(None), .. } => Some("stale,offline"),
        AgentsArgs { online: true, .. } => Some("online"),
        AgentsArgs { offline: true, .. } => Some("offline"),
        AgentsArgs { silent: Some(_), .. } => Some("online,late"),
        _ => None,
    };
    AgentsQuery {
        include_archived: args.archived.then_some(true),
        liveness: liveness.map(str::to_owned),
        unheard_for_s: args.stale.flatten().map(seconds),
        silent_for_s: args.silent.map(|given| seconds(given.unwrap_or(SILENT_FOR))),
        ..AgentsQuery::default()
    }
}

/// The statement that answers the same.
fn statement(app: &App, args: &AgentsArgs) -> Bound {
    let literal = |duration| Literal::Number(seconds(duration).into());
    let unheard = match args {
        AgentsArgs { stale: Some(given), .. } => Some(given.unwrap_or(STALE_AFTER)),
        AgentsArgs { offline: true, .. } => Some(OFFLINE_AFTER),
        _ => None,
    };
    let heard = match args {
        AgentsArgs { online: true, .. } => Some(LATE_AFTER),
        AgentsArgs { silent: Some(_), .. } => Some(STALE_AFTER),
        _ => None,
    };
    let named = (!args.names.is_empty()).then(|| Literal::Agents(args.names.clone()));
    catalog::AGENTS
        .bind(app.now)
        .with("archived", Literal::Flag(args.archived))
        .with_some("agents", named)
        .with_some("unheard_for_s", unheard.map(literal))
        .with_some("heard_within_s", heard.map(literal))
        .with_some("silent_for_s", args.silent.map(|given| literal(given.unwrap_or(SILENT_FOR))))
}

/// `agent show NAME`.
pub(super) async fn show(app: &App, name: &str) -> Result<Outcome, Failure> {
    let client = app.client()?;
    let agent = client.agent(find(&client, name).await?.agent_id).await?;
    print(app, &agent)?;
    Ok(Outcome::Done)
}

fn print(app: &App, agent: &Agent) -> Result<(), Failure> {
    let words = |words: &[String]| Value::text(words.join(" "));
    let fields = [
        ("name", Value::text(&agent.name)),
        ("agent_id", Value::Text(agent.agent_id.to_string())),
        ("status", liveness(agent.liveness)),
        ("connected", Value::Text(agent.connected.to_string())),
        ("last_seen", last_seen(agent)),
        ("posture", believed(agent)),
        ("reason", Value::text(&agent.posture_reason)),
        ("doubt", Value::maybe(agent.doubt(), |doubt| Value::Text(doubt.to_string()))),
        ("denial", denial(agent)),
        ("denial_at", Value::maybe(agent.denial_at, Value::Time)),
        ("tables", tables(agent.tables)),
        ("tables_digest", Value::text(&agent.tables_digest)),
        ("unregistered", Value::text(&agent.unregistered_agents)),
        ("policy", policy(agent)),
        ("policy_id", Value::maybe(agent.policy_id.clone(), Value::Text)),
        ("assigned", Value::maybe(agent.assigned_policy_id.clone(), Value::Text)),
        ("policy_error", Value::text(&agent.policy_error)),
        ("ai", Value::Count(agent.ai_processes.into())),
        (
            "scope",
            if agent.scope.is_empty() { Value::Text("the whole host".to_owned()) } else { Value::text(&agent.scope) },
        ),
        ("kernel", Value::text(&agent.kernel)),
        ("arch", Value::text(&agent.arch)),
        ("version", Value::text(&agent.agent_version)),
        ("capabilities", words(&agent.capabilities)),
        ("hooks", words(&agent.hooks)),
        ("clock_skew_ms", Value::Number(agent.clock_skew_ms)),
        ("waiting", Value::Count(agent.spool_records)),
        ("lost", Value::Count(agent.events_lost)),
        ("last_event_at", Value::maybe(agent.last_event_at, Value::Time)),
        ("enrolled_at", Value::Time(agent.enrolled_at)),
        ("cert_not_after", Value::Time(agent.cert_not_after)),
        ("archived_at", Value::maybe(agent.archived_at, Value::Time)),
        ("revoked_at", Value::maybe(agent.revoked_at, Value::Time)),
    ];
    print_record(&app.out, &fields, agent)
}

/// What an admin does to one agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Archive,
    Unarchive,
    Revoke,
}

/// `agent archive|unarchive|revoke NAME`.
pub(super) async fn change(app: &App, args: &AgentChangeArgs, change: Change) -> Result<Outcome, Failure> {
    let client = app.client()?;
    let agent = find(&client, &args.name).await?;
    let (verb, done) = match change {
        Change::Archive => ("archive", "archived"),
        Change::Unarchive => ("take back", "taken back"),
        Change::Revoke => ("revoke", "revoked"),
    };
    let whom = format!("agent {} ({})", agent.name, agent.agent_id);
    let as_wanted = match change {
        Change::Archive => agent.archived_at.is_some(),
        Change::Unarchive => agent.archived_at.is_none(),
        Change::Revoke => agent.revoked_at.is_some(),
    };
    if as_wanted {
        app.out.note(&match change {
            Change::Unarchive => format!("{whom} is not archived"),
            _ => format!("{whom} is {done} already"),
        });
        return Ok(Outcome::Done);
    }
    // To take one back harms nobody.
    let how = ChangeArgs { yes: args.change.yes || change == Change::Unarchive, ..args.change };
    if !may_go_on(app, &format!("{verb} the {whom}"), how)? {
        return Ok(Outcome::Done);
    }
    let agent = match change {
        Change::Archive => client.archive_agent(agent.agent_id, true).await?,
        Change::Unarchive => client.archive_agent(agent.agent_id, false).await?,
        Change::Revoke => client.revoke_agent(agent.agent_id).await?,
    };
    if matches!(app.out.format, Format::Table | Format::Wide) {
        app.out.line(&format!("✓ {whom} is {done}"))?;
    } else {
        print(app, &agent)?;
    }
    Ok(Outcome::Done)
}

/// The agent of that name or id, archived ones included.
///
/// # Errors
/// When there is none, or several have that name.
pub(super) async fn find(client: &Client, name: &str) -> Result<Agent, Failure> {
    let agents = client.agents(true).await?;
    pick(&agents, name).cloned()
}

fn pick<'a>(agents: &'a [Agent], name: &str) -> Result<&'a Agent, Failure> {
    if let Some(agent) = Uuid::parse_str(name).ok().and_then(|id| agents.iter().find(|agent| agent.agent_id == id)) {
        return Ok(agent);
    }
    let named = || agents.iter().filter(|agent| agent.name == name);
    // A host that enrolled again has the name of the one that was revoked.
    let mut active = named().filter(|agent| agent.archived_at.is_none());
    if let (Some(agent), None) = (active.next(), active.next()) {
        return Ok(agent);
    }
    let mut found = named();
    match (found.next(), found.next()) {
        (Some(agent), None) => Ok(agent),
        (Some(first), Some(second)) => {
            let ids: Vec<_> =
                [first, second].into_iter().chain(found).map(|agent| agent.agent_id.to_string()).collect();
            Err(Failure::failed(format!("several agents are named `{name}`"))
                .hint(format!("use an id: {}", ids.join(", "))))
        }
        (None, _) => Err(Failure::failed(format!("there is no agent `{name}`")).hint(nearest(
            name,
            agents.iter().map(|agent| agent.name.as_str()),
            "`tyrctl agents --archived` lists them all",
        ))),
    }
}

fn staleness(agent: &Agent) -> SignedDuration {
    SignedDuration::from_millis(i64::try_from(agent.staleness_ms).unwrap_or(i64::MAX))
}

pub(super) fn last_seen(agent: &Agent) -> Value {
    Value::Past { at: agent.last_seen, ago: staleness(agent) }
}

pub(super) fn liveness(liveness: Liveness) -> Value {
    match liveness {
        Liveness::Online => Value::Word("online", Tone::Good),
        Liveness::Late => Value::Word("late", Tone::Warn),
        Liveness::Stale => Value::Word("stale", Tone::Bad),
        Liveness::Offline => Value::Word("offline", Tone::Bad),
    }
}

/// The posture; with a question mark where something speaks against it.
fn believed(agent: &Agent) -> Value {
    match (agent.posture, agent.doubt()) {
        (Posture::Enforcing, Some(_)) => Value::Word("enforcing?", Tone::Bad),
        (Posture::Partial, Some(_)) => Value::Word("partial?", Tone::Bad),
        (posture, _) => self::posture(posture),
    }
}

fn denial(agent: &Agent) -> Value {
    match agent.denial {
        DenialTrial::NotTried => Value::Word("not_tried", Tone::Dim),
        DenialTrial::Denied if agent.doubt() == Some(Doubt::Old) => Value::Word("denied", Tone::Warn),
        DenialTrial::Denied => Value::Word("denied", Tone::Good),
        DenialTrial::WentThrough => Value::Word("went_through", Tone::Bad),
        DenialTrial::NotKnown => Value::Word("not_known", Tone::Bad),
    }
}

pub(super) fn tables(tables: TablesState) -> Value {
    match tables {
        TablesState::Unknown => Value::Word("unknown", Tone::Dim),
        TablesState::AsExpected => Value::Word("as_expected", Tone::Good),
        TablesState::Differ => Value::Word("differ", Tone::Bad),
    }
}

fn posture(posture: Posture) -> Value {
    match posture {
        Posture::Unknown => Value::Word("unknown", Tone::Dim),
        Posture::Blind => Value::Word("blind", Tone::Bad),
        Posture::Observing => Value::Word("observing", Tone::Warn),
        Posture::Partial => Value::Word("partial", Tone::Warn),
        Posture::Enforcing => Value::Word("enforcing", Tone::Good),
    }
}

/// `v3`; `v3 pending` while another one should be in force; `v3 failed` when that one did not load.
fn policy(agent: &Agent) -> Value {
    let version = agent.policy_version.map_or_else(|| "none".to_owned(), |version| format!("v{version}"));
    if !agent.policy_error.is_empty() {
        return Value::Text(format!("{version} failed"));
    }
    if agent.policy_id != agent.assigned_policy_id {
        return Value::Text(format!("{version} pending"));
    }
    if agent.policy_id.is_none() { Value::Nothing } else { Value::Text(version) }
}
