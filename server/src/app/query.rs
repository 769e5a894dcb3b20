//! What REST clients ask about agents, events and counts.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tyr_api::agents::{Agent, DiscoveredAgent, Liveness};
use tyr_api::db::DbReport;
use tyr_api::events::{Event, EventPage};
use tyr_api::page::Page;
use tyr_api::policies::{EffectivePolicy, PolicyLayer};
use tyr_api::stats::{AgentEvents, DriftBy, DriftRow, RateBy, RateGroup};
use tyr_api::stream::Snapshot;
use uuid::Uuid;

use crate::VERSION;
use crate::app::{App, alerts};
use crate::db::events::{Filter, Position};
use crate::db::{DbError, agents, discovered_agents, effective_policies, events, stats, storage};

/// Most AI processes of one answer.
pub const AI_PROCESSES_MAX: u32 = 10_000;
/// Events and drifts of a snapshot, each.
const SNAPSHOT_EVENTS: u32 = 500;

/// Seconds by which a look into the table is wider than what is asked for: its `last_seen` is up to a second behind what the
/// fleet knows, and the database's clock is not the server's.
const TABLE_SLACK_S: f64 = 10.0;

/// Which agents, as the fleet knows them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AgentFilter {
    /// Archived ones too.
    pub archived: bool,
    /// Only those that are so alive; empty: all.
    pub liveness: Vec<Liveness>,
    /// Only those not heard from for more than so many seconds.
    pub unheard_for_s: Option<u32>,
    /// Only those that are heard from and reported no event for so many seconds.
    pub silent_for_s: Option<u32>,
}

impl AgentFilter {
    /// What the table can tell: no agent too few.
    fn in_table(&self, app: &App) -> agents::Filter {
        let beyond = self.liveness.iter().map(|liveness| match liveness {
            Liveness::Online => 0.0,
            Liveness::Late => app.liveness.late_after.as_secs_f64(),
            Liveness::Stale => app.liveness.stale_after.as_secs_f64(),
            Liveness::Offline => app.liveness.offline_after.as_secs_f64(),
        });
        let within = self.liveness.iter().map(|liveness| match liveness {
            Liveness::Online => app.liveness.late_after.as_secs_f64(),
            Liveness::Late => app.liveness.stale_after.as_secs_f64(),
            Liveness::Stale => app.liveness.offline_after.as_secs_f64(),
            Liveness::Offline => f64::INFINITY,
        });
        let asked = self.unheard_for_s.map(f64::from);
        agents::Filter {
            unheard_for_s: beyond
                .reduce(f64::min)
                .into_iter()
                .chain(asked)
                .reduce(f64::max)
                .map(|s| s - TABLE_SLACK_S)
                .filter(|s| *s > 0.0),
            heard_within_s: within.reduce(f64::max).filter(|s| s.is_finite()).map(|s| s + TABLE_SLACK_S),
            silent_for_s: self.silent_for_s.map(f64::from),
        }
    }

    /// What the fleet knows better.
    fn passes(&self, agent: &Agent) -> bool {
        (self.liveness.is_empty() || self.liveness.contains(&agent.liveness))
            && self.unheard_for_s.is_none_or(|seconds| agent.staleness_ms > u64::from(seconds) * 1000)
    }
}

/// A page of agents by name, as they are now. None: the cursor is no agent's id.
///
/// With a filter a page may hold fewer than asked for although there is a further one: the table found some that the fleet
/// heard from within the last second.
pub async fn agents(
    app: &App,
    filter: &AgentFilter,
    after: Option<Uuid>,
    limit: u32,
) -> Result<Option<Page<Agent>>, DbError> {
    let mut conn = app.pool.acquire().await?;
    if let Some(after) = after
        && agents::get(&mut conn, after).await?.is_none()
    {
        return Ok(None);
    }
    let which =
        agents::Which::Page { archived: filter.archived, filter: filter.in_table(app), after, limit: limit + 1 };
    let mut agents = agents::list(&mut conn, which).await?;
    drop(conn);
    let more = cut(&mut agents, limit);
    let next_cursor = agents.last().filter(|_| more).map(|agent| agent.agent_id.to_string());
    app.fleet.present(&mut agents);
    agents.retain(|agent| filter.passes(agent));
    Ok(Some(Page { items: agents, next_cursor }))
}

/// Cuts what was read beyond the limit, which tells whether there is a further page.
pub fn cut<T>(items: &mut Vec<T>, limit: u32) -> bool {
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = items.len() > wanted;
    items.truncate(wanted);
    more
}

/// One agent, archived or not, as it is now.
pub async fn agent(app: &App, agent_id: Uuid) -> Result<Option<Agent>, DbError> {
    let mut agent: Vec<Agent> = agents::get(&mut *app.pool.acquire().await?, agent_id).await?.into_iter().collect();
    app.fleet.present(&mut agent);
    Ok(agent.pop())
}

/// What an agent should run, and what it says it does.
pub async fn effective_policy(app: &App, agent_id: Uuid) -> Result<Option<EffectivePolicy>, DbError> {
    let mut conn = app.pool.acquire().await?;
    let Some(agent) = agents::get(&mut conn, agent_id).await? else { return Ok(None) };
    let layers = match &agent.assigned_policy_id {
        Some(policy_id) => effective_policies::layers(&mut *conn, policy_id).await?,
        None => Vec::new(),
    };
    let layers = layers.into_iter().map(|layer| PolicyLayer {
        version: layer.version.unsigned_abs(),
        name: layer.name,
        agent_type: layer.agent_type,
        yaml: layer.yaml,
    });
    Ok(Some(EffectivePolicy {
        agent_id,
        policy_id: agent.assigned_policy_id,
        layers: layers.collect(),
        in_force_policy_id: agent.policy_id,
    }))
}

