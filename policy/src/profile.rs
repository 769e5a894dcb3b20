//! Which rules apply to a process: settled once, when it starts a program.

use std::collections::{BTreeSet, HashMap};

use crate::automaton::{Automaton, TooManyStates};
use crate::eval::{Effective, RuleRef};
use crate::glob::Glob;
use crate::guard::Guard;
use crate::held::Held;
use crate::words::{Action, Verdict};

/// Most different profiles of one effective policy.
pub const PROFILES_MAX: usize = 256;
/// Most combinations of an agent type and a set of `binaries` that a program can be in, many of which share a profile.
pub const PROFILE_CELLS_MAX: usize = PROFILES_MAX * 16;
/// Most states of the automaton over `binaries`, before equal ones are merged.
pub const PROGRAM_STATES_MAX: usize = 10_000;

/// What of an effective policy holds for a process, whatever its resources. Processes of the same profile are judged the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Profile {
    rules: Vec<u16>,
    conditional: Held,
    defaults: [(Verdict, Option<u32>); Action::ALL.len()],
}

impl Profile {
    /// Numbers in [`Effective::rules`] of the rules without a condition that apply, in order.
    pub fn rules(&self) -> &[u16] {
        &self.rules
    }

    /// The rules with a condition that apply. They count for a process that is held to them.
    pub fn conditional(&self) -> Held {
        self.conditional
    }

    /// What holds where no rule matches, and the policy version that says so.
    pub fn default(&self, action: Action) -> (Verdict, Option<u32>) {
        self.defaults[action.index()]
    }
}

impl Effective {
    /// The profile of a process by its agent type and the real path of its executable.
    pub fn profile(&self, agent_type: Option<&str>, binary: &[u8]) -> Profile {
        self.profile_where(agent_type, Action::ALL, |rule| rule.applies(agent_type, binary))
    }

    /// The rules of an action that apply to a profile, in order.
    pub fn rules_of<'s>(&'s self, profile: &'s Profile, action: Action) -> impl Iterator<Item = RuleRef<'s>> {
        // Both are in order of their numbers, so one walk over both suffices.
        let mut numbers = profile.rules.iter().copied().peekable();
        self.rules().filter(move |r| numbers.next_if_eq(&r.index).is_some() && r.rule.action == action)
    }

