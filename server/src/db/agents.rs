//! Agents: enrollment, what they report of themselves, and reading them.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::PgConnection;
use tyr_api::agents::{Agent, DenialTrial, Liveness, Posture, TablesState};
use uuid::Uuid;

use crate::db::DbError;

/// Which agents to read.
#[derive(Clone, Copy, Debug)]
pub enum Which<'a> {
    /// All that are neither archived nor revoked.
    Active,
    /// These, archived or not.
    Ids(&'a [Uuid]),
    /// At most `limit`, behind the named one.
    Page {
        /// Archived ones too.
        archived: bool,
        /// Which of them.
        filter: Filter,
        /// The last one of the page before.
        after: Option<Uuid>,
        /// Most of them.
        limit: u32,
    },
}

/// Which agents, by the table and the database's clock: the table is up to a second behind what the fleet knows.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Filter {
    /// Only those not heard from for more than so many seconds.
    pub unheard_for_s: Option<f64>,
    /// Only those heard from within so many seconds.
    pub heard_within_s: Option<f64>,
    /// Only those that were heard from for so many seconds, and reported no event within them: what the alert rule `silent`
    /// looks for.
    pub silent_for_s: Option<f64>,
}

struct Row {
    agent_id: Uuid,
    name: String,
    last_seen: jiff_sqlx::Timestamp,
    kernel: String,
    arch: String,
    agent_version: String,
    capabilities: Vec<String>,
    hooks: Vec<String>,
    posture: String,
    posture_reason: String,
    denial: String,
    denial_at: Option<jiff_sqlx::Timestamp>,
    tables: String,
    tables_digest: String,
    unregistered_agents: String,
    scope: String,
    policy_id: Option<String>,
    policy_version: Option<i32>,
    assigned_policy_id: Option<String>,
    policy_error: String,
    clock_skew_ms: i64,
    spool_records: i64,
    events_lost: i64,
    last_event_at: Option<jiff_sqlx::Timestamp>,
    ai_processes: i64,
    enrolled_at: jiff_sqlx::Timestamp,
    cert_not_after: jiff_sqlx::Timestamp,
    archived_at: Option<jiff_sqlx::Timestamp>,
    revoked_at: Option<jiff_sqlx::Timestamp>,
}

/// Reads agents, by name. `liveness`, `staleness_ms` and `connected` are for [`crate::app::fleet::Fleet::present`] to fill in:
/// the table alone doesn't know them.
pub async fn list(conn: &mut PgConnection, which: Which<'_>) -> Result<Vec<Agent>, DbError> {
    let everything = Filter::default();
    let (archived, filter, ids, after, limit) = match which {
        Which::Active => (false, everything, None, None, None),
        Which::Ids(ids) => (true, everything, Some(ids), None, None),
        Which::Page { archived, filter, after, limit } => (archived, filter, None, after, Some(i64::from(limit))),
    };
    let rows = sqlx::query_file_as!(
        Row,
        "src/db/sql/agents.sql",
        archived,
        ids,
        after,
        filter.unheard_for_s,
        filter.heard_within_s,
        filter.silent_for_s,
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(Row::into_agent).collect())
}

/// One agent, archived or not.
pub async fn get(conn: &mut PgConnection, agent_id: Uuid) -> Result<Option<Agent>, DbError> {
    Ok(list(conn, Which::Ids(&[agent_id])).await?.pop())
}

impl Row {
    fn into_agent(self) -> Agent {
        Agent {
            agent_id: self.agent_id,
            name: self.name,
            last_seen: self.last_seen.to_jiff(),
            staleness_ms: 0,
            liveness: Liveness::Offline,
            connected: false,
            kernel: self.kernel,
            arch: self.arch,
            agent_version: self.agent_version,
            capabilities: self.capabilities,
            hooks: self.hooks,
            posture: posture(&self.posture),
            posture_reason: self.posture_reason,
            denial: self.denial.parse().unwrap_or_default(),
            denial_at: self.denial_at.map(jiff_sqlx::Timestamp::to_jiff),
            tables: self.tables.parse().unwrap_or_default(),
            tables_digest: self.tables_digest,
            unregistered_agents: self.unregistered_agents,
            scope: self.scope,
            policy_id: self.policy_id,
            policy_version: self.policy_version.and_then(|version| u32::try_from(version).ok()),
            assigned_policy_id: self.assigned_policy_id,
            policy_error: self.policy_error,
            clock_skew_ms: self.clock_skew_ms,
            spool_records: u64::try_from(self.spool_records).unwrap_or(0),
            events_lost: u64::try_from(self.events_lost).unwrap_or(0),
            last_event_at: self.last_event_at.map(jiff_sqlx::Timestamp::to_jiff),
            ai_processes: u32::try_from(self.ai_processes).unwrap_or(u32::MAX),
            enrolled_at: self.enrolled_at.to_jiff(),
            cert_not_after: self.cert_not_after.to_jiff(),
            archived_at: self.archived_at.map(jiff_sqlx::Timestamp::to_jiff),
            revoked_at: self.revoked_at.map(jiff_sqlx::Timestamp::to_jiff),
        }
    }
}