/// A page of AI processes, newest first.
pub async fn ai_processes(
    app: &App,
    agent_id: Option<Uuid>,
    agent_type: Option<&str>,
    alive: bool,
    behind: Option<Position>,
    limit: u32,
) -> Result<Page<DiscoveredAgent>, DbError> {
    let filter = discovered_agents::Filter {
        ids: None,
        daemon_agent_id: agent_id,
        agent_type,
        // Nothing ended after the end of time.
        alive_after: alive.then_some(Timestamp::MAX),
        behind,
    };
    let mut items = discovered_agents::list(&mut *app.pool.acquire().await?, &filter, limit + 1).await?;
    let more = cut(&mut items, limit);
    let place = |last: &DiscoveredAgent| Position { at: last.first_seen, event_id: last.id }.to_string();
    let next_cursor = items.last().filter(|_| more).map(place);
    Ok(Page { items, next_cursor })
}

/// One AI process.
pub async fn ai_process(app: &App, id: Uuid) -> Result<Option<DiscoveredAgent>, DbError> {
    discovered_agents::get(&mut *app.pool.acquire().await?, id).await
}

/// A page of events, newest first.
pub async fn events(app: &App, filter: &Filter, cursor: Option<Position>, limit: u32) -> Result<EventPage, DbError> {
    // One more than asked for tells whether there is a further page.
    let mut items = events::page(&mut *app.pool.acquire().await?, filter, cursor, limit + 1).await?;
    let more = cut(&mut items, limit);
    let next_cursor = items.last().filter(|_| more).map(|event| Position::in_list(event).to_string());
    Ok(EventPage { items, next_cursor })
}

/// One event.
pub async fn event(app: &App, event_id: Uuid) -> Result<Option<Event>, DbError> {
    events::get(&mut *app.pool.acquire().await?, event_id).await
}

/// Events per minute, verdict and kind, or counted by one thing; `limit` is for rows by agent, which may be many.
pub async fn rate(
    app: &App,
    since: Timestamp,
    until: Timestamp,
    by: Option<RateBy>,
    limit: u32,
) -> Result<Vec<RateGroup>, DbError> {
    let mut conn = app.pool.acquire().await?;
    match by {
        None => Ok(stats::rate(&mut conn, since, until).await?.into_iter().map(RateGroup::from).collect()),
        Some(RateBy::Verdict) => stats::rate_by_verdict(&mut conn, since, until).await,
        Some(RateBy::Kind) => stats::rate_by_kind(&mut conn, since, until).await,
        Some(RateBy::Minute) => stats::rate_by_minute(&mut conn, since, until).await,
        Some(RateBy::Agent) => stats::rate_by_agent(&mut conn, since, until, limit).await,
    }
}

/// Drift by agent, or by what it has in common.
pub async fn drift(
    app: &App,
    since: Timestamp,
    until: Timestamp,
    by: DriftBy,
    agent_id: Option<Uuid>,
) -> Result<Vec<DriftRow>, DbError> {
    stats::drift(&mut *app.pool.acquire().await?, since, until, by, agent_id).await
}

/// The agents with most events, in whole hours.
pub async fn agent_events(app: &App, since: Timestamp, until: Timestamp, limit: u32) -> Result<AgentEvents, DbError> {
    let hour = SignedDuration::from_hours(1).as_secs();
    let start = |at: Timestamp| at.as_second().div_euclid(hour) * hour;
    let end = if start(until) == until.as_second() && until.subsec_nanosecond() == 0 {
        start(until)
    } else {
        start(until) + hour
    };
    let items = stats::agent_events(&mut *app.pool.acquire().await?, since, until, limit).await?;
    Ok(AgentEvents {
        since: Timestamp::from_second(start(since)).unwrap_or(Timestamp::MIN),
        until: Timestamp::from_second(end).unwrap_or(Timestamp::MAX),
        items,
    })
}

/// What the database says about itself.
pub async fn database(app: &App) -> Result<DbReport, DbError> {
    storage::report(&mut *app.pool.acquire().await?, Timestamp::now(), app.config.retention_days).await
}

/// What a dashboard starts from. The cursor is read first: an event that is stored meanwhile comes twice rather than never.
pub async fn snapshot(app: &Arc<App>) -> Result<Snapshot, DbError> {
    let now = Timestamp::now();
    let (hour_ago, day_ago) = (now - SignedDuration::from_hours(1), now - SignedDuration::from_hours(24));
    let mut conn = app.pool.acquire().await?;
    let cursor = events::newest_position(&mut conn).await?;
    let mut agents = agents::list(&mut conn, agents::Which::Active).await?;
    app.fleet.present(&mut agents);
    let ai = discovered_agents::Filter { alive_after: Some(hour_ago), ..discovered_agents::Filter::default() };
    let drifting = Filter { drift_detected: Some(true), since: Some(day_ago), ..Filter::default() };
    let start = Position { at: Timestamp::UNIX_EPOCH, event_id: Uuid::nil() };
    Ok(Snapshot {
        now,
        version: VERSION.to_owned(),
        stale_after_s: u32::try_from(app.liveness.stale_after.as_secs()).unwrap_or(u32::MAX),
        agents,
        discovered_agents: discovered_agents::list(&mut conn, &ai, AI_PROCESSES_MAX).await?,
        events: events::page(&mut conn, &Filter::default(), None, SNAPSHOT_EVENTS).await?,
        drifts: events::page(&mut conn, &drifting, None, SNAPSHOT_EVENTS).await?,
        drifts_1d: stats::drifts_since(&mut conn, day_ago).await?,
        alerts: alerts::list::open(&mut conn).await?,
        rates: stats::rate(&mut conn, hour_ago, now).await?,
        cursor: cursor.unwrap_or(start).to_string(),
    })
}
