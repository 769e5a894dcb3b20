//! The audit log: who did what, when and from where. Each entry is written in the transaction of the deed, so that there is
//! neither a deed without an entry nor an entry without a deed.
//!
//! ```ignore
//! let mut tx = app.pool.begin().await?;
//! agents::archive(&mut tx, agent_id).await?;
//! audit::record(&mut tx, &user.actor(), Action::AgentArchive, &agent.name, &[("agent_id", &agent_id)]).await?;
//! tx.commit().await?;
//! ```

use std::collections::BTreeMap;
use std::fmt::Display;
use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use sqlx::{PgConnection, PgPool};
use tyr_api::audit::AuditEntry;
use tyr_api::page::Page;
use uuid::Uuid;

use crate::app::App;
use crate::db::DbError;
use crate::db::audit::{self, Filter, NewEntry, Position};

/// Longest target or value of a detail that is kept, in characters.
const TEXT_CHARS_MAX: usize = 1024;
/// Longest name of an actor that is kept, in characters; the schema has the same bound.
const ACTOR_CHARS_MAX: usize = 256;
/// Entries younger than this are never removed, whatever the setting: the schema refuses it.
pub const RETENTION_DAYS_MIN: u32 = 90;
/// Entries that one statement of the retention removes.
const REMOVED_AT_ONCE: u32 = 10_000;

/// Who does something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// Name of the user, or in pointed brackets what is none.
    pub name: String,
    /// The user's id, where there is a user.
    pub user_id: Option<Uuid>,
    /// Address that the request came from.
    pub source: Option<IpAddr>,
    /// The request, as in the log.
    pub request_id: Option<Uuid>,
}

impl Actor {
    /// Somebody under a name that no user has. The name itself is not kept: people type passwords there.
    pub fn unknown(source: Option<IpAddr>, request_id: Option<Uuid>) -> Self {
        Self { name: "<unknown>".to_owned(), user_id: None, source, request_id }
    }

    /// A host that has this enrollment token.
    pub fn token(token_id: &str) -> Self {
        Self { name: format!("<token {token_id}>"), user_id: None, source: None, request_id: None }
    }

    /// Whoever may run `tyr-server` on the server's host.
    pub fn command_line() -> Self {
        Self { name: "<command line>".to_owned(), user_id: None, source: None, request_id: None }
    }

    /// The settings that the server was started with.
    pub fn environment() -> Self {
        Self { name: "<environment>".to_owned(), user_id: None, source: None, request_id: None }
    }
}

