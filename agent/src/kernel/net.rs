//! The network rules of an effective policy, in the form that the kernel looks up.

use tyr_policy::Effective;

/// Network rules, lowered for the kernel: for each profile (agent type, lists of binaries) and each prefix of addresses
/// the ordered rules that hold.
#[derive(Debug, Clone, Default)]
pub struct NetTables {}

/// A policy that the kernel can't hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NetTablesError {
    /// More distinct lists of `binaries` than the kernel tells apart.
    #[error(
        "rule `{rule}` has the {count}th different list of `binaries` among the network rules; the kernel tells {max} apart"
    )]
    Binaries {
        /// The rule that crossed the limit.
        rule: String,
        /// Which list it is.
        count: usize,
        /// The limit.
        max: usize,
    },
}

impl NetTables {
    /// Lowers the `net_connect` rules of a policy.
    ///
    /// # Errors
    /// The policy needs more than the kernel's tables hold; the error names the rule.
    pub fn lower(effective: &Effective) -> Result<Self, NetTablesError> {
        let _ = effective;
        Ok(Self {})
    }
}
