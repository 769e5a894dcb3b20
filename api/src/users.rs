//! Users and their own sessions.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::auth::{Role, Session};

/// A user as listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct User {
    /// Its id; a name may be given again after a removal, an id never is.
    pub user_id: Uuid,
    /// Its unique name.
    pub username: String,
    /// What it may do.
    pub role: Role,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its password was last changed; absent while it is the first one.
    pub password_changed_at: Option<Timestamp>,
    /// When it last logged in.
    pub last_login_at: Option<Timestamp>,
}

/// Body of `POST /api/v1/users`.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// 1-64 letters, digits and `. _ - @ +`, beginning with a letter or digit.
    #[schema(min_length = 1, max_length = 64)]
    pub username: String,
    /// 12-1,024 bytes.
    #[schema(max_length = 1024, format = Password)]
    pub password: String,
    /// What it may do.
    pub role: Role,
}

/// Body of `PATCH /api/v1/users/{id}`: at least one of them. Each ends the user's sessions.
#[derive(Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserChange {
    /// Another role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Another password, 12-1,024 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 1024, format = Password)]
    pub password: Option<String>,
}

/// Answer of `GET /api/v1/auth/me`: whose session asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Me {
    /// The user's id.
    pub user_id: Uuid,
    /// Its name.
    pub username: String,
    /// What it may do.
    pub role: Role,
    /// The session, as in `jti` of its token.
    pub session_id: Uuid,
    /// When the session ends by itself.
    pub expires_at: Timestamp,
}

/// Body of `POST /api/v1/auth/password`.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordChange {
    /// The one that holds until now.
    #[schema(max_length = 1024, format = Password)]
    pub current_password: String,
    /// The one that holds from now on, 12-1,024 bytes.
    #[schema(max_length = 1024, format = Password)]
    pub new_password: String,
}

/// Answer of `POST /api/v1/auth/rotate-key`.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct KeyRotation {
    /// Name of the key that signs from now on, as in `kid` of tokens.
    pub key_id: String,
    /// Name of the key that was used until now and is still taken; absent when all sessions were ended.
    pub previous_key_id: Option<String>,
    /// A new session of who asked, when all others were ended.
    pub session: Option<Session>,
}
