//! Alerts as people ask for them, and their acknowledgement.

use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use sqlx::PgConnection;
use tyr_api::alerts::{Alert, AlertRule, AlertState};
use tyr_api::page::Page;
use uuid::Uuid;

use crate::app::App;
use crate::app::alerts::summary::summary;
use crate::app::audit::{self, Action};
use crate::app::auth::User;
use crate::db::DbError;
use crate::db::alerts::{self, Filter};

/// Most alerts of a snapshot.
pub const SNAPSHOT_MAX: u32 = 1000;
/// Longest note, in characters.
pub const NOTE_CHARS_MAX: usize = 1000;
/// A subscriber is told of what resolved up to this long before, as its snapshot may be older than its subscription.
const RESOLVED_LATELY: SignedDuration = SignedDuration::from_mins(2);

/// A place in the list, written `{rank of the state}-{µs since the epoch}-{alert id}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// 0 firing, 1 pending, 2 resolved.
    pub rank: i32,
    /// `changed_at` of the alert there.
    pub changed_at: Timestamp,
    /// The alert there.
    pub alert_id: Uuid,
}

impl Place {
    /// Place of an alert.
    pub fn of(alert: &Alert) -> Self {
        let rank = match alert.state {
            AlertState::Firing => 0,
            AlertState::Pending => 1,
            AlertState::Resolved => 2,
        };
        Self { rank, changed_at: alert.changed_at, alert_id: alert.alert_id }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.rank, self.changed_at.as_microsecond(), self.alert_id)
    }
}

/// A text that is no [`Place`].
#[derive(Debug, thiserror::Error)]
#[error("not a cursor of this server")]
pub struct NotAPlace;

impl FromStr for Place {
    type Err = NotAPlace;

    fn from_str(text: &str) -> Result<Self, NotAPlace> {
        let mut parts = text.splitn(3, '-');
        let mut part = || parts.next().ok_or(NotAPlace);
        let rank = part()?.parse().ok().filter(|rank| (0..=2).contains(rank)).ok_or(NotAPlace)?;
        let micros = part()?.parse().map_err(|_| NotAPlace)?;
        let changed_at = Timestamp::from_microsecond(micros).map_err(|_| NotAPlace)?;
        Ok(Self { rank, changed_at, alert_id: Uuid::try_parse(part()?).map_err(|_| NotAPlace)? })
    }
}

/// A page of alerts: firing ones first.
pub async fn page(app: &App, filter: &Filter, after: Option<Place>, limit: u32) -> Result<Page<Alert>, DbError> {
    // One more than asked for tells whether there is a further page.
    let mut items = read(&mut *app.pool.acquire().await?, filter, after, limit + 1).await?;
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = items.len() > wanted;
    items.truncate(wanted);
    let next_cursor = items.last().filter(|_| more).map(|alert| Place::of(alert).to_string());
    Ok(Page { items, next_cursor })
}

/// Alerts with their sentences.
pub(super) async fn read(
    conn: &mut PgConnection,
    filter: &Filter,
    after: Option<Place>,
    limit: u32,
) -> Result<Vec<Alert>, DbError> {
    let after = after.map(|place| (place.rank, place.changed_at, place.alert_id));
    let mut alerts = alerts::list(conn, filter, after, limit).await?;
    for alert in &mut alerts {
        alert.summary = summary(alert);
    }
    Ok(alerts)
}

/// Alerts that are pending or firing, for a snapshot.
pub async fn open(conn: &mut PgConnection) -> Result<Vec<Alert>, DbError> {
    read(conn, &Filter::open(), None, SNAPSHOT_MAX).await
}

/// What a new subscriber begins with: what is open, and what resolved a moment ago.
pub async fn to_begin_with(app: &App) -> Result<Vec<Alert>, DbError> {
    let mut conn = app.pool.acquire().await?;
    let since = Timestamp::now().checked_sub(RESOLVED_LATELY).unwrap_or(Timestamp::MIN);
    let lately = Filter { states: vec![AlertState::Resolved], changed_after: Some(since), ..Filter::everything() };
    let mut alerts = read(&mut conn, &lately, None, SNAPSHOT_MAX).await?;
    alerts.extend(open(&mut conn).await?);
    Ok(alerts)
}

/// Why an alert was not acknowledged.
#[derive(Debug, thiserror::Error)]
pub enum AcknowledgeError {
    /// There is none of that id.
    #[error("there is no such alert")]
    Unknown,
    /// It is over.
    #[error("the alert is resolved")]
    Resolved,
    /// The note is no good.
    #[error("a note has at most {NOTE_CHARS_MAX} characters, without control characters")]
    BadNote,
    /// The database failed; nothing was changed.
    #[error("the database failed")]
    Db(#[from] DbError),
}

/// Says that an alert is known, and gives it as it is now. Doing it again changes note and name.
///
/// An acknowledged fall of posture is accepted: the host is compared with its present level from now on, and the alert resolves.
///
/// # Errors
/// See [`AcknowledgeError`].
pub async fn acknowledge(
    app: &App,
    alert_id: Uuid,
    note: Option<&str>,
    user: &User,
) -> Result<Alert, AcknowledgeError> {
    let note = note.map(str::trim).filter(|note| !note.is_empty());
    if note
        .is_some_and(|note| note.chars().count() > NOTE_CHARS_MAX || note.chars().any(|c| c.is_control() && c != '\n'))
    {
        return Err(AcknowledgeError::BadNote);
    }
    let mut tx = app.pool.begin().await.map_err(DbError::from)?;
    alerts::lock_writes(&mut tx).await?;
    let before = read(&mut tx, &Filter::one(alert_id), None, 1).await?.pop().ok_or(AcknowledgeError::Unknown)?;
    if !before.is_open() {
        return Err(AcknowledgeError::Resolved);
    }
    alerts::acknowledge(&mut tx, alert_id, &user.username, Timestamp::now(), note).await?;
    if before.rule == AlertRule::PostureFell {
        alerts::accept_posture(&mut tx, before.agent_id).await?;
    }
    let facts =
        [("rule", &before.rule as audit::Fact<'_>), ("agent", &before.agent_name), ("note", &note.unwrap_or(""))];
    audit::record(&mut tx, &user.actor(), Action::AlertAcknowledge, &alert_id.to_string(), &facts).await?;
    let after = read(&mut tx, &Filter::one(alert_id), None, 1).await?.pop().ok_or(AcknowledgeError::Unknown)?;
    tx.commit().await.map_err(DbError::from)?;
    app.alerts.committed();
    Ok(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_read_back() {
        let place = Place {
            rank: 1,
            changed_at: Timestamp::from_microsecond(1_790_000_000_123_456).expect("an instant"),
            alert_id: Uuid::from_u128(7),
        };
        assert_eq!(place.to_string().parse::<Place>().expect("own text"), place);
        for text in ["", "0", "3-1-00000000-0000-0000-0000-000000000000", "0-x-y", "0-1-z", "0-99999999999999999999-z"]
        {
            assert!(text.parse::<Place>().is_err(), "{text}");
        }
    }
}
