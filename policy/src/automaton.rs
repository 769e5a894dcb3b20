//! A list of patterns as one deterministic automaton over bytes, as tables that a kernel program can walk.

mod build;
mod minimise;
#[cfg(test)]
pub(crate) mod tests;

use crate::glob::Glob;
use build::Count;

/// Patterns as tables.
///
/// # Layout
///
/// [`Self::classes`] has one byte per input byte: its *column*, from 1. [`Automaton::table`] has one row per state, each
/// of [`Automaton::columns`] words of 32 bits in the machine's byte order. A state is named by the offset of its row in words
/// (premultiplied), so that a step is one addition and two loads:
///
/// ```text
/// state  = start
/// state  = table[state + classes[byte]]      for each byte; state 0 is dead and leads to itself only
/// accept = table[state]                      column 0; 0: nothing matches
/// ```
///
/// With several starts ([`Automaton::split`]) each is walked by itself and the smallest accept that isn't 0 holds.
///
/// For [`Automaton::build`] and [`Automaton::split`] an accept is 1 + the number of the first pattern that matches. For
/// [`Automaton::all`] it names a set of patterns ([`Automaton::set`]).
///
/// # Size
///
/// What one pattern forbids to merge with another makes states: patterns that begin with `**` may be anywhere in a path while
/// those that begin with `/` are at one place of it, and a union of both multiplies them. `split` keeps the two groups
/// apart, with a start each in one table. Patterns behind one that already matches whatever follows are dropped from a
/// state, which is sound as the first match wins.
#[derive(Clone, PartialEq, Eq)]
pub struct Automaton {
    classes: [u8; 256],
    columns: u32,
    table: Vec<u32>,
    starts: Vec<u32>,
    sets: Vec<Vec<u32>>,
}

/// The patterns need more states than allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` makes the patterns before it and itself need more than {states_max} states")]
pub struct TooManyStates {
    /// Number of the first pattern with which the limit is crossed.
    pub pattern: usize,
    /// That pattern as written.
    pub text: String,
    /// The limit.
    pub states_max: usize,
}

/// What an accept means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Matching {
    First,
    All,
}

impl Automaton {
    /// One start, for the first pattern that matches.
    ///
    /// `states_max` bounds the states before equal ones are merged, and with them memory and time.
    ///
    /// # Errors
    /// More states, or work out of proportion to them.
    pub fn build(patterns: &[Glob], states_max: usize) -> Result<Self, TooManyStates> {
        Self::compile(patterns, &[(0..patterns.len()).collect()], Matching::First, states_max)
    }

    /// Two starts, for the first pattern that matches: `starts()[0]` for patterns anchored at the start of a path,
    /// `starts()[1]` for floating ones, which begin with `**`. A group without patterns has start 0.
    ///
    /// # Errors
    /// As for [`Automaton::build`].
    pub fn split(patterns: &[Glob], states_max: usize) -> Result<Self, TooManyStates> {
        let (floating, anchored) = (0..patterns.len()).partition(|at| build::floats(&patterns[*at]));
        Self::compile(patterns, &[anchored, floating], Matching::First, states_max)
    }

    /// One start for each group of patterns, for the first of the group that matches. Groups share states where they can.
    ///
    /// # Errors
    /// As for [`Automaton::build`].
    pub(crate) fn groups(patterns: &[Glob], groups: &[Vec<usize>], states_max: usize) -> Result<Self, TooManyStates> {
        Self::compile(patterns, groups, Matching::First, states_max)
    }

    /// Can a match of the pattern begin anywhere in a path?
    pub(crate) fn floats(pattern: &Glob) -> bool {
        build::floats(pattern)
    }

    /// [`Automaton::split`], and by pattern how many states it adds to those that the patterns before it need, before equal ones
    /// are merged.
    ///
    /// # Errors
    /// As for [`Automaton::build`].
    pub(crate) fn counted(patterns: &[Glob], states_max: usize) -> Result<(Self, Vec<usize>), TooManyStates> {
        let (floating, anchored) = (0..patterns.len()).partition(|at| build::floats(&patterns[*at]));
        let groups = [anchored, floating];
        Self::compile_counted(patterns, &groups, Matching::First, states_max, Count::Added)
    }

