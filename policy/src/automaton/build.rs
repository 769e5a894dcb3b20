//! Patterns to sets of positions, and sets to states.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::Matching;
use crate::glob::{ByteSet, Glob, Token};

/// Sets of positions kept, in positions per state allowed: bounds memory, where few states have many positions.
const POSITIONS_PER_STATE: usize = 64;
/// Moves of a position over a byte class, per state allowed: bounds the time.
const MOVES_PER_STATE: usize = 128;

/// An automaton before equal states are merged. State 0 is dead.
pub(super) struct Raw {
    /// The column of each byte, from 0.
    pub(super) classes: [u8; 256],
    /// Number of columns.
    pub(super) width: usize,
    /// `width` successors per state.
    pub(super) next: Vec<u32>,
    /// Per state, an index into `sets`.
    pub(super) accept: Vec<u32>,
    /// What an accept stands for.
    pub(super) sets: Vec<Vec<u32>>,
    /// One per group.
    pub(super) starts: Vec<u32>,
    /// By pattern, how many states there are that would not be without it and those behind it; counted only if asked for.
    pub(super) added: Vec<usize>,
}

/// Whether to count which pattern adds how many states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Count {
    /// For judging.
    Nothing,
    /// For those who write policies.
    Added,
}

/// Can a match begin anywhere? Then the pattern is kept apart from those that begin at `/`.
pub(super) fn floats(pattern: &Glob) -> bool {
    pattern.alternatives().iter().any(|tokens| tokens.first() == Some(&Token::Deep))
}

/// A place in a pattern. Alternatives of a pattern share the places from which the same is still to come, so that `{a,b}`
/// doesn't double what is behind it: the places of a pattern are a tree, whose root is its end, numbered so that
/// whatever leads to a place follows it directly.
struct Position {
    /// `None`: the end, the pattern matches.
    token: Option<Token>,
    pattern: u32,
    /// The place behind the token.
    next: u32,
    /// First number behind the places that lead to this one.
    end: u32,
    /// Literal NULs still to come.
    nuls: u32,
}

/// No wildcard takes a NUL.
const KIND_NUL: usize = 0;
/// `**` takes a `/`.
const KIND_SLASH: usize = 1;
/// All wildcards take the rest.
const KIND_OTHER: usize = 2;

/// Where a state's positions lead.
struct Step {
    /// By wildcards, for each kind of class.
    wide: [Vec<u32>; 3],
    /// By literals and sets, for each class.
    own: Vec<Vec<u32>>,
}

struct Builder<'p> {
    patterns: &'p [Glob],
    positions: Vec<Position>,
    matching: Matching,
    classes: [u8; 256],
    /// One byte of each class.
    samples: Vec<u8>,
}

/// `None` when it would need more than `states_max` states, or work out of proportion to them.
pub(super) fn raw(
    patterns: &[Glob],
    groups: &[Vec<usize>],
    matching: Matching,
    states_max: usize,
    count: Count,
) -> Option<Raw> {
    let (classes, samples) = classes(patterns);
    let mut builder = Builder { patterns, positions: Vec::new(), matching, classes, samples };
    let starts: Vec<Vec<u32>> = groups.iter().map(|group| builder.enter_patterns(group)).collect();
    let width = builder.samples.len();
    let mut ids: HashMap<Vec<u32>, u32> = HashMap::from([(Vec::new(), 0)]);
    let mut states: Vec<Vec<u32>> = vec![Vec::new()];
    let mut kept = 0;
    let mut moves = 0;
    let mut id_of = |set: Vec<u32>, states: &mut Vec<Vec<u32>>| {
        if let Some(id) = ids.get(&set) {
            return Some(*id);
        }
        kept += set.len();
        let id = u32::try_from(states.len()).ok()?;
        if states.len() >= states_max || kept > states_max.saturating_mul(POSITIONS_PER_STATE) {
            return None;
        }
        ids.insert(set.clone(), id);
        states.push(set);
        Some(id)
    };
    let starts = starts.into_iter().map(|set| id_of(builder.close(set), &mut states)).collect::<Option<Vec<u32>>>()?;
    let mut next = vec![0; width];
    let mut at = 1;
    while at < states.len() {
        let step = builder.step(&states[at]);
        // Most classes are told apart by no position of a state, and lead to the same.
        let mut plain: [Option<u32>; 3] = [None; 3];
        for (class, own) in step.own.iter().enumerate() {
            let kind = builder.kind(class);
            if let (true, Some(id)) = (own.is_empty(), plain[kind]) {
                next.push(id);
                continue;
            }
            let set = [&step.wide[kind][..], own].concat();
            moves += set.len();
            if moves > states_max.saturating_mul(MOVES_PER_STATE) {
                return None;
            }
            let id = id_of(builder.close(set), &mut states)?;
            if own.is_empty() {
                plain[kind] = Some(id);
            }
            next.push(id);
        }
        at += 1;
    }
    let mut sets = Sets::new(patterns.len(), matching);
    let accept = states.iter().map(|set| sets.accept(builder.accepted(set))).collect();
    let added = match count {
        Count::Nothing => Vec::new(),
        Count::Added => builder.added(&states, &starts),
    };
    Some(Raw { classes, width, next, accept, sets: sets.list, starts, added })
}

