//! Webhooks and the outbox of their messages.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::PgConnection;
use tyr_api::alerts::{AlertRule, Webhook, WebhookFormat};
use uuid::Uuid;

use crate::db::DbError;
use crate::db::events::word;

/// Messages that wait for one webhook; when there are more, the oldest are given up.
const WAITING_MAX: i64 = 1000;

/// A webhook to add.
#[derive(Debug)]
pub struct NewRow<'a> {
    /// Its id.
    pub webhook_id: Uuid,
    /// Where to.
    pub url: &'a str,
    /// How a message looks.
    pub format: WebhookFormat,
    /// What it is signed with.
    pub secret: &'a str,
    /// Only these rules; empty for all.
    pub rules: &'a [AlertRule],
    /// Whether it is told.
    pub enabled: bool,
    /// Who made it.
    pub created_by: &'a str,
}

/// Adds a webhook; false: there are `most` already.
pub async fn insert(conn: &mut PgConnection, new: &NewRow<'_>, most: usize) -> Result<bool, DbError> {
    sqlx::query!("LOCK TABLE webhooks IN SHARE ROW EXCLUSIVE MODE").execute(&mut *conn).await?;
    let rules: Vec<String> = new.rules.iter().map(ToString::to_string).collect();
    let done = sqlx::query!(
        "INSERT INTO webhooks (webhook_id, url, format, secret, rules, enabled, created_by)
         SELECT $1, $2, $3::text::webhook_format, $4, $5::text[]::alert_rule[], $6, $7
          WHERE (SELECT count(*) FROM webhooks) < $8",
        new.webhook_id,
        new.url,
        new.format.as_str(),
        new.secret,
        &rules,
        new.enabled,
        new.created_by,
        i64::try_from(most).unwrap_or(i64::MAX),
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// All webhooks, oldest first, or the one of that id.
pub async fn list(conn: &mut PgConnection, webhook_id: Option<Uuid>) -> Result<Vec<Webhook>, DbError> {
    let rows = sqlx::query!(
        r#"SELECT w.webhook_id, w.url, w.format::text AS "format!", w.rules::text[] AS "rules!", w.enabled, w.created_at,
                  w.created_by,
                  (SELECT count(*) FROM webhook_deliveries d
                    WHERE d.webhook_id = w.webhook_id AND d.state = 'waiting') AS "waiting!",
                  (SELECT count(*) FROM webhook_deliveries d
                    WHERE d.webhook_id = w.webhook_id AND d.state = 'dead') AS "dead!",
                  (SELECT max(d.ended_at) FROM webhook_deliveries d
                    WHERE d.webhook_id = w.webhook_id AND d.state = 'delivered') AS delivered_at,
                  (SELECT d.last_error FROM webhook_deliveries d
                    WHERE d.webhook_id = w.webhook_id AND d.state <> 'delivered' AND d.last_error IS NOT NULL
                    ORDER BY (d.state = 'waiting') DESC, d.sequence DESC LIMIT 1) AS last_error
             FROM webhooks w
            WHERE $1::uuid IS NULL OR w.webhook_id = $1
            ORDER BY w.created_at, w.webhook_id"#,
        webhook_id,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Webhook {
                webhook_id: row.webhook_id,
                url: row.url,
                format: word(&row.format)?,
                rules: row.rules.iter().map(|rule| word(rule)).collect::<Result<_, _>>()?,
                enabled: row.enabled,
                created_at: row.created_at.to_jiff(),
                created_by: row.created_by,
                waiting: u64::try_from(row.waiting).unwrap_or(0),
                dead: u64::try_from(row.dead).unwrap_or(0),
                delivered_at: row.delivered_at.map(jiff_sqlx::Timestamp::to_jiff),
                last_error: row.last_error,
            })
        })
        .collect()
}

/// Removes a webhook and its messages; false: there was none.
pub async fn delete(conn: &mut PgConnection, webhook_id: Uuid) -> Result<bool, DbError> {
    let done = sqlx::query!("DELETE FROM webhooks WHERE webhook_id = $1", webhook_id).execute(conn).await?;
    Ok(done.rows_affected() == 1)
}

/// Where messages go, and what they are signed with.
#[derive(Clone)]
pub struct Target {
    /// The webhook.
    pub webhook_id: Uuid,
    /// Its address.
    pub url: String,
    /// How a message looks.
    pub format: WebhookFormat,
    /// What it is signed with.
    pub secret: String,
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Target").field("webhook_id", &self.webhook_id).finish_non_exhaustive()
    }
}

/// Where the messages of a webhook go.
pub async fn target(conn: &mut PgConnection, webhook_id: Uuid) -> Result<Option<Target>, DbError> {
    let row = sqlx::query!(
        r#"SELECT url, format::text AS "format!", secret FROM webhooks WHERE webhook_id = $1"#,
        webhook_id
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| Ok(Target { webhook_id, url: row.url, format: word(&row.format)?, secret: row.secret })).transpose()
}

