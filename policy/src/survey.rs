//! What a policy costs and where its rules are enforced: what an author wants to know before it is applied.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;

use crate::automaton::{Automaton, TooManyStates};
use crate::diagnostic::{Diagnostic, PolicyError};
use crate::eval::{Effective, Layer, RuleRef};
use crate::glob::Glob;
use crate::image::FILE_STATES_MAX;
use crate::net::Cidr;
use crate::net::table::NetTableError;
use crate::policy::{Policy, What};
use crate::profile::{Profiles, ProfilesError};
use crate::words::{Action, Verdict};

/// Most states over the paths of one action and one set of rules, before equal ones are merged: what the image takes for all of them.
pub const PATH_STATES_MAX: usize = FILE_STATES_MAX;
/// Most bytes of all tables over paths together.
pub const PATH_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Up to so many states the order of all rules of an action is looked through for those that never match.
const ORDER_STATES_MAX: usize = 4_096;
/// Bytes of a prefix in the kernel: its key, and a list of entries of full length.
const PREFIX_BYTES: usize = 24 + 8 + 8 * crate::net::table::NET_ENTRIES_MAX;
/// Bytes of a word of an automaton.
const WORD_BYTES: usize = 4;

/// Where a rule is enforced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enforced {
    /// By the automaton over paths, in the kernel, before the action happens.
    Kernel,
    /// By the table of address blocks, in the kernel, before the connection is made.
    AddressTable,
    /// By the agent, once the action has happened.
    Userspace,
    /// The same, and in the kernel for the rest of the process.
    UserspaceThenKernel,
    /// Nowhere yet.
    Nowhere,
}

impl Enforced {
    /// As it reads in a table, and in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Kernel => "kernel",
            Self::AddressTable => "address table",
            Self::Userspace => "userspace",
            Self::UserspaceThenKernel => "userspace, then kernel",
            Self::Nowhere => "nowhere yet",
        }
    }
}

/// One rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuleSurvey {
    /// Its number in [`Effective::rules`].
    pub index: u16,
    /// Where it is enforced.
    pub enforced: Enforced,
    /// States that it adds to those that the rules before it need, before equal ones are merged: what is limited.
    pub states: usize,
    /// Blocks of addresses that no rule before it names.
    pub prefixes: usize,
    /// Its share of the kernel's tables.
    pub bytes: usize,
    /// Whether anything is left for it by the rules before it, for any process. Only what is sure is `false`.
    pub reachable: bool,
}

/// A whole policy.
#[derive(Clone, Debug)]
pub struct Survey {
    /// Rule by rule, in order.
    pub rules: Vec<RuleSurvey>,
    /// Sets of rules that different processes have.
    pub profiles: usize,
    /// States of all automata over paths and programs, equal ones merged.
    pub states: usize,
    /// Blocks of addresses in all tables.
    pub prefixes: usize,
    /// Bytes of all of them. More than the sum over the rules: what no rule can be blamed for is in it too.
    pub bytes: usize,
}

