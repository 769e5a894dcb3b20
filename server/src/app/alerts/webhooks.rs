//! Webhooks: who is told of alerts, and how to try one.

use jiff::Timestamp;
use tyr_api::alerts::{Alert, AlertRule, AlertState, CreatedWebhook, NewWebhook, Webhook, WebhookFormat, WebhookTest};
use uuid::Uuid;

use crate::app::App;
use crate::app::alerts::deliver;
use crate::app::alerts::message;
use crate::app::alerts::summary::summary;
use crate::app::alerts::target::{self, Refused};
use crate::app::audit::{self, Action};
use crate::app::auth::User;
use crate::db::DbError;
use crate::db::webhooks;

/// Most webhooks.
pub const WEBHOOKS_MAX: usize = 50;
/// Shortest and longest secret, in characters.
pub const SECRET_CHARS: std::ops::RangeInclusive<usize> = 16..=256;
/// Random bytes of a secret that the server makes.
const SECRET_BYTES: usize = 32;

/// Why a webhook was not made.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// Its address is no good.
    #[error(transparent)]
    Url(#[from] Refused),
    /// Its secret is no good.
    #[error("`secret` has {} to {} printable ASCII characters", SECRET_CHARS.start(), SECRET_CHARS.end())]
    BadSecret,
    /// There are enough.
    #[error("there are {WEBHOOKS_MAX} webhooks already")]
    TooMany,
    /// The database failed; nothing was changed.
    #[error("the database failed")]
    Db(#[from] DbError),
}

/// Makes a webhook. Its secret is shown this once.
///
/// # Errors
/// See [`WebhookError`].
pub async fn create(app: &App, new: &NewWebhook, user: &User) -> Result<CreatedWebhook, WebhookError> {
    let url = target::check(&app.config.alerts, &new.url)?;
    let secret = match &new.secret {
        Some(secret) if !SECRET_CHARS.contains(&secret.len()) || !secret.bytes().all(|b| b.is_ascii_graphic()) => {
            return Err(WebhookError::BadSecret);
        }
        Some(secret) => secret.clone(),
        None => hex::encode(rand::random::<[u8; SECRET_BYTES]>()),
    };
    let mut rules = new.rules.clone();
    rules.sort_unstable();
    rules.dedup();
    let row = webhooks::NewRow {
        webhook_id: Uuid::now_v7(),
        url: url.as_str(),
        format: new.format,
        secret: &secret,
        rules: &rules,
        enabled: new.enabled,
        created_by: &user.username,
    };
    let mut tx = app.pool.begin().await.map_err(DbError::from)?;
    if !webhooks::insert(&mut tx, &row, WEBHOOKS_MAX).await? {
        return Err(WebhookError::TooMany);
    }
    let words = rules.iter().map(|rule| rule.as_str()).collect::<Vec<_>>().join(",");
    let host = url.host_str().unwrap_or_default();
    let facts = [("host", &host as audit::Fact<'_>), ("format", &new.format), ("rules", &words)];
    audit::record(&mut tx, &user.actor(), Action::WebhookCreate, &row.webhook_id.to_string(), &facts).await?;
    let details = webhooks::list(&mut tx, Some(row.webhook_id)).await?.pop();
    tx.commit().await.map_err(DbError::from)?;
    let details = details.ok_or(WebhookError::Db(DbError::from(sqlx::Error::RowNotFound)))?;
    Ok(CreatedWebhook { secret, details: present(details) })
}

/// All webhooks without their secrets, oldest first.
pub async fn list(app: &App) -> Result<Vec<Webhook>, DbError> {
    let webhooks = webhooks::list(&mut *app.pool.acquire().await?, None).await?;
    Ok(webhooks.into_iter().map(present).collect())
}

/// Removes a webhook and what waits for it, and gives it as it was; none: there is no such webhook.
pub async fn delete(app: &App, webhook_id: Uuid, user: &User) -> Result<Option<Webhook>, DbError> {
    let mut tx = app.pool.begin().await?;
    let Some(webhook) = webhooks::list(&mut tx, Some(webhook_id)).await?.pop() else { return Ok(None) };
    webhooks::delete(&mut tx, webhook_id).await?;
    audit::record(&mut tx, &user.actor(), Action::WebhookDelete, &webhook_id.to_string(), &[]).await?;
    tx.commit().await?;
    Ok(Some(present(webhook)))
}

/// Sends a message at once, past the queue, and says what became of it; none: there is no such webhook.
pub async fn test(app: &App, webhook_id: Uuid, user: &User) -> Result<Option<WebhookTest>, DbError> {
    let target = webhooks::target(&mut *app.pool.acquire().await?, webhook_id).await?;
    let Some(target) = target else { return Ok(None) };
    // Before it is sent: whoever reads the log sees also the attempt.
    let mut tx = app.pool.begin().await?;
    audit::record(&mut tx, &user.actor(), Action::WebhookTest, &webhook_id.to_string(), &[]).await?;
    tx.commit().await?;
    let now = Timestamp::now();
    let body = message::body(target.format, &[], now, &[sample(now)], true).unwrap_or_default();
    let sent = deliver::send(app, &target, Uuid::now_v7(), body).await;
    Ok(Some(WebhookTest {
        delivered: sent.error.is_none(),
        status: sent.status,
        error: sent.error,
        duration_ms: u64::try_from(sent.duration.as_millis()).unwrap_or(u64::MAX),
    }))
}

/// An alert that is none.
fn sample(now: Timestamp) -> Alert {
    let mut sample = Alert {
        alert_id: Uuid::nil(),
        rule: AlertRule::Stale,
        agent_id: Uuid::nil(),
        agent_name: "example".to_owned(),
        state: AlertState::Firing,
        since: now,
        changed_at: now,
        fired_at: Some(now),
        resolved_at: None,
        value: 301.0,
        threshold: 300.0,
        summary: String::new(),
        details: [("last_seen".to_owned(), now.to_string())].into(),
        flapping: false,
        acknowledged_by: None,
        acknowledged_at: None,
        note: None,
    };
    sample.summary = summary(&sample);
    sample
}

/// As it's shown: whoever knows the last part of an address of Slack can write there.
fn present(mut webhook: Webhook) -> Webhook {
    if webhook.format == WebhookFormat::Slack
        && let Some((kept, _)) = webhook.url.rsplit_once('/')
        && kept.len() > "https://".len()
    {
        webhook.url = format!("{kept}/…");
    }
    webhook
}
