//! An effective policy as the tables that the kernel holds: the same judgement as [`Effective::judge`], found without a rule in sight.
//!
//! # How a process is judged
//!
//! Its agent type and the class of its executable (an accept of [`Profiles::programs`]) give its profile. A profile has one cell for
//! each action on files and the number of an address table. A cell names two states of one automaton over paths, which are walked in
//! lockstep: one for patterns that begin at `/`, one for patterns that begin with `**`. The word in column 0 of the row that a walk
//! ends in is 0 or a [`Word`]; the smaller of two belongs to the rule that comes first. With none, the cell's default holds.
//!
//! A path of which only the end is known is not walked: the cell says what the strictest rule says. So does the profile of a socket whose
//! peers no rule can name.
//!
//! A rule with a condition has starts or an address table of its own, and denies. What those say that the process is held to comes in
//! between by the rules' numbers.

use std::collections::HashMap;

use crate::automaton::{Automaton, TooManyStates};
use crate::eval::{Act, Effective, Resource, RuleRef};
use crate::glob::Glob;
use crate::held::{CONDITIONAL_MAX, Held};
use crate::net::table::{NetTable, NetTableError};
use crate::policy::What;
use crate::profile::{Profile, Profiles, ProfilesError};
use crate::words::{Action, Verdict};

mod contents;

pub use contents::{CONDITIONAL_WORDS, CONTENTS_VERSION, Contents, PROFILE_WORDS, Prefix, halves};

/// Most prefixes of all address tables together. The kernel holds two policies' worth while one takes the other's place.
pub const NET_LISTS_MAX: usize = 100_000;
/// Most words of the automaton over `binaries`.
pub const PROGRAM_WORDS_MAX: usize = 1 << 16;
/// Most words of the automaton over paths: 2 MiB. A thousand rules as people write them take half of it.
pub const FILE_WORDS_MAX: usize = 1 << 19;
/// Most states of the automaton over paths, before equal ones are merged: bounds the time it takes to make it.
pub(crate) const FILE_STATES_MAX: usize = 20_000;

/// Actions on files and programs, in the order of a profile's cells.
pub const FILE_ACTIONS: [Action; 3] = [Action::FileRead, Action::FileWrite, Action::Exec];
/// What the tables judge: all but names in TLS. Actions on files first, in the order of [`FILE_ACTIONS`].
pub const ACTIONS: [Action; 4] = [Action::FileRead, Action::FileWrite, Action::Exec, Action::NetConnect];

/// A verdict and the rule that gives it, in 32 bits: the rule's number + 1 (0: the default) in the upper 24, the verdict below.
///
/// Of two words the smaller one belongs to the rule that comes first, as long as neither is a default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word(u32);

impl Word {
    const VERDICTS: [Verdict; 3] = [Verdict::Allow, Verdict::Deny, Verdict::Alert];

    /// A default's (`None`), or a rule's.
    pub fn new(verdict: Verdict, rule: Option<u16>) -> Self {
        let number = match verdict {
            Verdict::Allow => 0,
            Verdict::Deny => 1,
            Verdict::Alert => 2,
        };
        Self(rule.map_or(0, |rule| u32::from(rule) + 1) << 8 | number)
    }

    /// Reads a word; `None` where it is none.
    pub fn from_bits(bits: u32) -> Option<Self> {
        let rule = bits >> 8;
        ((bits & 0xff) < 3 && rule <= u32::from(u16::MAX) + 1).then_some(Self(bits))
    }

    /// As the tables have it.
    pub fn bits(self) -> u32 {
        self.0
    }

    /// What it says.
    pub fn verdict(self) -> Verdict {
        Self::VERDICTS[(self.0 & 0xff) as usize]
    }

    /// The same, unless the rule that comes before it denies and is one that the process is held to. `unnamed`: it can't be told which
    /// rules match, so that the strictest holds.
    fn or_held(self, held: Option<Self>, unnamed: bool) -> Self {
        let Some(held) = held else { return self };
        let first = self.rule().is_some() && self.bits() < held.bits();
        if first && (!unnamed || self.verdict() == Verdict::Deny) { self } else { held }
    }

    /// Number in [`Effective::rules`] of the rule that says so; `None`: the default.
    pub fn rule(self) -> Option<u16> {
        (self.0 >> 8).checked_sub(1).map(|rule| u16::try_from(rule).expect("made of a u16"))
    }
}

/// What a profile says of one action on files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileCell {
    /// Where the walk begins for patterns that begin at `/`, and for those that begin anywhere; 0: there are none.
    pub starts: [u32; 2],
    /// Where no rule matches.
    pub fallback: Word,
    /// For a path whose beginning isn't known.
    pub truncated: Word,
}

