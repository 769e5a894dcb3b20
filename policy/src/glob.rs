//! Patterns over paths: [`Glob`] says what they mean.

mod parse;
#[cfg(test)]
mod tests;

use std::fmt;

/// Longest pattern, in bytes.
pub const GLOB_BYTES_MAX: usize = 512;
/// Most patterns without `{a,b}` and `~` that one pattern may stand for.
pub const GLOB_ALTERNATIVES_MAX: usize = 64;
/// Most tokens that these may have together: bounds the memory of one pattern at 32 KiB.
pub const GLOB_TOKENS_MAX: usize = 8192;

/// One checked pattern over paths.
///
/// | written | stands for |
/// |---|---|
/// | `?` | one byte other than `/` |
/// | `*` | any bytes without `/`, also none; a dot at the start of a name is nothing special |
/// | `[a-z_]`, `[!a-z]`, `[^a-z]` | one ASCII byte of the set, or one byte that is not, never `/` |
/// | `**` | any bytes, `/` too |
/// | `/**/` | one or more directories' worth of anything, also none: `/a/**/b` matches `/a/b` and `/a/x/y/b` |
/// | `{a,b}` | either; may be nested |
/// | `~` at the start | every home: `/root` and `/home/*` |
/// | `\` and a character | that character |
/// | `*` as the whole pattern | anything |
///
/// `/x/**` is everything below `/x`, not `/x` itself; `/x{,/**}` is both. Patterns match the whole path, byte by byte.
/// No wildcard matches a NUL byte, which no path has; so a pattern with a literal NUL has fields that don't run into each other.
#[derive(Clone, PartialEq, Eq)]
pub struct Glob {
    text: String,
    /// The pattern without braces and `~`; matches if any of them does.
    alternatives: Vec<Box<[Token]>>,
    sets: Vec<ByteSet>,
}

/// One step of a pattern without alternatives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Token {
    /// This byte.
    Byte(u8),
    /// One byte but `/` and NUL.
    One,
    /// One byte of [`Glob::set`].
    Set(u16),
    /// Any bytes but `/` and NUL.
    Star,
    /// Any bytes but NUL.
    Deep,
    /// The next two tokens, `Deep` and `/`, may be left out. Always behind a `/`.
    MaybeDirs,
}

/// A set of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Hash, PartialOrd, Ord)]
pub(crate) struct ByteSet([u64; 4]);

impl ByteSet {
    pub(crate) fn insert(&mut self, byte: u8) {
        self.0[usize::from(byte >> 6)] |= 1 << (byte & 63);
    }

    pub(crate) fn remove(&mut self, byte: u8) {
        self.0[usize::from(byte >> 6)] &= !(1 << (byte & 63));
    }

    pub(crate) fn contains(&self, byte: u8) -> bool {
        self.0[usize::from(byte >> 6)] >> (byte & 63) & 1 == 1
    }

    pub(crate) fn complement(self) -> Self {
        Self(self.0.map(|word| !word))
    }
}

/// Why a text is no pattern. Offsets are in bytes from the start of the pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GlobError {
    /// Nothing to match.
    #[error("the pattern is empty")]
    Empty,
    /// Longer than [`GLOB_BYTES_MAX`].
    #[error("a pattern of {bytes} bytes is longer than {GLOB_BYTES_MAX}")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// A backslash with nothing behind it.
    #[error("the pattern ends in a single `\\`")]
    TrailingBackslash,
    /// `[` without `]`.
    #[error("`[` at byte {at} has no `]`")]
    UnclosedSet {
        /// Offset.
        at: usize,
    },
    /// A character in a set that is more than one byte.
    #[error("the set at byte {at} holds a character that is not ASCII")]
    SetNotAscii {
        /// Offset.
        at: usize,
    },
    /// `[z-a]`.
    #[error("the set at byte {at} has a range that ends before it begins")]
    SetReversed {
        /// Offset.
        at: usize,
    },
    /// A set such as `[/]`, which no byte is in.
    #[error("the set at byte {at} can never match: sets don't match `/`")]
    SetEmpty {
        /// Offset.
        at: usize,
    },
    /// `{` without `}`.
    #[error("`{{` at byte {at} has no `}}`")]
    UnclosedBrace {
        /// Offset.
        at: usize,
    },
    /// `}` without `{`.
    #[error("`}}` at byte {at} has no `{{`")]
    UnopenedBrace {
        /// Offset.
        at: usize,
    },
    /// Braces in braces in braces.
    #[error("`{{` at byte {at} is nested more than 8 deep")]
    TooDeep {
        /// Offset.
        at: usize,
    },
    /// More than [`GLOB_ALTERNATIVES_MAX`] or [`GLOB_TOKENS_MAX`].
    #[error(
        "`{{…}}` and `~` expand the pattern to more than {GLOB_ALTERNATIVES_MAX} alternatives or {GLOB_TOKENS_MAX} steps"
    )]
    TooManyAlternatives,
    /// `~user`.
    #[error("`~` stands for every home and must be followed by `/`")]
    Home,
}