    fn profile_where(
        &self,
        agent_type: Option<&str>,
        actions: &[Action],
        applies: impl Fn(&RuleRef<'_>) -> bool,
    ) -> Profile {
        let mut defaults = [(Verdict::Allow, None); Action::ALL.len()];
        for action in actions {
            let judgement = self.default(*action, agent_type);
            defaults[action.index()] = (judgement.verdict, judgement.version);
        }
        // A condition can't be asked in the kernel: there rules with one count for those alone that are held to them.
        let (mut rules, mut conditional) = (Vec::new(), Held::NONE);
        for r in self.rules().filter(applies) {
            match &r.rule.condition {
                None => rules.push(r.index),
                Some(_) => conditional = conditional.or(self.held(r.index)),
            }
        }
        Profile { rules, conditional, defaults }
    }
}

/// All profiles of an effective policy, or of its rules for some actions, so that a kernel program can find one's number from tables alone.
///
/// The number of a process's profile is `row(type)[accept]`, where `type` is the number of its agent type and `accept`
/// that of its executable's path in [`Profiles::programs`].
#[derive(Clone, Debug)]
pub struct Profiles {
    types: Vec<String>,
    programs: Automaton,
    /// `programs.accepts()` numbers per type.
    numbers: Vec<u16>,
    list: Vec<Profile>,
}

/// The policy needs more than the tables hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProfilesError {
    /// The patterns of `binaries` are too much for one automaton.
    #[error("the `binaries` of the rules are too many or too wide")]
    Binaries(#[source] TooManyStates),
    /// More than [`PROFILES_MAX`] profiles or [`PROFILE_CELLS_MAX`] combinations.
    #[error("the `agent_types` and `binaries` of the rules make more than {PROFILES_MAX} different sets of rules")]
    TooMany,
}

impl Profiles {
    /// Settles all profiles that can occur. Of actions that aren't among `actions` they say nothing: neither their rules nor
    /// their defaults tell processes apart.
    ///
    /// # Errors
    /// More than the limits.
    pub fn new(effective: &Effective, actions: &[Action]) -> Result<Self, ProfilesError> {
        let rules = || effective.rules().filter(|r| actions.contains(&r.rule.action));
        let layer_types = effective.layers().iter().filter_map(|layer| layer.agent_type.as_ref());
        let rule_types = rules().flat_map(|r| &r.rule.agent_types);
        // All others are of the first row, and so are those that a guard holds for.
        let registered = effective.guard().into_iter().flat_map(Guard::registered);
        let types = layer_types.chain(rule_types).chain(registered).collect::<BTreeSet<_>>();
        let types: Vec<String> = types.into_iter().cloned().collect();

        let mut known: HashMap<&str, u32> = HashMap::new();
        let mut patterns: Vec<Glob> = Vec::new();
        for glob in rules().flat_map(|r| &r.rule.binaries) {
            let number = u32::try_from(patterns.len()).expect("tokens, and so patterns, are bounded far below 2^32");
            if *known.entry(glob.as_str()).or_insert(number) == number {
                patterns.push(glob.clone());
            }
        }
        let programs = Automaton::all(&patterns, PROGRAM_STATES_MAX).map_err(ProfilesError::Binaries)?;
        if (types.len() + 1) * programs.accepts() > PROFILE_CELLS_MAX {
            return Err(ProfilesError::TooMany);
        }

        let mut ids: HashMap<Profile, u16> = HashMap::new();
        let mut list = Vec::new();
        let mut numbers = Vec::new();
        let accepts = u32::try_from(programs.accepts()).expect("compared with a small limit above");
        for agent_type in std::iter::once(None).chain(types.iter().map(|name| Some(name.as_str()))) {
            for accept in 0..accepts {
                let matching = programs.set(accept);
                let runs = |glob: &Glob| matching.binary_search(&known[glob.as_str()]).is_ok();
                let profile = effective.profile_where(agent_type, actions, |r| {
                    actions.contains(&r.rule.action)
                        && r.applies_to_type(agent_type)
                        && (r.rule.binaries.is_empty() || r.rule.binaries.iter().any(runs))
                });
                let fresh = u16::try_from(list.len()).expect("bounded below");
                let id = *ids.entry(profile).or_insert_with_key(|profile| {
                    list.push(profile.clone());
                    fresh
                });
                if list.len() > PROFILES_MAX {
                    return Err(ProfilesError::TooMany);
                }
                numbers.push(id);
            }
        }
        Ok(Self { types, programs, numbers, list })
    }

    /// The agent types that make a difference. Type number 0 is any other or none; the others follow in this order from 1.
    pub fn types(&self) -> &[String] {
        &self.types
    }

    /// The automaton over paths of executables; its accepts are columns of [`Profiles::row`].
    pub fn programs(&self) -> &Automaton {
        &self.programs
    }

    /// Profile numbers of a type number, by accept.
    pub fn row(&self, type_number: usize) -> &[u16] {
        let width = self.programs.accepts();
        &self.numbers[type_number * width..][..width]
    }

    /// The profiles, by number.
    pub fn profiles(&self) -> &[Profile] {
        &self.list
    }

    /// The number of a process's profile, by the tables.
    pub fn number(&self, agent_type: Option<&str>, binary: &[u8]) -> u16 {
        let type_number =
            agent_type.and_then(|name| self.types.iter().position(|own| own == name)).map_or(0, |at| at + 1);
        self.row(type_number)[self.programs.accept(binary) as usize]
    }
}

#[cfg(test)]
mod tests;