/// What a profile says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageProfile {
    /// In the order of [`FILE_ACTIONS`].
    pub files: [FileCell; FILE_ACTIONS.len()],
    /// Number in [`Image::net`].
    pub net: u16,
    /// For a socket whose peers no rule can name.
    pub any_address: Word,
    /// The rules with a condition that count for these processes, where they are held to them.
    pub conditional: Held,
}

/// What a rule with a condition says where it counts without its condition being asked. It denies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conditional {
    /// See [`RuleRef::identity`].
    pub identity: u64,
    /// What it governs.
    pub action: Action,
    /// Of a rule over files: where the walks begin, as in a [`FileCell`].
    pub starts: [u32; 2],
    /// Of a rule over addresses: number in [`Image::net`].
    pub net: Option<u16>,
    /// Its denial.
    pub word: Word,
}

/// The tables.
#[derive(Clone, Debug)]
pub struct Image {
    profiles: Profiles,
    list: Vec<ImageProfile>,
    classes: [u8; 256],
    rows: Vec<u32>,
    net: Vec<NetTable>,
    conditional: Vec<Conditional>,
}

/// The rules are more than the kernel's tables hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// Too many profiles, or too much in `binaries`.
    #[error(transparent)]
    Profiles(#[from] ProfilesError),
    /// More than [`PROGRAM_WORDS_MAX`].
    #[error("the `binaries` of the rules need {words} table entries, at most {PROGRAM_WORDS_MAX} fit")]
    ProgramWords {
        /// How many.
        words: usize,
    },
    /// Too many states while the automaton over paths was made.
    #[error("with rule `{rule}` the patterns over files and programs are too much for the kernel's tables")]
    Files {
        /// The rule that crossed the limit.
        rule: String,
        /// Its number in [`Effective::rules`].
        index: u16,
        /// Its pattern.
        #[source]
        source: TooManyStates,
    },
    /// More than [`FILE_WORDS_MAX`].
    #[error("with rule `{rule}` the rules over files and programs need more than {FILE_WORDS_MAX} table entries")]
    FileWords {
        /// The rule that crossed the limit.
        rule: String,
        /// Its number in [`Effective::rules`].
        index: u16,
    },
    /// Too much in one address table.
    #[error(transparent)]
    Net(#[from] NetTableError),
    /// More than [`NET_LISTS_MAX`].
    #[error(
        "the blocks of addresses, each counted once for every different set of rules, are more than {NET_LISTS_MAX}"
    )]
    TooManyLists,
    /// More than [`CONDITIONAL_MAX`].
    #[error("with rule `{rule}` more than {CONDITIONAL_MAX} rules of all layers together have a condition")]
    Conditional {
        /// The rule that crossed the limit.
        rule: String,
        /// Its number in [`Effective::rules`].
        index: u16,
    },
}

impl ImageError {
    /// Number in [`Effective::rules`] of the rule that crossed the limit, where one did.
    pub fn index(&self) -> Option<u16> {
        match self {
            Self::Files { index, .. } | Self::FileWords { index, .. } | Self::Conditional { index, .. } => Some(*index),
            Self::Net(error) => Some(error.index()),
            Self::Profiles(_) | Self::ProgramWords { .. } | Self::TooManyLists => None,
        }
    }
}

impl Image {
    /// Lowers all rules that the kernel can judge.
    ///
    /// # Errors
    /// More than the tables hold.
    pub fn new(effective: &Effective) -> Result<Self, ImageError> {
        let profiles = Profiles::new(effective, &ACTIONS)?;
        let words = profiles.programs().table().len();
        if words > PROGRAM_WORDS_MAX {
            return Err(ImageError::ProgramWords { words });
        }
        if let Some(r) = effective.conditional().get(CONDITIONAL_MAX).and_then(|index| effective.rule(*index)) {
            return Err(ImageError::Conditional { rule: r.rule.name.clone(), index: r.index });
        }
        let Addresses { of_profiles, of_conditional, tables: net } = Addresses::new(effective, &profiles)?;
        let files = Files::new(effective, &profiles)?;
        let conditional = effective.conditional_rules().zip(files.conditional).zip(of_conditional);
        let conditional = conditional.map(|((r, starts), net)| Conditional {
            identity: r.identity(),
            action: r.rule.action,
            starts,
            net,
            word: Word::new(r.verdict(), Some(r.index)),
        });
        let conditional = conditional.collect();
        let list = profiles.profiles().iter().zip(files.starts).zip(of_profiles);
        let list = list.map(|((profile, starts), net)| {
            let cell = |at: usize| FileCell {
                starts: starts[at],
                fallback: Word::new(profile.default(FILE_ACTIONS[at]).0, None),
                truncated: strictest(effective, profile, FILE_ACTIONS[at]),
            };
            let any_address = strictest(effective, profile, Action::NetConnect);
            ImageProfile { files: std::array::from_fn(cell), net, any_address, conditional: profile.conditional() }
        });
        Ok(Self { list: list.collect(), classes: files.classes, rows: files.rows, net, conditional, profiles })
    }