/// Gives the actions their words, written once.
macro_rules! actions {
    ($($(#[doc = $doc:literal])+ $variant:ident => $word:literal,)+) => {
        /// What was done, `area.verb`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Action { $($(#[doc = $doc])+ $variant),+ }

        impl Action {
            /// All words, in order.
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            /// The word in the log.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }
    };
}

actions! {
    /// The first admin was made.
    Setup => "auth.setup",
    /// Somebody logged in.
    Login => "auth.login",
    /// A login failed: wrong name or password.
    LoginFailed => "auth.login_failed",
    /// A session was ended by its user, or all of a user's.
    Logout => "auth.logout",
    /// A user changed its own password; its other sessions ended.
    PasswordChange => "auth.password_change",
    /// A user gave a wrong current password when changing it.
    PasswordChangeFailed => "auth.password_change_failed",
    /// The key that signs sessions was replaced.
    KeyRotate => "auth.key_rotate",
    /// A user was made.
    UserCreate => "user.create",
    /// A user got another role; its sessions ended.
    UserRole => "user.role_change",
    /// An admin gave a user another password; its sessions ended.
    UserPassword => "user.password_reset",
    /// A user was removed; its sessions ended.
    UserDelete => "user.delete",
    /// An enrollment token was made.
    TokenCreate => "token.create",
    /// An enrollment token was revoked.
    TokenRevoke => "token.revoke",
    /// A policy version was stored.
    PolicyApply => "policy.apply",
    /// A new version was made from an older one.
    PolicyRollback => "policy.rollback",
    /// A policy version was assigned.
    AssignmentCreate => "assignment.create",
    /// An assignment was ended.
    AssignmentEnd => "assignment.end",
    /// A host enrolled with a token.
    AgentEnroll => "agent.enroll",
    /// An agent was put aside.
    AgentArchive => "agent.archive",
    /// An agent was taken back into the lists.
    AgentUnarchive => "agent.unarchive",
    /// An agent's certificate was revoked.
    AgentRevoke => "agent.revoke",
    /// An AI process got another name.
    AiRename => "ai.rename",
    /// An agent type was registered.
    AgentTypeApprove => "agent_type.approve",
    /// The registration of an agent type was taken back.
    AgentTypeQuarantine => "agent_type.quarantine",
    /// Somebody takes care of an alert.
    AlertAcknowledge => "alert.acknowledge",
    /// A webhook was made.
    WebhookCreate => "webhook.create",
    /// A webhook was removed.
    WebhookDelete => "webhook.delete",
    /// A webhook was tried.
    WebhookTest => "webhook.test",
    /// Days of events were dropped by `tyr-server db retention`.
    DbRetention => "db.retention",
}

/// A value of a detail.
pub type Fact<'a> = &'a (dyn Display + Sync);

/// Writes down a deed, in its transaction. `details` never hold secrets; values longer than 1,024 characters are cut.
///
/// # Errors
/// When the database failed: the transaction is lost, and so the deed is not done either.
pub async fn record(
    conn: &mut PgConnection,
    actor: &Actor,
    action: Action,
    target: &str,
    details: &[(&str, Fact<'_>)],
) -> Result<(), DbError> {
    let details: BTreeMap<String, String> =
        details.iter().map(|(name, value)| ((*name).to_owned(), kept(&value.to_string(), TEXT_CHARS_MAX))).collect();
    let entry = NewEntry {
        actor: &kept(&actor.name, ACTOR_CHARS_MAX),
        actor_id: actor.user_id,
        source: actor.source.map(|source| source.to_string()),
        action: action.as_str(),
        target: &kept(target, TEXT_CHARS_MAX),
        details,
        request_id: actor.request_id,
    };
    audit::insert(conn, entry).await
}

/// A page of entries, newest first.
///
/// # Errors
/// When the database failed.
pub async fn list(
    app: &App,
    filter: &Filter,
    cursor: Option<Position>,
    limit: u32,
) -> Result<Page<AuditEntry>, DbError> {
    // One more than asked for tells whether there is a further page.
    let mut items = audit::page(&app.pool, filter, cursor, limit + 1).await?;
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = items.len() > wanted;
    items.truncate(wanted);
    let next_cursor = items.last().filter(|_| more).map(|entry| Position::of(entry).to_string());
    Ok(Page { items, next_cursor })
}

/// Removes entries older than that many days, which count as [`RETENTION_DAYS_MIN`] if they are fewer; says how many went.
///
/// # Errors
/// When the database failed; what was removed until then stays removed.
pub async fn expire(pool: &PgPool, retention_days: u32, now: Timestamp) -> Result<u64, DbError> {
    // A minute more than the schema asks for: its clock is another.
    let days = SignedDuration::from_hours(24 * i64::from(retention_days.max(RETENTION_DAYS_MIN)));
    let before = now - days - SignedDuration::from_secs(60);
    let mut removed = 0;
    loop {
        let now_removed = audit::remove_older(pool, before, REMOVED_AT_ONCE).await?;
        removed += now_removed;
        if now_removed < u64::from(REMOVED_AT_ONCE) {
            return Ok(removed);
        }
    }
}

/// A text as it is stored: bounded, and without NUL, which PostgreSQL refuses.
fn kept(text: &str, chars_max: usize) -> String {
    text.chars().take(chars_max).map(|c| if c == '\0' { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::{Action, kept};

    #[test]
    fn words_are_unique_and_of_the_form_that_the_schema_asks_for() {
        for (n, word) in Action::WORDS.iter().enumerate() {
            let (area, verb) = word.split_once('.').expect("a dot");
            for part in [area, verb] {
                assert!(!part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{word}");
            }
            assert!(!Action::WORDS[..n].contains(word), "{word} twice");
        }
        assert_eq!(Action::UserRole.as_str(), "user.role_change");
    }

    #[test]
    fn texts_are_cut_and_cleaned() {
        assert_eq!(kept("a\0b", 10), "a\u{fffd}b");
        assert_eq!(kept("äöü", 2), "äö");
    }
}