    /// One start, for all patterns that match: what decides which rules apply to a program.
    ///
    /// # Errors
    /// As for [`Automaton::build`].
    pub fn all(patterns: &[Glob], states_max: usize) -> Result<Self, TooManyStates> {
        Self::compile(patterns, &[(0..patterns.len()).collect()], Matching::All, states_max)
    }

    fn compile(
        patterns: &[Glob],
        groups: &[Vec<usize>],
        matching: Matching,
        states_max: usize,
    ) -> Result<Self, TooManyStates> {
        Self::compile_counted(patterns, groups, matching, states_max, Count::Nothing).map(|(automaton, _)| automaton)
    }

    fn compile_counted(
        patterns: &[Glob],
        groups: &[Vec<usize>],
        matching: Matching,
        states_max: usize,
        count: Count,
    ) -> Result<(Self, Vec<usize>), TooManyStates> {
        // Each pattern more can only add states: the one that crossed the limit is found by halving.
        let up_to = |end: usize| {
            let groups: Vec<Vec<usize>> =
                groups.iter().map(|group| group.iter().copied().filter(|at| *at < end).collect()).collect();
            build::raw(patterns, &groups, matching, states_max, count)
        };
        if let Some(raw) = up_to(patterns.len()) {
            return Ok((minimise::tables(&raw), raw.added));
        }
        // From the front, as a build that fits costs less than one that goes to the limit.
        let (mut fits, mut crosses) = (0, 1);
        while crosses < patterns.len() && up_to(crosses).is_some() {
            (fits, crosses) = (crosses, (crosses * 2).min(patterns.len()));
        }
        while crosses - fits > 1 {
            let middle = usize::midpoint(fits, crosses);
            if up_to(middle).is_some() { fits = middle } else { crosses = middle }
        }
        let text = patterns[crosses - 1].as_str().to_owned();
        Err(TooManyStates { pattern: crosses - 1, text, states_max })
    }

    /// The column of each byte, from 1.
    pub fn classes(&self) -> &[u8; 256] {
        &self.classes
    }

    /// Words per row.
    pub fn columns(&self) -> u32 {
        self.columns
    }

    /// All rows.
    pub fn table(&self) -> &[u32] {
        &self.table
    }

    /// Start states, as offsets into the table.
    pub fn starts(&self) -> &[u32] {
        &self.starts
    }

    /// Number of states, the dead one included.
    pub fn states(&self) -> usize {
        self.table.len() / self.columns as usize
    }

    /// The patterns that can be first for some text; each other one has patterns before it that take all it could.
    pub fn reachable(&self) -> impl Iterator<Item = usize> {
        let accepts = self.table.iter().step_by(self.columns as usize);
        accepts.flat_map(|accept| self.set(*accept)).map(|pattern| *pattern as usize)
    }

    /// The patterns of an accept, in order; for the first-match forms that is one. Empty for 0.
    pub fn set(&self, accept: u32) -> &[u32] {
        self.sets.get(accept as usize).map_or(&[], Vec::as_slice)
    }

    /// Number of different accepts, 0 (nothing matches) included: they are `0..accepts()`.
    pub fn accepts(&self) -> usize {
        self.sets.len()
    }

    /// Walks the tables over a whole path: the smallest accept of all starts that isn't 0, else 0.
    pub fn accept(&self, path: &[u8]) -> u32 {
        let walk = |start: &u32| {
            let step = |state: u32, byte: &u8| {
                let next = self.table[state as usize + usize::from(self.classes[usize::from(*byte)])];
                if next == 0 { Err(()) } else { Ok(next) }
            };
            path.iter().try_fold(*start, step).map_or(0, |state| self.table[state as usize])
        };
        self.starts.iter().map(walk).filter(|accept| *accept != 0).min().unwrap_or(0)
    }

    /// Number of the first pattern that matches.
    pub fn run(&self, path: &[u8]) -> Option<usize> {
        self.set(self.accept(path)).first().map(|pattern| *pattern as usize)
    }
}

impl std::fmt::Debug for Automaton {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Automaton({} states, {} columns, starts {:?})", self.states(), self.columns, self.starts)
    }
}
