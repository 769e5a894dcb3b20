//! The log of what people did.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// One deed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditEntry {
    /// Number of the entry; later ones are higher, with holes.
    pub audit_id: i64,
    /// When it was done, by the database's clock.
    pub ts: Timestamp,
    /// User name; `<unknown>` for a failed login under a name that nobody has, `<environment>` for the
    /// server's settings, `<token ID>` for a host that enrolls.
    pub actor: String,
    /// The user's id, where there is a user.
    pub actor_id: Option<Uuid>,
    /// Address that the request came from.
    pub source: Option<String>,
    /// `area.verb`, e.g. `user.create` or `auth.login_failed`.
    pub action: String,
    /// What it was done to: a user, a token, an agent; empty where that is the server.
    pub target: String,
    /// Further facts, e.g. `role`.
    pub details: BTreeMap<String, String>,
    /// The request, as in the server's log.
    pub request_id: Option<Uuid>,
}

/// Query of `GET /api/v1/audit`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct AuditQuery {
    /// Only what this user did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(min_length = 1, max_length = 256)]
    pub actor: Option<String>,
    /// Only this action (`user.create`), or all of an area (`user`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// At or after this instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Before this instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// `next_cursor` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(min_length = 1, max_length = 128)]
    pub cursor: Option<String>,
    /// 1-1,000, default 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 1000)]
    pub limit: Option<u32>,
}
