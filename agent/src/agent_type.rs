//! The name of a class of AI processes.

use std::fmt;
use std::str::FromStr;

/// Class of AI process, such as `claude-code`: 1 to 64 bytes of `[a-z0-9._-]`, the first a letter or digit.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AgentType(String);

/// Longest agent type, in bytes.
pub const AGENT_TYPE_BYTES_MAX: usize = 64;

/// The text is no agent type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an agent type has 1 to 64 lower-case letters, digits, `.`, `_` or `-`, and begins with a letter or digit")]
pub struct NoAgentType;

impl AgentType {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AgentType {
    type Err = NoAgentType;

    fn from_str(text: &str) -> Result<Self, NoAgentType> {
        let alphanumeric = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
        let fits = text.len() <= AGENT_TYPE_BYTES_MAX
            && text.bytes().next().is_some_and(alphanumeric)
            && text.bytes().all(|c| alphanumeric(c) || b"._-".contains(&c));
        if fits { Ok(Self(text.to_owned())) } else { Err(NoAgentType) }
    }
}

impl fmt::Display for AgentType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
