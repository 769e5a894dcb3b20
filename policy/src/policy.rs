//! A policy as checked: every name known, every pattern compiled.

use std::collections::BTreeMap;

use crate::check;
use crate::diagnostic::{Diagnostic, PolicyError};
use crate::glob::Glob;
use crate::names::NamePattern;
use crate::net::NetMatch;
use crate::words::{Action, Severity, Verdict};

/// Longest document that is read, in bytes.
pub const POLICY_BYTES_MAX: usize = 256 * 1024;
/// Most rules in one policy. Rule numbers travel as `u16`.
pub const RULES_MAX: usize = 4096;
/// Most pattern tokens in one policy, after `{a,b}` and `~` are expanded: bounds memory at about 4 MiB.
pub const POLICY_TOKENS_MAX: usize = 1 << 20;

/// One policy document.
#[derive(Clone, Debug)]
pub struct Policy {
    /// `metadata.name`.
    pub name: String,
    /// `metadata.labels`.
    pub labels: BTreeMap<String, String>,
    /// `metadata.description`.
    pub description: Option<String>,
    /// `spec.default`.
    pub defaults: Defaults,
    /// `spec.rules`, in order.
    pub rules: Vec<Rule>,
}

/// A policy and what its author should know about it.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The policy.
    pub policy: Policy,
    /// Sorted by place.
    pub warnings: Vec<Diagnostic>,
}

impl Policy {
    /// Reads and checks a document.
    ///
    /// # Errors
    /// Everything that is wrong with it, up to a bound, sorted by place; at least one diagnostic. A document that is no
    /// YAML at all, or breaks a limit on size or nesting, has just that one.
    pub fn parse(yaml: &str) -> Result<Checked, PolicyError> {
        check::policy(yaml)
    }
}

/// What `spec.default` says for each action; `None` where it says nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Defaults([Option<Verdict>; Action::ALL.len()]);

impl Defaults {
    /// The default for an action, if the policy states one.
    pub fn get(&self, action: Action) -> Option<Verdict> {
        self.0[action.index()]
    }

    pub(crate) fn set(&mut self, action: Action, verdict: Verdict) {
        self.0[action.index()] = Some(verdict);
    }
}

/// One rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Unique in its policy.
    pub name: String,
    /// What it governs.
    pub action: Action,
    /// The resources it is about; of the kind that fits `action`.
    pub what: What,
    /// What it says.
    pub verdict: Verdict,
    /// `low` unless stated.
    pub severity: Severity,
    /// AI agent types it is for; empty: all.
    pub agent_types: Vec<String>,
    /// Programs it is for, by the real path of the acting process's executable; empty: all.
    pub binaries: Vec<Glob>,
    /// Where the rule begins in its document, from 1.
    pub line: u32,
}

/// The resources of a rule.
#[derive(Clone, Debug)]
pub enum What {
    /// `file_read`, `file_write`, `exec`.
    Path(Glob),
    /// `net_connect`.
    Net(NetMatch),
    /// `tls_connect`.
    ServerName(NamePattern),
}

impl Rule {
    /// Does the rule apply to a process of this type and executable?
    pub fn applies(&self, agent_type: Option<&str>, binary: &[u8]) -> bool {
        self.applies_to_type(agent_type)
            && (self.binaries.is_empty() || self.binaries.iter().any(|g| g.matches(binary)))
    }

    pub(crate) fn applies_to_type(&self, agent_type: Option<&str>) -> bool {
        self.agent_types.is_empty() || agent_type.is_some_and(|t| self.agent_types.iter().any(|own| own == t))
    }
}