impl Glob {
    /// Reads a pattern.
    ///
    /// # Errors
    /// See [`GlobError`]; the cost is bounded whatever the text.
    pub fn parse(text: &str) -> Result<Self, GlobError> {
        parse::glob(text)
    }

    /// The pattern as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Does the whole path match? The plain matcher: linear in the path for each alternative.
    pub fn matches(&self, path: &[u8]) -> bool {
        self.alternatives.iter().any(|tokens| self.walk(tokens, path))
    }

    /// Does every path match (which has no NUL)?
    pub fn is_any(&self) -> bool {
        self.alternatives.iter().any(|tokens| matches!(tokens[..], [Token::Deep]))
    }

    /// Can a path match, beginning with `/` as it does? What can't is a mistake, as in `README.md` for `**/README.md`.
    pub fn can_match_absolute(&self) -> bool {
        self.alternatives.iter().all(|tokens| {
            let first = tokens.iter().find(|t| !matches!(t, Token::Star));
            matches!(first, Some(Token::Byte(b'/') | Token::Deep))
        })
    }

    /// Number of tokens: what the pattern costs in memory and at most in positions of an automaton.
    pub fn tokens(&self) -> usize {
        self.alternatives.iter().map(|tokens| tokens.len()).sum()
    }

    pub(crate) fn alternatives(&self) -> &[Box<[Token]>] {
        &self.alternatives
    }

    pub(crate) fn sets(&self) -> impl Iterator<Item = ByteSet> {
        self.sets.iter().copied()
    }

    pub(crate) fn set(&self, index: u16) -> &ByteSet {
        &self.sets[usize::from(index)]
    }

    fn walk(&self, tokens: &[Token], path: &[u8]) -> bool {
        // Most patterns differ from most paths in their first or last bytes: settle those without a set of positions.
        let Some((tokens, path)) = literal_ends(tokens, path) else { return false };
        if let [] | [Token::Deep] = tokens {
            return if tokens.is_empty() { path.is_empty() } else { !path.contains(&0) };
        }
        let mut now = vec![false; tokens.len() + 1];
        let mut next = now.clone();
        enter(tokens, &mut now, 0);
        for &byte in path {
            next.fill(false);
            for (at, token) in tokens.iter().enumerate().filter(|(at, _)| now[*at]) {
                match *token {
                    Token::Byte(own) if own == byte => enter(tokens, &mut next, at + 1),
                    Token::One if byte != b'/' && byte != 0 => enter(tokens, &mut next, at + 1),
                    Token::Set(set) if self.set(set).contains(byte) => enter(tokens, &mut next, at + 1),
                    Token::Star if byte != b'/' && byte != 0 => enter(tokens, &mut next, at),
                    Token::Deep if byte != 0 => enter(tokens, &mut next, at),
                    _ => {}
                }
            }
            std::mem::swap(&mut now, &mut next);
        }
        now[tokens.len()]
    }
}

/// Takes off the literal bytes at both ends; `None` if they differ.
///
/// The end is left alone behind a `MaybeDirs`, whose `/` may be taken twice otherwise.
fn literal_ends<'t, 'p>(mut tokens: &'t [Token], mut path: &'p [u8]) -> Option<(&'t [Token], &'p [u8])> {
    while let [Token::Byte(own), rest @ ..] = tokens {
        let (first, tail) = path.split_first()?;
        if own != first {
            return None;
        }
        (tokens, path) = (rest, tail);
    }
    while let [rest @ .., Token::Byte(own)] = tokens {
        if matches!(rest, [.., Token::MaybeDirs, Token::Deep]) {
            break;
        }
        let (last, head) = path.split_last()?;
        if own != last {
            return None;
        }
        (tokens, path) = (rest, head);
    }
    Some((tokens, path))
}

/// Marks a position and those that are reached from it without a byte.
fn enter(tokens: &[Token], positions: &mut [bool], mut at: usize) {
    loop {
        positions[at] = true;
        match tokens.get(at) {
            Some(Token::Star | Token::Deep) => at += 1,
            Some(Token::MaybeDirs) => {
                // `/**/**/` has the next group right behind: bounded by the length of a pattern.
                enter(tokens, positions, at + 3);
                at += 1;
            }
            _ => return,
        }
    }
}

impl fmt::Debug for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Glob({:?})", self.text)
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
