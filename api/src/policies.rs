//! Policy versions, their assignment, and what one agent gets.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Body of `POST /api/v1/policies`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPolicy {
    /// The document, at most 256 KiB.
    #[schema(max_length = 262_144)]
    pub yaml: String,
}

/// One immutable policy version as listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PolicyVersion {
    /// Counted from 1.
    pub version: u32,
    /// `metadata.name`.
    pub name: String,
    /// How many rules it has.
    pub rules: u32,
    /// When it was applied.
    pub created_at: Timestamp,
    /// Who applied it.
    pub created_by: String,
}

/// One policy version with its text: `GET /api/v1/policies/{version}`, and the answer of `POST /api/v1/policies`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PolicyDocument {
    /// Version, name and origin.
    #[serde(flatten)]
    pub version: PolicyVersion,
    /// As applied, comments included.
    pub yaml: String,
    /// What a reader should know of it, e.g. rules that can't match.
    pub warnings: Vec<String>,
}

/// Whom an assignment is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TargetType {
    /// The base of every agent that has none of its own.
    All,
    /// The base of one agent (documented as `daemon`, which is accepted).
    #[serde(alias = "daemon")]
    Agent,
    /// An overlay for AI processes of one type, on all agents.
    AgentType,
}

impl fmt::Display for TargetType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::All => "all",
            Self::Agent => "agent",
            Self::AgentType => "agent_type",
        })
    }
}

/// Body of `POST /api/v1/policy-assignments`. Replaces the assignment that the same target had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAssignment {
    /// Which policy.
    #[schema(minimum = 1)]
    pub version: u32,
    /// Whom it is for.
    pub target_type: TargetType,
    /// Agent id or agent type; empty or absent for `all`.
    #[serde(default)]
    pub target_id: String,
}

/// An assignment that is in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Assignment {
    /// Its id.
    pub assignment_id: Uuid,
    /// Which policy.
    pub version: u32,
    /// That policy's name.
    pub policy_name: String,
    /// Whom it is for.
    pub target_type: TargetType,
    /// Agent id or agent type; empty for `all`.
    pub target_id: String,
    /// Since when.
    pub assigned_at: Timestamp,
    /// By whom.
    pub assigned_by: String,
}

/// One policy version within an effective policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PolicyLayer {
    /// Which version.
    pub version: u32,
    /// Its name.
    pub name: String,
    /// The agent type that it overlays; absent for the base.
    pub agent_type: Option<String>,
    /// Its text.
    pub yaml: String,
}

/// `GET /api/v1/daemons/{id}/effective-policy`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EffectivePolicy {
    /// The agent.
    pub agent_id: Uuid,
    /// Digest of the layers; absent when nothing is assigned.
    pub policy_id: Option<String>,
    /// Overlays, then the base.
    pub layers: Vec<PolicyLayer>,
    /// What the agent says is in force.
    pub in_force_policy_id: Option<String>,
}