pub(super) fn posture(word: &str) -> Posture {
    match word {
        "blind" => Posture::Blind,
        "observing" => Posture::Observing,
        "partial" => Posture::Partial,
        "enforcing" => Posture::Enforcing,
        _ => Posture::Unknown,
    }
}

/// The word of the database's enumeration.
pub(super) fn posture_word(posture: Posture) -> &'static str {
    match posture {
        Posture::Unknown => "unknown",
        Posture::Blind => "blind",
        Posture::Observing => "observing",
        Posture::Partial => "partial",
        Posture::Enforcing => "enforcing",
    }
}

/// A host that enrolls.
#[derive(Debug)]
pub struct NewAgent<'a> {
    /// Given by the server.
    pub agent_id: Uuid,
    /// As the host calls itself.
    pub name: &'a str,
    /// Kernel release.
    pub kernel: &'a str,
    /// Machine.
    pub arch: &'a str,
    /// Its certificate, PEM.
    pub client_cert: &'a str,
    /// Serial number of that certificate, hex.
    pub cert_serial: &'a str,
    /// End of that certificate.
    pub cert_not_after: Timestamp,
}

/// Adds an agent.
pub async fn insert(conn: &mut PgConnection, agent: &NewAgent<'_>) -> Result<(), DbError> {
    sqlx::query!(
        "INSERT INTO agents (agent_id, name, kernel, arch, client_cert, cert_serial, cert_not_after)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        agent.agent_id,
        agent.name,
        agent.kernel,
        agent.arch,
        agent.client_cert,
        agent.cert_serial,
        agent.cert_not_after.to_sqlx(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What keeps an agent out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Put aside by an admin, who may take it back.
    Archived,
    /// Shut out for good by an admin.
    Revoked,
}

/// Whether the holder of a certificate may stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Known, neither revoked nor archived.
    Admitted {
        /// When the agent was heard from before.
        last_seen: Timestamp,
        /// When the certificate was given out.
        issued_at: Timestamp,
        /// Whether the certificate has opened a stream before.
        used: bool,
        /// Whether a certificate that was given out later has opened a stream already.
        superseded: bool,
    },
    /// Not in the table.
    Unknown,
    /// The agent is known, its certificate is not: it comes from before the database was restored, or was forged with the CA's key.
    UnknownCertificate,
    /// Revoked or archived.
    Refused(Refusal),
}

/// Whether the holder of this certificate may stream.
pub async fn admission(conn: &mut PgConnection, agent_id: Uuid, cert_serial: &str) -> Result<Admission, DbError> {
    let row = sqlx::query!(
        r#"SELECT a.revoked_at IS NOT NULL AS "revoked!", a.archived_at IS NOT NULL AS "archived!", a.last_seen,
                  coalesce(c.issued_at, CASE WHEN a.cert_serial = $2 THEN a.enrolled_at END) AS issued_at,
                  c.first_used_at IS NOT NULL AS "used!",
                  EXISTS (SELECT FROM agent_certificates n
                           WHERE n.agent_id = a.agent_id AND n.first_used_at IS NOT NULL
                             AND n.issued_at > c.issued_at) AS "superseded!"
             FROM agents a
             LEFT JOIN agent_certificates c ON c.agent_id = a.agent_id AND c.serial = $2
            WHERE a.agent_id = $1"#,
        agent_id,
        cert_serial,
    )
    .fetch_optional(conn)
    .await?;
    Ok(match row {
        None => Admission::Unknown,
        Some(row) if row.revoked => Admission::Refused(Refusal::Revoked),
        Some(row) if row.archived => Admission::Refused(Refusal::Archived),
        Some(row) => match row.issued_at {
            None => Admission::UnknownCertificate,
            Some(issued_at) => Admission::Admitted {
                last_seen: row.last_seen.to_jiff(),
                issued_at: issued_at.to_jiff(),
                used: row.used,
                superseded: row.superseded,
            },
        },
    })
}

/// Which of these agents may not be connected any more.
pub async fn refused_among(conn: &mut PgConnection, agent_ids: &[Uuid]) -> Result<Vec<(Uuid, Refusal)>, DbError> {
    let rows = sqlx::query!(
        r#"SELECT agent_id, revoked_at IS NOT NULL AS "revoked!"
             FROM agents
            WHERE (revoked_at IS NOT NULL OR archived_at IS NOT NULL) AND agent_id = ANY ($1)"#,
        agent_ids,
    )
    .fetch_all(conn)
    .await?;
    let refusal = |revoked| if revoked { Refusal::Revoked } else { Refusal::Archived };
    Ok(rows.into_iter().map(|row| (row.agent_id, refusal(row.revoked))).collect())
}

/// An agent's name and what keeps it out, locked until the end of the transaction.
pub async fn standing_for_update(
    conn: &mut PgConnection,
    agent_id: Uuid,
) -> Result<Option<(String, Option<Refusal>)>, DbError> {
    let row = sqlx::query!(
        r#"SELECT name, revoked_at IS NOT NULL AS "revoked!", archived_at IS NOT NULL AS "archived!"
             FROM agents WHERE agent_id = $1 FOR NO KEY UPDATE"#,
        agent_id,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| {
        let refusal = match (row.revoked, row.archived) {
            (true, _) => Some(Refusal::Revoked),
            (false, true) => Some(Refusal::Archived),
            (false, false) => None,
        };
        (row.name, refusal)
    }))
}