impl Builder<'_> {
    /// Adds the positions of these patterns; the result is where they begin.
    fn enter_patterns(&mut self, group: &[usize]) -> Vec<u32> {
        group.iter().flat_map(|pattern| self.enter(*pattern)).collect()
    }

    fn enter(&mut self, pattern: usize) -> Vec<u32> {
        // The tree, by its edges away from the root; nodes are numbered as they come.
        let mut children: HashMap<(usize, Token), usize> = HashMap::new();
        let mut nodes: Vec<(Option<Token>, Vec<usize>)> = vec![(None, Vec::new())];
        let mut begins = Vec::new();
        for tokens in self.patterns[pattern].alternatives() {
            let mut node = 0;
            for &token in tokens.iter().rev() {
                let fresh = nodes.len();
                let child = *children.entry((node, token)).or_insert(fresh);
                if child == fresh {
                    nodes.push((Some(token), Vec::new()));
                    nodes[node].1.push(child);
                }
                node = child;
            }
            begins.push(node);
        }
        // Depth first.
        let base = self.positions.len();
        let mut numbers = vec![0; nodes.len()];
        let mut pending = vec![(0, number(base))];
        while let Some((node, next)) = pending.pop() {
            let own = number(self.positions.len());
            numbers[node] = own;
            let (token, children) = &nodes[node];
            let behind = self.positions.get(next as usize).map_or(0, |position| position.nuls);
            let nuls = behind + u32::from(*token == Some(Token::Byte(0)));
            self.positions.push(Position { token: *token, pattern: number(pattern), next, end: own + 1, nuls });
            pending.extend(children.iter().map(|child| (*child, own)));
        }
        for at in (base + 1..self.positions.len()).rev() {
            let Position { end, next, .. } = self.positions[at];
            let behind = &mut self.positions[next as usize].end;
            *behind = end.max(*behind);
        }
        begins.into_iter().map(|node| numbers[node]).collect()
    }

    /// The positions behind one byte, not yet closed.
    fn step(&self, set: &[u32]) -> Step {
        let mut step = Step { wide: [const { Vec::new() }; 3], own: vec![Vec::new(); self.samples.len()] };
        for &at in set {
            let position = &self.positions[at as usize];
            match position.token {
                Some(Token::Byte(byte)) => step.own[usize::from(self.classes[usize::from(byte)])].push(position.next),
                Some(Token::Set(index)) => {
                    let set = self.patterns[position.pattern as usize].set(index);
                    let inside = |(_, byte): &(usize, &u8)| set.contains(**byte);
                    for (class, _) in self.samples.iter().enumerate().filter(inside) {
                        step.own[class].push(position.next);
                    }
                }
                Some(Token::One) => step.wide[KIND_OTHER].push(position.next),
                Some(Token::Star) => step.wide[KIND_OTHER].push(at),
                Some(Token::Deep) => {
                    step.wide[KIND_OTHER].push(at);
                    step.wide[KIND_SLASH].push(at);
                }
                Some(Token::MaybeDirs) | None => {}
            }
        }
        step
    }

    /// What wildcards make of a class.
    fn kind(&self, class: usize) -> usize {
        match self.samples[class] {
            0 => KIND_NUL,
            b'/' => KIND_SLASH,
            _ => KIND_OTHER,
        }
    }

    /// Adds what is reached without a byte, and drops what changes nothing, so that sets that mean the same are equal.
    fn close(&self, mut set: Vec<u32>) -> Vec<u32> {
        let mut at = 0;
        while at < set.len() {
            let position = &self.positions[set[at] as usize];
            match position.token {
                Some(Token::Star | Token::Deep) => set.push(position.next),
                Some(Token::MaybeDirs) => {
                    let slash = self.positions[position.next as usize].next;
                    set.extend([position.next, self.positions[slash as usize].next]);
                }
                _ => {}
            }
            at += 1;
        }
        #[expect(
            clippy::stable_sort_primitive,
            reason = "it makes use of the sorted runs that the set is put together of"
        )]
        set.sort();
        set.dedup();
        set.retain(|at| self.positions[*at as usize].token != Some(Token::MaybeDirs));
        self.drop_absorbed(&mut set);
        self.drop_led(&mut set);
        if self.matching == Matching::First {
            let accepts = |at: &u32| self.positions[*at as usize].token.is_none();
            if let Some(first) = set.iter().copied().filter(|at| accepts(at)).min_by_key(|at| self.pattern(*at)) {
                set.retain(|at| !accepts(at) || *at == first);
            }
        }
        set
    }

    /// At a trailing `**` (there is one position of a pattern for it) the pattern has matched whatever follows (but a NUL): neither its own other positions nor, if the
    /// first match wins, those of later patterns matter any more.
    fn drop_absorbed(&self, set: &mut Vec<u32>) {
        let absorbing = |at: &u32| {
            let position = &self.positions[*at as usize];
            position.token == Some(Token::Deep) && self.positions[position.next as usize].token.is_none()
        };
        let mut done: Vec<u32> = set.iter().copied().filter(absorbing).collect();
        if self.matching == Matching::First {
            done.truncate(1);
        }
        for absorbing in done {
            let Position { pattern, next: end, .. } = self.positions[absorbing as usize];
            set.retain(|at| {
                let position = &self.positions[*at as usize];
                let same = position.pattern == pattern;
                let later = self.matching == Matching::First && position.pattern > pattern;
                *at == absorbing || *at == end || position.nuls > 0 || !(same || later)
            });
        }
    }

    /// At a `**` all positions that lead to it are of no use: what they would eat up to it, it eats too.
    /// Not across a literal NUL, which `**` doesn't eat. (Behind `/**/` one may have left the group out; but then a `/` came
    /// just before, which the group's own `**` and `/` eat as well.)
    fn drop_led(&self, set: &mut Vec<u32>) {
        // Ends, and literal NULs still to come, of those `**` whose followers are being looked at.
        let mut open: Vec<(u32, u32)> = Vec::new();
        set.retain(|at| {
            let position = &self.positions[*at as usize];
            while open.pop_if(|(end, _)| *end <= *at).is_some() {}
            if open.iter().any(|(_, nuls)| *nuls == position.nuls) {
                return false;
            }
            if position.token == Some(Token::Deep) {
                open.push((position.end, position.nuls));
            }
            true
        });
    }

    /// How many states each pattern adds to those of the patterns before it: states that differ in its positions alone.
    ///
    /// A state without the positions of later patterns is a state of the automaton without these, so what there would be up
    /// to each pattern is the number of different beginnings, and those make a tree.
    fn added(&self, states: &[Vec<u32>], starts: &[u32]) -> Vec<usize> {
        // Positions in which every floating pattern always is tell no states apart.
        let mut begun = vec![true; self.positions.len()];
        for at in starts.iter().flat_map(|start| &states[*start as usize]) {
            begun[*at as usize] = false;
        }
        let mut nodes: HashMap<(usize, Vec<u32>), usize> = HashMap::new();
        // By node: whether a state ends there, and how many nodes follow it for each pattern.
        let mut follow: Vec<(bool, BTreeMap<u32, usize>)> = vec![(false, BTreeMap::new())];
        for state in states {
            let mut own: Vec<u32> = state.iter().copied().filter(|at| begun[*at as usize]).collect();
            own.sort_unstable_by_key(|at| (self.pattern(*at), *at));
            let mut node = 0;
            for group in own.chunk_by(|a, b| self.pattern(*a) == self.pattern(*b)) {
                let fresh = follow.len();
                let next = *nodes.entry((node, group.to_vec())).or_insert(fresh);
                if next == fresh {
                    follow.push((false, BTreeMap::new()));
                    *follow[node].1.entry(self.pattern(group[0])).or_default() += 1;
                }
                node = next;
            }
            follow[node].0 = true;
        }
        let mut added = vec![0; self.patterns.len()];
        for (ends, followers) in follow {
            let last = followers.keys().last().copied();
            for (pattern, count) in followers {
                // The last to tell states apart does so from no others, unless one ends here.
                let others = ends || Some(pattern) != last;
                added[pattern as usize] += if others { count } else { count - 1 };
            }
        }
        added
    }

    fn pattern(&self, at: u32) -> u32 {
        self.positions[at as usize].pattern
    }

    fn accepted(&self, set: &[u32]) -> Vec<u32> {
        let matched = set.iter().filter(|at| self.positions[**at as usize].token.is_none());
        let mut patterns: Vec<u32> = matched.map(|at| self.pattern(*at)).collect();
        patterns.sort_unstable();
        patterns.dedup();
        patterns
    }
}