    /// Which profile is a process's.
    pub fn profiles(&self) -> &Profiles {
        &self.profiles
    }

    /// What the profiles say, by number.
    pub fn list(&self) -> &[ImageProfile] {
        &self.list
    }

    /// The column of each byte of a path, from 1.
    pub fn classes(&self) -> &[u8; 256] {
        &self.classes
    }

    /// The rows of the automaton over paths, as [`Automaton::table`] has them but for column 0: 0 or a [`Word`].
    pub fn rows(&self) -> &[u32] {
        &self.rows
    }

    /// The address tables that profiles share.
    pub fn net(&self) -> &[NetTable] {
        &self.net
    }

    /// The rules with a condition, in order: a bit of a [`Held`] for each.
    pub fn conditional(&self) -> &[Conditional] {
        &self.conditional
    }

    /// Judges by the tables alone, as the kernel programs do, step for step. `None` for what they don't judge.
    pub fn judge(&self, act: &Act<'_>) -> Option<Word> {
        let profile = &self.list[usize::from(self.profiles.number(act.agent_type, act.binary))];
        let held = profile.conditional.and(act.held).positions().map(|position| &self.conditional[position]);
        let mut held = held.filter(|conditional| conditional.action == act.action);
        match act.resource {
            Resource::Path { path, truncated } => {
                let at = FILE_ACTIONS.iter().position(|action| *action == act.action)?;
                let word = self.judge_path(&profile.files[at], path, truncated);
                let held = held.find(|rule| truncated || self.walk(rule.starts, path).is_some());
                Some(word.or_held(held.map(|rule| rule.word), truncated))
            }
            Resource::Net { addr, port, protocol } if act.action == Action::NetConnect => {
                let lookup = |table: u16| self.net[usize::from(table)].lookup(addr, port, protocol);
                let (verdict, rule) = lookup(profile.net);
                let held = held.find(|rule| rule.net.is_some_and(|table| lookup(table).1.is_some()));
                Some(Word::new(verdict, rule).or_held(held.map(|rule| rule.word), false))
            }
            Resource::Socket if act.action == Action::NetConnect => {
                Some(profile.any_address.or_held(held.next().map(|rule| rule.word), true))
            }
            _ => None,
        }
    }

    /// Judges a path by a cell.
    pub fn judge_path(&self, cell: &FileCell, path: &[u8], truncated: bool) -> Word {
        if truncated {
            return cell.truncated;
        }
        self.walk(cell.starts, path).unwrap_or(cell.fallback)
    }

    /// The rule that comes first of those that match.
    fn walk(&self, starts: [u32; 2], path: &[u8]) -> Option<Word> {
        let [mut anchored, mut floating] = starts.map(|start| start as usize);
        for byte in path {
            if anchored == 0 && floating == 0 {
                break;
            }
            let class = usize::from(self.classes[usize::from(*byte)]);
            anchored = self.rows[anchored + class] as usize;
            floating = self.rows[floating + class] as usize;
        }
        let found = [self.rows[anchored], self.rows[floating]];
        let first = found.into_iter().filter(|word| *word != 0).min();
        first.map(|bits| Word::from_bits(bits).expect("column 0 holds words"))
    }
}

/// The automaton over paths, with two starts for each profile and action.
struct Files {
    classes: [u8; 256],
    rows: Vec<u32>,
    starts: Vec<[[u32; 2]; FILE_ACTIONS.len()]>,
    /// Of each rule with a condition.
    conditional: Vec<[u32; 2]>,
}

