//! The policy language of Tyr: reading, checking, evaluating and compiling it.
//!
//! Pure: no input or output, no clock. Agent, server and command line use this one crate, so that they cannot disagree
//! about the meaning of a policy; a difference in verdict between two of them is a finding.
//!
//! A document walks [`Policy::parse`] (YAML with positions, then checks) and becomes a [`Layer`] of an [`Effective`]
//! policy, whose [`Effective::judge`] is the plain evaluator: one rule after the other, the first that matches wins.

mod automaton;
mod cases;
mod check;
mod compiled;
mod condition;
mod diagnostic;
mod difference;
mod eval;
mod glob;
mod guard;
mod held;
mod image;
mod names;
mod net;
mod policy;
mod profile;
mod recorded;
mod survey;
mod syntax;
mod words;

pub use automaton::{Automaton, TooManyStates};
pub use cases::{Case, CaseFile, Target};
pub use check::AGENT_TYPES;
pub use compiled::Compiled;
pub use condition::{
    Answer, CONDITION_BYTES_MAX, CONDITION_NESTING_MAX, CONDITIONS_MAX, Condition, ConditionError, Facts,
};
pub use diagnostic::{Diagnostic, PolicyError};
pub use difference::{Difference, Differences, Said, differences};
pub use eval::{Act, ByCondition, Effective, Judgement, Layer, Resource, RuleRef};
pub use glob::{GLOB_ALTERNATIVES_MAX, GLOB_BYTES_MAX, GLOB_TOKENS_MAX, Glob, GlobError};
pub use guard::{Guard, QUARANTINE};
pub use held::{CONDITIONAL_MAX, Held};
pub use image::{
    ACTIONS, CONDITIONAL_WORDS, CONTENTS_VERSION, Conditional, Contents, FILE_ACTIONS, FILE_WORDS_MAX, FileCell, Image,
    ImageError, ImageProfile, NET_LISTS_MAX, PROFILE_WORDS, PROGRAM_WORDS_MAX, Prefix, Word, halves,
};
pub use names::{NamePattern, NamePatternError};
pub use net::table::{Effect, NET_ENTRIES_MAX, NET_PREFIXES_MAX, NetEntry, NetPrefix, NetTable, NetTableError};
pub use net::{Cidr, NetMatch, NetTarget, NetTargetError, canonical};
pub use policy::{Checked, Defaults, POLICY_BYTES_MAX, POLICY_TOKENS_MAX, Policy, RULES_MAX, Rule, What};
pub use profile::{PROFILE_CELLS_MAX, PROFILES_MAX, PROGRAM_STATES_MAX, Profile, Profiles, ProfilesError};
pub use recorded::{CONDITION_EARLIER, GUARDED_SEVERITY, Recorded, SOCKET, unescape};
pub use survey::{Enforced, PATH_BYTES_MAX, PATH_STATES_MAX, RuleSurvey, Survey, SurveyError};
pub use words::{Action, Protocol, Severity, UnknownWord, Unregistered, Verdict};