/// Shuts an agent out, or lets it in again. What was set first stays.
pub async fn set_refusal(conn: &mut PgConnection, agent_id: Uuid, refusal: Option<Refusal>) -> Result<(), DbError> {
    sqlx::query!(
        "UPDATE agents
            SET archived_at = CASE WHEN $2 THEN coalesce(archived_at, now()) END,
                revoked_at = CASE WHEN $3 THEN coalesce(revoked_at, now()) END
          WHERE agent_id = $1",
        agent_id,
        refusal.is_some(),
        refusal == Some(Refusal::Revoked),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What an agent says of itself at the start of a stream.
#[derive(Debug)]
pub struct Capabilities {
    /// Kernel release.
    pub kernel: String,
    /// Machine.
    pub arch: String,
    /// Version of `tyrd`.
    pub agent_version: String,
    /// Feature flags.
    pub features: Vec<String>,
    /// Kernel attach points.
    pub hooks: Vec<String>,
    /// How much is enforced.
    pub posture: Posture,
    /// Why not more.
    pub posture_reason: String,
    /// Cgroup it is limited to.
    pub scope: String,
    /// `audit`, `quarantine` or `deny`; empty for an older agent.
    pub unregistered_agents: String,
}

/// Stores what an agent says of itself.
pub async fn set_capabilities(conn: &mut PgConnection, agent_id: Uuid, report: &Capabilities) -> Result<(), DbError> {
    sqlx::query!(
        "UPDATE agents
            SET kernel = $2, arch = $3, agent_version = $4, capabilities = $5, hooks = $6,
                posture = $7::text::agent_posture, posture_reason = $8, scope = $9,
                unregistered_agents = $10
          WHERE agent_id = $1",
        agent_id,
        report.kernel,
        report.arch,
        report.agent_version,
        &report.features,
        &report.hooks,
        posture_word(report.posture),
        report.posture_reason,
        report.scope,
        report.unregistered_agents,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Stores what became of a policy push. A policy id that this server never pushed is not stored.
pub async fn set_policy_status(
    conn: &mut PgConnection,
    agent_id: Uuid,
    policy_id: &str,
    in_force: bool,
    error: &str,
) -> Result<(), DbError> {
    if in_force {
        sqlx::query!(
            "UPDATE agents
                SET policy_id = (SELECT e.policy_id FROM effective_policies e WHERE e.policy_id = $2), policy_error = ''
              WHERE agent_id = $1",
            agent_id,
            policy_id,
        )
        .execute(conn)
        .await?;
    } else {
        let error = if error.is_empty() { "the policy did not load" } else { error };
        sqlx::query!("UPDATE agents SET policy_error = $2 WHERE agent_id = $1", agent_id, error).execute(conn).await?;
    }
    Ok(())
}

/// News of one agent since the last write.
#[derive(Clone, Debug)]
pub struct Beat {
    /// The agent.
    pub agent_id: Uuid,
    /// Newest message of any kind.
    pub last_seen: Timestamp,
    /// What its last heartbeat said; `None` leaves what is stored.
    pub vitals: Option<Vitals>,
}

/// What a heartbeat says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vitals {
    /// Agent's clock minus server's.
    pub clock_skew_ms: i64,
    /// Records that wait on the host.
    pub spool_records: i64,
    /// Events lost since the agent's start.
    pub events_lost: i64,
    /// How the last denial ended that was tried on purpose.
    pub denial: DenialTrial,
    /// When that was, by the server's clock.
    pub denial_at: Option<Timestamp>,
    /// Whether the tables in its kernel are those that its policy makes.
    pub tables: TablesState,
    /// Their digest.
    pub tables_digest: String,
}

/// Writes the news of many agents in one statement. Time never runs backwards in `last_seen`.
pub async fn record_beats(conn: &mut PgConnection, beats: &[Beat]) -> Result<(), DbError> {
    let ids: Vec<Uuid> = beats.iter().map(|beat| beat.agent_id).collect();
    let seen: Vec<i64> = beats.iter().map(|beat| beat.last_seen.as_microsecond()).collect();
    let vitals = || beats.iter().map(|beat| beat.vitals.as_ref());
    let column = |of: fn(&Vitals) -> i64| vitals().map(|vitals| vitals.map(of)).collect::<Vec<Option<i64>>>();
    let words = |of: fn(&Vitals) -> &str| vitals().map(|vitals| vitals.map(of).map(str::to_owned)).collect::<Vec<_>>();
    let skew = column(|vitals| vitals.clock_skew_ms);
    let spool = column(|vitals| vitals.spool_records);
    let lost = column(|vitals| vitals.events_lost);
    let denial = words(|vitals| vitals.denial.as_str());
    let tables = words(|vitals| vitals.tables.as_str());
    let digest = words(|vitals| &vitals.tables_digest);
    let tried: Vec<Option<i64>> =
        vitals().map(|vitals| vitals.and_then(|vitals| vitals.denial_at).map(Timestamp::as_microsecond)).collect();
    sqlx::query!(
        "UPDATE agents a
            SET last_seen = greatest(a.last_seen, 'epoch'::timestamptz + b.seen * interval '1 microsecond'),
                clock_skew_ms = coalesce(b.skew, a.clock_skew_ms),
                spool_records = coalesce(b.spool, a.spool_records),
                events_lost = coalesce(b.lost, a.events_lost),
                denial = coalesce(b.denial::denial_trial, a.denial),
                denial_at = CASE WHEN b.denial IS NULL THEN a.denial_at
                                 ELSE 'epoch'::timestamptz + b.tried * interval '1 microsecond' END,
                tables = coalesce(b.tables::tables_state, a.tables),
                tables_digest = coalesce(b.digest, a.tables_digest)
           FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::bigint[],
                       $8::text[], $9::text[])
                AS b (agent_id, seen, skew, spool, lost, denial, tried, tables, digest)
          WHERE a.agent_id = b.agent_id",
        &ids,
        &seen,
        &skew as &[Option<i64>],
        &spool as &[Option<i64>],
        &lost as &[Option<i64>],
        &denial as &[Option<String>],
        &tried as &[Option<i64>],
        &tables as &[Option<String>],
        &digest as &[Option<String>],
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Which effective policy an agent should have run from when on, oldest first: all spans that reach into the time after `since`.
pub async fn policy_history(
    conn: &mut PgConnection,
    agent_id: Uuid,
    since: Timestamp,
) -> Result<Vec<(Timestamp, Option<String>)>, DbError> {
    let rows = sqlx::query!(
        "SELECT effective_from, policy_id
           FROM agent_policies
          WHERE agent_id = $1
            AND effective_from >= coalesce((SELECT max(p.effective_from) FROM agent_policies p
                                             WHERE p.agent_id = $1 AND p.effective_from <= $2), '-infinity')
          ORDER BY effective_from",
        agent_id,
        since.to_sqlx(),
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.effective_from.to_jiff(), row.policy_id)).collect())
}

/// Name of an agent.
pub async fn name(conn: &mut PgConnection, agent_id: Uuid) -> Result<Option<String>, DbError> {
    Ok(sqlx::query_scalar!("SELECT name FROM agents WHERE agent_id = $1", agent_id).fetch_optional(conn).await?)
}
