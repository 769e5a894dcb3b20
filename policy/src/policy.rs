//! A policy as checked: every name known, every pattern compiled.

use std::collections::BTreeMap;

use crate::check;
use crate::condition::Condition;
use crate::diagnostic::{Diagnostic, PolicyError};
use crate::glob::Glob;
use crate::names::NamePattern;
use crate::net::NetMatch;
use crate::survey::{self, Survey};
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

    /// Reads a document that was taken once, perhaps by a version with larger tables: whether it fits those of a kernel is not asked, so
    /// that what happened under it can still be judged. It takes no time for that, and the plain evaluator needs no tables.
    ///
    /// # Errors
    /// As of [`Policy::parse`], but for what the kernel's tables hold.
    pub fn parse_stored(yaml: &str) -> Result<Checked, PolicyError> {
        check::stored(yaml)
    }
}

impl Checked {
    /// What the policy costs, by itself.
    ///
    /// # Errors
    /// When it is too large for the tables of an agent, with the rule that did it and its place.
    pub fn survey(&self) -> Result<Survey, PolicyError> {
        survey::of_document(&self.policy)
    }

    /// [`Self::warnings`], and one for each rule that is left nothing by all rules before it together.
    pub fn warnings_with(&self, survey: &Survey) -> Vec<Diagnostic> {
        let hidden = survey.rules.iter().filter(|rule| !rule.reachable).map(|rule| usize::from(rule.index));
        let hidden = hidden.filter_map(|index| self.policy.rules.get(index));
        let fresh = hidden
            .filter(|rule| !self.warnings.iter().any(|known| (known.line, known.column) == (rule.line, rule.column)));
        let mut warnings: Vec<Diagnostic> = self.warnings.clone();
        warnings.extend(fresh.map(|rule| {
            let message = format!("rule `{}` never matches: the rules before it take everything", rule.name);
            let hint = "the first rule that matches wins: put it before them, or take it out".to_owned();
            Diagnostic::new(rule.line, rule.column, &message, Some(hint))
        }));
        warnings.sort();
        warnings
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
    /// What else must hold, asked in userspace of what the kernel let pass.
    pub condition: Option<Condition>,
    /// Where the rule begins in its document, from 1.
    pub line: u32,
    /// Where in its line, from 1, in characters.
    pub column: u32,
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
