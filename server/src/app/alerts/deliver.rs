//! Sends the messages of the outbox: each webhook's in order, and no webhook waits for another one.
//!
//! A server takes the oldest message of each webhook under a lease, sends it, and writes down what became of it. Should it die
//! meanwhile, the lease ends and the message is sent again with the same `Tyr-Delivery` id, by which a receiver knows it: every
//! message arrives at least once. After a failure the next try comes later and later; after the twelfth, about an hour on, the
//! message is given up and kept with its error for 30 days.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use jiff::{SignedDuration, Timestamp};
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use tokio::sync::OnceCell;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::app::App;
use crate::app::alerts::Settings;
use crate::app::alerts::signature::sign;
use crate::app::alerts::target::{self, Guard};
use crate::db::DbError;
use crate::db::webhooks::{self, Claimed, Target};

/// Longest time for a connection, and for a message and its answer.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long a message is one server's; longer than it can take.
const LEASE: SignedDuration = SignedDuration::from_secs(30);
/// Tries before a message is given up.
pub const ATTEMPTS_MAX: u32 = 12;
/// Wait after the first failure; doubled after each further one.
const RETRY_FIRST: Duration = Duration::from_secs(5);
/// Longest wait.
const RETRY_MAX: Duration = Duration::from_mins(15);
/// By how much waits differ, so that messages to a receiver that came back don't arrive all at once.
const JITTER: f64 = 0.2;
/// How often the outbox is looked at when nobody says that there is something.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long messages under way may take when the server stops.
const STOP_GRACE: Duration = Duration::from_millis(1500);
/// What is read of an answer; nothing of it is kept, but a connection is only used again when its answer was read.
const ANSWER_BYTES_MAX: usize = 16 * 1024;

/// What became of one try.
#[derive(Debug)]
pub struct Sent {
    /// The receiver's status.
    pub status: Option<u16>,
    /// Why it counts as not delivered.
    pub error: Option<String>,
    /// When the receiver wants to be asked again.
    pub retry_after: Option<Duration>,
    /// How long it took.
    pub duration: Duration,
}

/// What keeps messages from being sent at all.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The file of further authorities can't be read.
    #[error("the CA file for webhooks can't be used")]
    CaFile(#[source] Box<dyn Error + Send + Sync>),
    /// TLS can't be set up, e.g. as this system has no root certificates.
    #[error("the HTTP client could not be made")]
    Client(#[source] reqwest::Error),
}

/// The one HTTP client of all webhooks, made when the first message is sent.
#[derive(Debug, Default)]
pub struct Sender(OnceCell<reqwest::Client>);

impl Sender {
    async fn client(&self, settings: &Settings) -> Result<&reqwest::Client, ClientError> {
        self.0.get_or_try_init(|| async { client(settings) }).await
    }
}

/// Authorities of a PEM file.
///
/// # Errors
/// When it can't be read, or holds no certificate.
pub fn authorities(file: &Path) -> Result<Vec<reqwest::Certificate>, ClientError> {
    let failed = |error: Box<dyn Error + Send + Sync>| ClientError::CaFile(error);
    let pem = std::fs::read(file).map_err(|error| failed(error.into()))?;
    let found = reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| failed(error.into()))?;
    if found.is_empty() { Err(failed("it holds no certificate".into())) } else { Ok(found) }
}

fn client(settings: &Settings) -> Result<reqwest::Client, ClientError> {
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("tyr-server/", env!("CARGO_PKG_VERSION")))
        // A redirect or a proxy would lead around what is refused.
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .dns_resolver(Arc::new(Guard::new(settings)))
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(TIMEOUT)
        .pool_max_idle_per_host(1);
    if let Some(file) = &settings.ca_file {
        builder = builder.tls_certs_merge(authorities(file)?);
    }
    builder.build().map_err(ClientError::Client)
}

/// Sends one message and waits for the answer.
pub async fn send(app: &App, target: &Target, delivery_id: Uuid, body: String) -> Sent {
    let began = Instant::now();
    let done =
        |status, error: Option<String>, retry_after| Sent { status, error, retry_after, duration: began.elapsed() };
    let client = match app.alerts.sender.client(&app.config.alerts).await {
        Ok(client) => client,
        Err(error) => return done(None, Some(in_one_line(&error)), None),
    };
    // Settings may have changed since it was made.
    let url = match target::check(&app.config.alerts, &target.url) {
        Ok(url) => url,
        Err(error) => return done(None, Some(error.to_string()), None),
    };
    let signature = sign(&target.secret, Timestamp::now().as_second(), body.as_bytes());
    let request = client
        .post(url)
        .header(CONTENT_TYPE, "application/json")
        .header("Tyr-Delivery", delivery_id.to_string())
        .header("Tyr-Signature", signature)
        .body(body);
    let response = match request.send().await {
        Ok(response) => response,
        // The address may be a secret, and whoever reads the error knows it anyway.
        Err(error) => return done(None, Some(in_one_line(&error.without_url())), None),
    };
    let status = response.status();
    let seconds = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    let mut chunks = response.bytes_stream();
    let mut read = 0;
    while let Some(Ok(chunk)) = chunks.next().await {
        read += chunk.len();
        if read > ANSWER_BYTES_MAX {
            break;
        }
    }
    if status.is_success() {
        return done(Some(status.as_u16()), None, None);
    }
    let hint = if status.is_redirection() { "; redirects are not followed" } else { "" };
    let error = format!("the receiver answered {status}{hint}");
    done(Some(status.as_u16()), Some(error), seconds.map(Duration::from_secs))
}

