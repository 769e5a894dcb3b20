//! Setup, login and enrollment tokens.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a user may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads agents, policies and events.
    Viewer,
    /// Everything.
    Admin,
}

/// `GET /api/v1/auth/status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuthStatus {
    /// Whether the first admin exists.
    pub configured: bool,
}

/// Body of `POST /api/v1/auth/setup` (once, makes the first admin) and `POST /api/v1/auth/login`.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    /// 1-64 characters.
    #[schema(min_length = 1, max_length = 64)]
    pub username: String,
    /// 12-1024 bytes at setup.
    #[schema(max_length = 1024, format = Password)]
    pub password: String,
}

/// Answer of login and setup.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct Session {
    /// HS256 JWT for `Authorization: Bearer`.
    pub token: String,
    /// When it stops working.
    pub expires_at: Timestamp,
    /// Who it is for.
    pub username: String,
    /// What it allows.
    pub role: Role,
}

/// Body of `POST /api/v1/enrollment-tokens`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewEnrollmentToken {
    /// What it is for, 1-128 characters.
    #[schema(min_length = 1, max_length = 128)]
    pub label: String,
    /// How many agents may enroll with it, 1-100,000.
    #[schema(minimum = 1, maximum = 100_000)]
    #[serde(default = "default_max_uses")]
    pub max_uses: u32,
    /// Hours from now, 1-8,760.
    #[schema(minimum = 1, maximum = 8760)]
    #[serde(default = "default_expires_hours")]
    pub expires_hours: u32,
}

fn default_max_uses() -> u32 {
    1
}

fn default_expires_hours() -> u32 {
    24
}

/// An enrollment token as listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EnrollmentToken {
    /// Public part of the token.
    pub token_id: String,
    /// What it is for.
    pub label: String,
    /// How many agents may enroll with it.
    pub max_uses: u32,
    /// How many did.
    pub uses: u32,
    /// When it stops working.
    pub expires_at: Timestamp,
    /// When an admin revoked it.
    pub revoked_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it.
    pub created_by: String,
}

/// Answer of `POST /api/v1/enrollment-tokens`: the only time that the secret is shown.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct CreatedEnrollmentToken {
    /// `tyr_et_<token id>_<secret>`.
    pub token: String,
    /// The rest of it.
    #[serde(flatten)]
    pub details: EnrollmentToken,
}