/// Webhooks that are told: form and rules of each.
pub async fn enabled(conn: &mut PgConnection) -> Result<Vec<(Uuid, WebhookFormat, Vec<AlertRule>)>, DbError> {
    let rows = sqlx::query!(
        r#"SELECT webhook_id, format::text AS "format!", rules::text[] AS "rules!" FROM webhooks WHERE enabled"#
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let rules = row.rules.iter().map(|rule| word(rule)).collect::<Result<_, _>>()?;
            Ok((row.webhook_id, word(&row.format)?, rules))
        })
        .collect()
}

/// Puts a message into the outbox, due at once.
pub async fn enqueue(
    conn: &mut PgConnection,
    webhook_id: Uuid,
    delivery_id: Uuid,
    now: Timestamp,
    body: &str,
) -> Result<(), DbError> {
    sqlx::query!(
        "UPDATE webhook_deliveries
            SET state = 'dead', ended_at = $2, leased_until = NULL,
                last_error = 'too many messages wait for this webhook'
          WHERE delivery_id IN (SELECT delivery_id FROM webhook_deliveries
                                 WHERE webhook_id = $1 AND state = 'waiting'
                                 ORDER BY sequence DESC OFFSET $3)",
        webhook_id,
        now.to_sqlx(),
        WAITING_MAX - 1,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "INSERT INTO webhook_deliveries (delivery_id, webhook_id, body, created_at, next_try_at) VALUES ($1, $2, $3, $4, 'epoch')",
        delivery_id,
        webhook_id,
        body,
        now.to_sqlx(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A message to send now.
#[derive(Debug)]
pub struct Claimed {
    /// Its id, the same at each try.
    pub delivery_id: Uuid,
    /// Where to.
    pub target: Target,
    /// Tries, this one included.
    pub attempts: u32,
    /// The message.
    pub body: String,
}

/// Takes the oldest message of each webhook, if it is due and no server has it, and keeps others away from it until `leased_until`.
pub async fn claim(conn: &mut PgConnection, now: Timestamp, leased_until: Timestamp) -> Result<Vec<Claimed>, DbError> {
    let rows = sqlx::query!(
        r#"UPDATE webhook_deliveries d
              SET attempts = d.attempts + 1, leased_until = $2
             FROM webhooks w
            CROSS JOIN LATERAL (SELECT delivery_id, next_try_at, leased_until
                                  FROM webhook_deliveries
                                 WHERE webhook_id = w.webhook_id AND state = 'waiting'
                                 ORDER BY sequence LIMIT 1) first
            WHERE w.enabled AND d.delivery_id = first.delivery_id AND first.next_try_at <= $1
              AND d.state = 'waiting' AND (d.leased_until IS NULL OR d.leased_until < $1)
        RETURNING d.delivery_id, d.attempts, d.body, w.webhook_id, w.url, w.format::text AS "format!", w.secret"#,
        now.to_sqlx(),
        leased_until.to_sqlx(),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let format = word(&row.format)?;
            Ok(Claimed {
                delivery_id: row.delivery_id,
                target: Target { webhook_id: row.webhook_id, url: row.url, format, secret: row.secret },
                attempts: row.attempts.unsigned_abs(),
                body: row.body,
            })
        })
        .collect()
}

fn status_number(status: Option<u16>) -> Option<i32> {
    status.map(i32::from)
}

/// A message was taken.
pub async fn delivered(
    conn: &mut PgConnection,
    delivery_id: Uuid,
    at: Timestamp,
    status: Option<u16>,
) -> Result<(), DbError> {
    sqlx::query!(
        "UPDATE webhook_deliveries SET state = 'delivered', ended_at = $2, leased_until = NULL, last_status = $3
          WHERE delivery_id = $1",
        delivery_id,
        at.to_sqlx(),
        status_number(status),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A message was not taken and is tried again.
pub async fn failed(
    conn: &mut PgConnection,
    delivery_id: Uuid,
    next_try_at: Timestamp,
    status: Option<u16>,
    error: &str,
) -> Result<(), DbError> {
    sqlx::query!(
        "UPDATE webhook_deliveries SET next_try_at = $2, leased_until = NULL, last_status = $3, last_error = $4
          WHERE delivery_id = $1",
        delivery_id,
        next_try_at.to_sqlx(),
        status_number(status),
        error,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A message was not taken, and is given up.
pub async fn given_up(
    conn: &mut PgConnection,
    delivery_id: Uuid,
    at: Timestamp,
    status: Option<u16>,
    error: &str,
) -> Result<(), DbError> {
    sqlx::query!(
        "UPDATE webhook_deliveries
            SET state = 'dead', ended_at = $2, leased_until = NULL, last_status = $3, last_error = $4
          WHERE delivery_id = $1",
        delivery_id,
        at.to_sqlx(),
        status_number(status),
        error,
    )
    .execute(conn)
    .await?;
    Ok(())
}