fn in_one_line(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

/// Wait after so many tries that failed; `chance` from 0 to 1 decides by how much it differs.
fn wait_after(attempts: u32, chance: f64, asked_for: Option<Duration>) -> Duration {
    let doubled = RETRY_FIRST.saturating_mul(1_u32.checked_shl(attempts.saturating_sub(1)).unwrap_or(u32::MAX));
    let wait = doubled.min(RETRY_MAX).max(asked_for.unwrap_or_default().min(RETRY_MAX));
    wait.mul_f64(1.0 - JITTER + 2.0 * JITTER * chance)
}

/// Sends what waits until `shutdown`.
pub async fn run(app: Arc<App>, shutdown: CancellationToken) {
    let mut looks = tokio::time::interval(LOOK_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut sending: JoinSet<()> = JoinSet::new();
    let mut database_away = false;
    loop {
        tokio::select! {
            () = shutdown.cancelled() => break,
            _ = looks.tick() => {}
            () = app.alerts.waiting.notified() => {}
            // The next message of the same webhook may wait.
            Some(_) = sending.join_next() => {}
        }
        match claim(&app).await {
            Ok(claimed) => {
                database_away = false;
                for message in claimed {
                    let app = Arc::clone(&app);
                    sending.spawn(async move { try_once(&app, message).await });
                }
            }
            Err(error) if !database_away => {
                database_away = true;
                tracing::warn!(error = &error as &dyn Error, "messages to webhooks can't be read");
            }
            Err(_) => {}
        }
    }
    let drained = tokio::time::timeout(STOP_GRACE, async { while sending.join_next().await.is_some() {} });
    if drained.await.is_err() {
        tracing::info!(
            messages = sending.len(),
            "messages to webhooks were under way and are sent again after the next start"
        );
        sending.shutdown().await;
    }
}

async fn claim(app: &App) -> Result<Vec<Claimed>, DbError> {
    let now = Timestamp::now();
    webhooks::claim(&mut *app.pool.acquire().await?, now, now + LEASE).await
}

/// Sends a message once and writes down what became of it.
async fn try_once(app: &App, message: Claimed) {
    let sent = send(app, &message.target, message.delivery_id, message.body).await;
    let (id, webhook_id, attempts) = (message.delivery_id, message.target.webhook_id, message.attempts);
    let now = Timestamp::now();
    let recorded = async {
        let mut conn = app.pool.acquire().await?;
        match &sent.error {
            None => {
                app.metrics.webhook("delivered");
                tracing::debug!(delivery.id = %id, webhook.id = %webhook_id, "webhook told");
                webhooks::delivered(&mut conn, id, now, sent.status).await
            }
            Some(error) if attempts >= ATTEMPTS_MAX => {
                app.metrics.webhook("failed");
                tracing::error!(delivery.id = %id, webhook.id = %webhook_id, attempts, cause = error, "a message to a webhook was given up");
                webhooks::given_up(&mut conn, id, now, sent.status, error).await
            }
            Some(error) => {
                app.metrics.webhook("retried");
                let wait = wait_after(attempts, rand::random(), sent.retry_after);
                tracing::warn!(delivery.id = %id, webhook.id = %webhook_id, attempts, retry_s = wait.as_secs(), cause = error, "a webhook was not told");
                let next = now.checked_add(wait).unwrap_or(Timestamp::MAX);
                webhooks::failed(&mut conn, id, next, sent.status, error).await
            }
        }
    };
    if let Err(error) = recorded.await {
        // The lease ends, and it is sent again.
        tracing::warn!(delivery.id = %id, error = &error as &dyn Error, "what became of a message to a webhook can't be written");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_their_limit_and_differ_a_little() {
        let s = |attempts| wait_after(attempts, 0.5, None).as_secs();
        assert_eq!([1, 2, 3, 8, 9, 12, 1000].map(s), [5, 10, 20, 640, 900, 900, 900]);
        assert_eq!(wait_after(1, 0.0, None), Duration::from_secs(4));
        assert_eq!(wait_after(1, 1.0, None), Duration::from_secs(6));
        let hour: u64 = (1..ATTEMPTS_MAX).map(s).sum();
        assert!((3600..4500).contains(&hour), "{hour}");
    }

    #[test]
    fn a_receiver_may_ask_for_more_time_within_the_limit() {
        assert_eq!(wait_after(1, 0.5, Some(Duration::from_mins(1))), Duration::from_mins(1));
        assert_eq!(wait_after(1, 0.5, Some(Duration::from_hours(24))), RETRY_MAX);
    }
}
