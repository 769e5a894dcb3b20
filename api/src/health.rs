//! `GET /health`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Exactly these three keys, with status 200 when all is well and 503 when the database is away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// `ok`, or `error`.
    pub status: String,
    /// `ok`, or `error` when a round trip to the database fails.
    pub db: String,
    /// Version of the server.
    pub version: String,
}