/// Sets of patterns, numbered.
struct Sets {
    list: Vec<Vec<u32>>,
    ids: HashMap<Vec<u32>, u32>,
}

impl Sets {
    fn new(patterns: usize, matching: Matching) -> Self {
        let mut sets = Self { list: Vec::new(), ids: HashMap::new() };
        sets.accept(Vec::new());
        if matching == Matching::First {
            // Accept n is pattern n - 1, whether it can be first or not.
            for pattern in 0..number(patterns) {
                sets.accept(vec![pattern]);
            }
        }
        sets
    }

    fn accept(&mut self, set: Vec<u32>) -> u32 {
        let id = number(self.list.len());
        *self.ids.entry(set).or_insert_with_key(|set| {
            self.list.push(set.clone());
            id
        })
    }
}

/// Bytes that no pattern tells apart share a class.
fn classes(patterns: &[Glob]) -> ([u8; 256], Vec<u8>) {
    let mut sets: HashSet<ByteSet> = HashSet::new();
    let mut literal = |byte: u8| {
        let mut set = ByteSet::default();
        set.insert(byte);
        sets.insert(set);
    };
    // Every wildcard tells these two from the rest.
    literal(b'/');
    literal(0);
    for token in patterns.iter().flat_map(Glob::alternatives).flat_map(|tokens| tokens.iter()) {
        if let Token::Byte(byte) = token {
            literal(*byte);
        }
    }
    sets.extend(patterns.iter().flat_map(Glob::sets));
    // Sorted, so that the same patterns always make the same tables.
    let mut sets: Vec<ByteSet> = sets.into_iter().collect();
    sets.sort_unstable();
    let mut classes = [0; 256];
    let mut samples = vec![0];
    for set in sets {
        // Each class with bytes on both sides of the set is parted in two.
        let mut split: HashMap<u8, u8> = HashMap::new();
        for byte in 0..=255 {
            let class: u8 = classes[usize::from(byte)];
            let sample = samples[usize::from(class)];
            if set.contains(byte) != set.contains(sample) {
                let fresh = *split.entry(class).or_insert_with(|| {
                    samples.push(byte);
                    u8::try_from(samples.len() - 1)
                        .expect("UTF-8 never has 13 of the 256 bytes, so these stay together")
                });
                classes[usize::from(byte)] = fresh;
            }
        }
    }
    (classes, samples)
}

fn number(n: usize) -> u32 {
    u32::try_from(n).expect("patterns are bounded far below 2^32 tokens")
}