/// A policy that is too large for the tables.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SurveyError {
    /// The paths of one action.
    #[error("with rule `{rule}` the patterns of `{action}` become too much")]
    Paths {
        /// The rule that crossed the limit.
        rule: String,
        /// Its number in [`Effective::rules`].
        index: u16,
        /// The action.
        action: Action,
        /// The pattern.
        #[source]
        source: TooManyStates,
    },
    /// All paths together.
    #[error("with rule `{rule}` the tables over paths take more than {} MiB", PATH_BYTES_MAX >> 20)]
    Bytes {
        /// The last rule that still had to be put in.
        rule: String,
        /// Its number in [`Effective::rules`].
        index: u16,
    },
    /// `binaries` and `agent_types`.
    #[error(transparent)]
    Profiles(#[from] ProfilesError),
    /// Addresses.
    #[error(transparent)]
    Net(#[from] NetTableError),
}

impl SurveyError {
    /// The rule that is to blame, where there is one.
    pub fn index(&self) -> Option<u16> {
        match self {
            Self::Paths { index, .. } | Self::Bytes { index, .. } => Some(*index),
            Self::Net(error) => Some(error.index()),
            Self::Profiles(_) => None,
        }
    }
}

impl Survey {
    /// Compiles everything and counts.
    ///
    /// # Errors
    /// When it is too large for the tables; the time until then is bounded.
    pub fn of(effective: &Effective) -> Result<Self, SurveyError> {
        let profiles = Profiles::new(effective, Action::ALL)?;
        let net = Profiles::new(effective, &[Action::NetConnect])?;
        let mut prefixes = 0;
        for profile in net.profiles() {
            prefixes += effective.network(profile)?.prefixes.len();
        }
        // Each with tables of its own, for those that are held to it.
        for r in effective.conditional_rules().filter(|r| matches!(r.rule.what, What::Net(_))) {
            prefixes += effective.network_of(std::iter::once(r), Verdict::Allow)?.prefixes.len();
        }
        let programs = profiles.programs();
        let mut survey = Self {
            rules: effective.rules().map(|r| blank(&r)).collect(),
            profiles: profiles.profiles().len(),
            states: programs.states(),
            prefixes,
            bytes: programs.table().len() * WORD_BYTES,
        };
        survey.bytes += survey.prefixes * PREFIX_BYTES;
        let mut seen: BTreeSet<Vec<u16>> = BTreeSet::new();
        let mut reached: BTreeMap<u16, bool> = BTreeMap::new();
        for action in [Action::FileRead, Action::FileWrite, Action::Exec] {
            for profile in profiles.profiles() {
                let rules: Vec<RuleRef<'_>> = effective.rules_of(profile, action).collect();
                // Many profiles differ in the rules of other actions alone.
                if !rules.is_empty() && seen.insert(rules.iter().map(|r| r.index).collect()) {
                    survey.add_paths(action, &rules, &mut reached)?;
                }
            }
        }
        for r in effective.conditional_rules().filter(|r| matches!(r.rule.what, What::Path(_))) {
            survey.add_paths(r.rule.action, &[r], &mut reached)?;
        }
        survey.add_addresses(effective);
        for rule in &mut survey.rules {
            rule.reachable = reached.get(&rule.index).copied().unwrap_or(true);
        }
        Ok(survey)
    }

    /// The rules of an action that some processes have.
    fn add_paths(
        &mut self,
        action: Action,
        rules: &[RuleRef<'_>],
        reached: &mut BTreeMap<u16, bool>,
    ) -> Result<(), SurveyError> {
        let glob = |r: &RuleRef<'_>| match &r.rule.what {
            What::Path(glob) => Some(glob.clone()),
            What::Net(_) | What::ServerName(_) => None,
        };
        let globs: Vec<Glob> = rules.iter().filter_map(glob).collect();
        let (automaton, added) = Automaton::counted(&globs, PATH_STATES_MAX).map_err(|source| {
            let crossed = &rules[source.pattern];
            SurveyError::Paths { rule: crossed.rule.name.clone(), index: crossed.index, action, source }
        })?;
        let row_bytes = automaton.columns() as usize * WORD_BYTES;
        self.states += automaton.states();
        self.bytes += automaton.states() * row_bytes;
        if let Some(last) = rules.last().filter(|_| self.bytes > PATH_BYTES_MAX + self.prefixes * PREFIX_BYTES) {
            return Err(SurveyError::Bytes { rule: last.rule.name.clone(), index: last.index });
        }
        let table_bytes = automaton.states() * row_bytes;
        let all = added.iter().sum::<usize>().max(1);
        for (rule, states) in rules.iter().zip(added) {
            let own = &mut self.rules[usize::from(rule.index)];
            own.states += states;
            own.bytes += table_bytes * states / all;
            reached.entry(rule.index).or_insert(false);
        }
        // One start for all knows the order across patterns that begin at `/` and those that don't; it can be far larger.
        let ordered = Automaton::build(&globs, ORDER_STATES_MAX).unwrap_or(automaton);
        for at in ordered.reachable() {
            reached.insert(rules[at].index, true);
        }
        Ok(())
    }

    fn add_addresses(&mut self, effective: &Effective) {
        let mut named: BTreeSet<Cidr> = BTreeSet::new();
        for r in effective.rules() {
            let What::Net(net) = &r.rule.what else { continue };
            let targets = net.allow.iter().chain(&net.deny);
            let fresh = targets.filter_map(|target| target.cidr).filter(|cidr| named.insert(*cidr)).count();
            let own = &mut self.rules[usize::from(r.index)];
            own.prefixes = fresh;
            own.bytes = fresh * PREFIX_BYTES;
        }
    }
}

/// What one document costs by itself.
pub(crate) fn of_document(policy: &Policy) -> Result<Survey, PolicyError> {
    let effective = Effective::new(vec![Layer { version: 0, agent_type: None, policy: policy.clone() }]);
    Survey::of(&effective).map_err(|error| {
        let rule = error.index().and_then(|index| policy.rules.get(usize::from(index)));
        let (line, column) = rule.map_or((0, 0), |rule| (rule.line, rule.column));
        let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
        let hint = match &error {
            SurveyError::Paths { .. } => {
                "patterns that begin with `**` or have several `*` and `?` in a name multiply each other: make them plainer, or fewer"
            }
            SurveyError::Bytes { .. } => "use fewer sets of `agent_types` and `binaries`, or overlays for agent types",
            SurveyError::Profiles(_) | SurveyError::Net(_) => {
                "use fewer and plainer `binaries`, or overlays in place of `agent_types`"
            }
        };
        let problem = Diagnostic::new(line, column, &format!("{error}{cause}"), Some(hint.to_owned()));
        PolicyError { diagnostics: vec![problem] }
    })
}

fn blank(r: &RuleRef<'_>) -> RuleSurvey {
    let enforced = match &r.rule.what {
        What::Path(_) | What::Net(_) if r.rule.condition.is_some() && r.rule.verdict == Verdict::Deny => {
            Enforced::UserspaceThenKernel
        }
        _ if r.rule.condition.is_some() => Enforced::Userspace,
        What::Path(_) => Enforced::Kernel,
        What::Net(_) => Enforced::AddressTable,
        What::ServerName(_) => Enforced::Nowhere,
    };
    RuleSurvey { index: r.index, enforced, states: 0, prefixes: 0, bytes: 0, reachable: true }
}

#[cfg(test)]
mod tests {
    use super::{Enforced, Survey, SurveyError};
    use crate::eval::{Effective, Layer};
    use crate::policy::Policy;

    fn layer(rules: &str) -> Layer {
        let yaml = format!("apiVersion: tyr.dev/v1\nkind: Policy\nmetadata: {{name: t}}\nspec:\n  rules:\n{rules}");
        let policy = Policy::parse(&yaml).unwrap_or_else(|error| panic!("{error}")).policy;
        Layer { version: 1, agent_type: None, policy }
    }

    fn survey(rules: &str) -> Result<Survey, SurveyError> {
        Survey::of(&Effective::new(vec![layer(rules)]))
    }

    #[test]
    fn says_where_and_for_what() {
        let survey = survey(
            "  - {name: files, action: file_read, resource_pattern: /etc/**, verdict: deny}
  - {name: same, action: file_read, resource_pattern: '/etc/{a,b}', verdict: deny}
  - {name: net, action: net_connect, cidr_deny: [10.0.0.0/8, 192.0.2.0/24], verdict: deny}
  - {name: net2, action: net_connect, cidr_deny: [10.0.0.0/8], verdict: alert}
  - {name: names, action: tls_connect, sni_pattern: '*.example.com', verdict: deny}
",
        )
        .unwrap();
        let places: Vec<_> = survey.rules.iter().map(|rule| rule.enforced).collect();
        let kernel = [Enforced::Kernel; 2];
        let addresses = [Enforced::AddressTable; 2];
        assert_eq!(places, [&kernel[..], &addresses, &[Enforced::Nowhere]].concat());
        assert_eq!(survey.rules.iter().map(|rule| rule.prefixes).collect::<Vec<_>>(), [0, 0, 2, 0, 0]);
        assert!(survey.rules[0].states > 4 && survey.rules[0].bytes > 0, "{:?}", survey.rules[0]);
        assert_eq!(survey.rules[1].states, 0, "the rule before it takes everything");
        assert_eq!(survey.rules.iter().map(|rule| rule.reachable).collect::<Vec<_>>(), [true, false, true, true, true]);
        assert!(survey.bytes >= survey.rules.iter().map(|rule| rule.bytes).sum());
    }

    #[test]
    fn several_rules_together_hide_one() {
        let survey = survey(
            "  - {name: a, action: exec, resource_pattern: '/bin/[a-m]*', verdict: deny}
  - {name: b, action: exec, resource_pattern: '/bin/[!a-m]*', verdict: allow}
  - {name: c, action: exec, resource_pattern: '/bin/??*', verdict: alert}
  - {name: d, action: exec, resource_pattern: '/bin/*', verdict: alert}
",
        )
        .unwrap();
        // (`/bin/` itself is left for the last.)
        assert_eq!(survey.rules.iter().map(|rule| rule.reachable).collect::<Vec<_>>(), [true, true, false, true]);
    }

    #[test]
    fn a_rule_counts_as_reachable_where_any_process_reaches_it() {
        let survey = survey(
            "  - {name: a, action: exec, resource_pattern: '/bin/**', verdict: deny, agent_types: [codex]}
  - {name: b, action: exec, resource_pattern: '/bin/x', verdict: allow}
",
        )
        .unwrap();
        assert!(survey.rules[1].reachable);
    }

    #[test]
    fn the_rule_that_is_too_much_is_named() {
        // Each policy by itself is small enough.
        let rule = |n: usize| {
            let tail = "?".repeat(n % 7 + 6);
            format!("  - {{name: r{n}, action: exec, resource_pattern: '**/{n}*a{tail}', verdict: deny}}\n")
        };
        let layers = [0..7, 7..14].map(|numbers| layer(&numbers.map(rule).collect::<String>()));
        let error = Survey::of(&Effective::new(layers.into())).unwrap_err();
        assert!(matches!(&error, SurveyError::Paths { rule, .. } if rule.starts_with('r')), "{error}");
        assert!(error.index().is_some_and(|index| index >= 7), "{error}");
    }
}