impl Files {
    fn new(effective: &Effective, profiles: &Profiles) -> Result<Self, ImageError> {
        let rules: Vec<RuleRef<'_>> = effective.rules().filter(|r| path(r).is_some()).collect();
        let globs: Vec<Glob> = rules.iter().filter_map(|r| path(r).cloned()).collect();
        let position: HashMap<u16, usize> = (0..).zip(&rules).map(|(at, r)| (r.index, at)).collect();
        // Equal groups make equal starts, so profiles that differ in other actions share all of a table.
        let of_profiles = profiles
            .profiles()
            .iter()
            .flat_map(|profile| FILE_ACTIONS.map(|action| effective.rules_of(profile, action)))
            .map(|rules| rules.map(|r| position[&r.index]).collect());
        let of_conditional =
            effective.conditional_rules().map(|r| position.get(&r.index).copied().into_iter().collect());
        let groups: Vec<Vec<usize>> = of_profiles
            .chain(of_conditional)
            .flat_map(|rules: Vec<usize>| {
                let (floating, anchored) = rules.into_iter().partition(|at| Automaton::floats(&globs[*at]));
                [anchored, floating]
            })
            .collect();
        let named = |at: usize| (rules[at].rule.name.clone(), rules[at].index);
        let automaton = Automaton::groups(&globs, &groups, FILE_STATES_MAX).map_err(|source| {
            let (rule, index) = named(source.pattern);
            ImageError::Files { rule, index, source }
        })?;
        if automaton.table().len() > FILE_WORDS_MAX {
            let (rule, index) = named(first_too_large(&globs, &groups));
            return Err(ImageError::FileWords { rule, index });
        }
        let words: Vec<u32> = rules.iter().map(|r| Word::new(r.verdict(), Some(r.index)).bits()).collect();
        let mut rows = automaton.table().to_vec();
        for row in rows.chunks_exact_mut(automaton.columns() as usize) {
            row[0] = automaton.set(row[0]).first().map_or(0, |pattern| words[*pattern as usize]);
        }
        let starts = automaton.starts().as_chunks::<2>().0;
        let (of_profiles, of_conditional) = starts.split_at(profiles.profiles().len() * FILE_ACTIONS.len());
        Ok(Self {
            classes: *automaton.classes(),
            rows,
            starts: of_profiles.as_chunks::<{ FILE_ACTIONS.len() }>().0.to_vec(),
            conditional: of_conditional.to_vec(),
        })
    }
}

fn path<'a>(rule: &RuleRef<'a>) -> Option<&'a Glob> {
    match &rule.rule.what {
        What::Path(glob) => Some(glob),
        What::Net(_) | What::ServerName(_) => None,
    }
}

/// The pattern with which the tables become too large; all before it fit.
fn first_too_large(globs: &[Glob], groups: &[Vec<usize>]) -> usize {
    let fits = |count: usize| {
        let groups: Vec<Vec<usize>> =
            groups.iter().map(|group| group.iter().copied().filter(|at| *at < count).collect()).collect();
        Automaton::groups(globs, &groups, FILE_STATES_MAX).is_ok_and(|made| made.table().len() <= FILE_WORDS_MAX)
    };
    let (mut below, mut above) = (0, globs.len());
    while above - below > 1 {
        let middle = usize::midpoint(below, above);
        if fits(middle) { below = middle } else { above = middle }
    }
    above - 1
}

/// What holds where it can't be told which rules match: see [`Resource::Path`] and [`Resource::Socket`].
fn strictest(effective: &Effective, profile: &Profile, action: Action) -> Word {
    let (fallback, _) = profile.default(action);
    let strictest = effective.strictest(effective.rules_of(profile, action), fallback);
    strictest.map_or(Word::new(fallback, None), |r| Word::new(r.rule.verdict, Some(r.index)))
}

/// The address tables, and whose they are. Those that say the same of addresses share one.
struct Addresses {
    of_profiles: Vec<u16>,
    /// Of each rule with a condition; `None`: it is not about addresses.
    of_conditional: Vec<Option<u16>>,
    tables: Vec<NetTable>,
}

impl Addresses {
    fn new(effective: &Effective, profiles: &Profiles) -> Result<Self, ImageError> {
        let mut known: HashMap<(Vec<u16>, Verdict), u16> = HashMap::new();
        let mut tables: Vec<NetTable> = Vec::new();
        let mut lists = 0;
        let mut table = |rules: Vec<RuleRef<'_>>, default: Verdict| -> Result<u16, ImageError> {
            let says = (rules.iter().map(|r| r.index).collect(), default);
            if let Some(number) = known.get(&says) {
                return Ok(*number);
            }
            let table = effective.network_of(rules.into_iter(), default)?;
            lists += table.prefixes.len();
            if lists > NET_LISTS_MAX {
                return Err(ImageError::TooManyLists);
            }
            let number = u16::try_from(tables.len()).expect("no more than profiles and rules with a condition");
            tables.push(table);
            known.insert(says, number);
            Ok(number)
        };
        let of_profiles = profiles.profiles().iter().map(|profile| {
            let rules = effective.rules_of(profile, Action::NetConnect);
            table(rules.collect(), profile.default(Action::NetConnect).0)
        });
        let of_profiles = of_profiles.collect::<Result<_, _>>()?;
        let of_conditional = effective
            .conditional_rules()
            .map(|r| (r.rule.action == Action::NetConnect).then(|| table(vec![r], Verdict::Allow)).transpose());
        let of_conditional = of_conditional.collect::<Result<_, _>>()?;
        Ok(Self { of_profiles, of_conditional, tables })
    }
}

#[cfg(test)]
mod tests;
