//! `tyrctl agents` and `tyrctl agent`.

use jiff::SignedDuration;
use tyr_api::agents::{Agent, Liveness, Posture};
use uuid::Uuid;

use super::{Outcome, change::may_go_on};
use crate::app::App;
use crate::args::{AgentChangeArgs, AgentsArgs, ChangeArgs, Format};
use crate::client::Client;
use crate::error::Failure;
use crate::output::nearest;
use crate::output::rows::{Column, View, print_record};
use crate::output::value::{Tone, Value};

const VIEW: View<Agent> = View {
    noun: "agents",
    name: |agent| agent.name.clone(),
    columns: &[
        Column::flexible("name", |agent| Value::text(&agent.name)),
        Column::new("status", |agent| liveness(agent.liveness)),
        Column::new("last_seen", last_seen),
        Column::new("posture", |agent| posture(agent.posture)),
        Column::new("policy", policy),
        Column::new("ai", |agent| Value::Count(agent.ai_processes.into())),
        Column::new("lost", |agent| Value::Count(agent.events_lost)),
        Column::flexible("kernel", |agent| Value::text(&agent.kernel)),
        Column::wide("agent_id", |agent| Value::Text(agent.agent_id.to_string())),
        Column::wide("staleness", |agent| Value::Span(staleness(agent))),
        Column::wide("connected", |agent| Value::Text(agent.connected.to_string())),
        Column::wide("version", |agent| Value::text(&agent.agent_version)),
        Column::wide("arch", |agent| Value::text(&agent.arch)),
        Column::wide("capabilities", |agent| Value::text(agent.capabilities.join(" "))),
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

/// `agents [NAME…] [--stale[=DURATION]]`.
pub(super) async fn list(app: &App, args: &AgentsArgs) -> Result<Outcome, Failure> {
    let mut agents = app.client()?.agents(args.archived).await?;
    if !args.names.is_empty() {
        let mut named = Vec::new();
        for name in &args.names {
            let agent = pick(&agents, name)?;
            if !named.iter().any(|known: &Agent| known.agent_id == agent.agent_id) {
                named.push(agent.clone());
            }
        }
        agents = named;
    }
    let checked = agents.len();
    agents.retain(|agent| {
        (!args.online || agent.liveness == Liveness::Online)
            && (!args.offline || agent.liveness == Liveness::Offline)
            && args.stale.is_none_or(|limit| match limit {
                // The server's own threshold, by the server's clock.
                None => agent.liveness >= Liveness::Stale,
                Some(limit) => staleness(agent) > limit,
            })
    });
    if args.stale.is_some() {
        agents.sort_by_key(|agent| std::cmp::Reverse(agent.staleness_ms));
    } else if args.names.is_empty() {
        agents.sort_by(|a, b| a.name.cmp(&b.name));
    }
    let what = match (args.stale, args.online, args.offline) {
        (Some(_), ..) => "stale ",
        (_, true, _) => "online ",
        (.., true) => "offline ",
        _ => "",
    };
    VIEW.print(&app.out, &args.list, agents, &format!("no {what}agents ({checked} checked)"))
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
        ("posture", posture(agent.posture)),
        ("reason", Value::text(&agent.posture_reason)),
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

fn last_seen(agent: &Agent) -> Value {
    Value::Past { at: agent.last_seen, ago: staleness(agent) }
}

fn liveness(liveness: Liveness) -> Value {
    match liveness {
        Liveness::Online => Value::Word("online", Tone::Good),
        Liveness::Late => Value::Word("late", Tone::Warn),
        Liveness::Stale => Value::Word("stale", Tone::Bad),
        Liveness::Offline => Value::Word("offline", Tone::Bad),
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
