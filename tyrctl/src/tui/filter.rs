//! The filter language of `/` and `--filter`.
//!
//! ```text
//! filter  = or ;  or = and { ("or" | "|") and } ;  and = not { ["and" | "&"] not } ;  not = ("not" | "!") not | atom
//! atom    = "(" or ")" | field op value | word
//! op      = ":" contains, or a glob with * and ? | "=" | "!=" | ">" | ">=" | "<" | "<=" | "~" regular expression | "!~"
//! value   = word | 'quoted' | "quoted" | a,b,c (any of) ;  ages as 90s 5m 2h 1d, versions as 41 or v41
//! since 2h is short for age<=2h
//! ```
//!
//! A bare word is looked for in all text of a row, whatever its case. A term about a field that a kind of row doesn't have says nothing about
//! it: with `kind=exec` agents stay listed, and so one filter serves all views.

mod complete;
mod parse;
mod print;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;

use regex::Regex;

pub use complete::{Completion, complete};

/// Longest filter, in bytes.
pub const FILTER_BYTES_MAX: usize = 1_024;
/// Deepest nesting of brackets and negations.
pub const DEPTH_MAX: usize = 16;

/// What a field is compared as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Type {
    Text,
    Number,
    /// Seconds.
    Age,
    /// A number that may have a `v` before it.
    Version,
}

macro_rules! fields {
    ($($variant:ident $name:literal $type:ident $doc:literal;)+) => {
        /// What a term can ask for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Field { $(#[doc = $doc] $variant),+ }

        impl Field {
            /// All of them: name, and what it is, in words.
            pub const ALL: &'static [(&'static str, Self, &'static str)] = &[$(($name, Self::$variant, $doc)),+];

            /// As it's typed.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            const fn kind(self) -> Type {
                match self { $(Self::$variant => Type::$type),+ }
            }
        }
    };
}

fields! {
    Agent "agent" Text "agent's name";
    State "state" Text "online, late, stale, offline, ...";
    Age "age" Age "time since an agent was heard from, or since an event";
    Kernel "kernel" Text "kernel release";
    Posture "posture" Text "enforcing, partial, observing, blind";
    Policy "policy" Version "policy version";
    Lost "lost" Number "events lost";
    Ai "ai" Number "AI processes";
    Kind "kind" Text "file_read, file_write, exec, net_connect, tls_connect";
    Verdict "verdict" Text "allow, deny, alert";
    Server "server" Text "the server's verdict";
    Severity "severity" Text "low, medium, high, critical";
    Type "type" Text "agent type: claude-code, cursor, ...";
    Resource "resource" Text "path, address:port or server name";
    Rule "rule" Text "rule that decided";
    Reason "reason" Text "reason of a drift";
    Pid "pid" Number "process id";
    Exe "exe" Text "executable";
    Cmdline "cmdline" Text "arguments";
}

/// A row's value of a field.
#[derive(Clone, Debug)]
pub enum Value<'a> {
    /// For text fields.
    Text(Cow<'a, str>),
    /// For numbers, ages in seconds, versions.
    Number(i64),
    /// The row has the field, but nothing in it.
    Nothing,
}

/// Something that can be filtered.
pub trait Row {
    /// The value of a field; absent where this kind of row has no such field.
    fn field(&self, field: Field) -> Option<Value<'_>>;
    /// Whether some visible text satisfies the predicate.
    fn any_text(&self, predicate: &dyn Fn(&str) -> bool) -> bool;
}

/// What is wrong with a filter, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterError {
    /// Place in the text, in characters.
    pub at: usize,
    /// One sentence with the remedy.
    pub message: String,
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (at character {})", self.message, self.at + 1)
    }
}

impl std::error::Error for FilterError {}

/// A filter that was understood.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    text: String,
    root: Option<Node>,
}

#[derive(Clone, Debug, PartialEq)]
enum Node {
    Or(Vec<Node>),
    And(Vec<Node>),
    Not(Box<Node>),
    Word(String),
    Term { field: Field, op: Op, values: Vec<Wanted> },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Op {
    Contains,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Matches,
    MatchesNot,
}

#[derive(Clone, Debug)]
enum Wanted {
    Text(String),
    Number(i64),
    Pattern(Regex),
}

impl PartialEq for Wanted {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Text(a), Self::Text(b)) => a == b,
            (Self::Number(a), Self::Number(b)) => a == b,
            (Self::Pattern(a), Self::Pattern(b)) => a.as_str() == b.as_str(),
            _ => false,
        }
    }
}

impl Filter {
    /// Understands a filter; the empty text wants everything.
    ///
    /// # Errors
    /// Says what is wrong at which character.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        Ok(Self { text: text.trim().to_owned(), root: parse::parse(text)? })
    }

    /// As it was typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it wants everything.
    pub fn is_empty(&self) -> bool {
        self.root.is_none()
    }

    /// The texts that it looks for, not those that must be absent.
    pub fn words(&self) -> Vec<&str> {
        let mut words = Vec::new();
        if let Some(root) = &self.root {
            root.words(&mut words);
        }
        words
    }

    /// Whether the same row may be wanted now and not a second later, or the other way round.
    pub fn depends_on_time(&self) -> bool {
        self.root.as_ref().is_some_and(Node::depends_on_time)
    }

    /// The terms that must all hold and that name exact words (`field=a,b`), and whether that is the whole filter.
    pub fn exact(&self) -> (Vec<(Field, Vec<&str>)>, bool) {
        let nodes = match &self.root {
            None => return (Vec::new(), true),
            Some(Node::And(nodes)) => &nodes[..],
            Some(node) => std::slice::from_ref(node),
        };
        let exact = nodes.iter().map(|node| match node {
            Node::Term { field, op: Op::Equal, values } => {
                let words = values.iter().map(|value| match value {
                    Wanted::Text(text) => Some(&**text),
                    Wanted::Number(_) | Wanted::Pattern(_) => None,
                });
                words.collect::<Option<Vec<_>>>().map(|words| (*field, words))
            }
            _ => None,
        });
        let found: Vec<_> = exact.collect();
        let whole = found.iter().all(Option::is_some);
        (found.into_iter().flatten().collect(), whole)
    }

    /// Whether a row is wanted.
    pub fn wants(&self, row: &dyn Row) -> bool {
        // What says nothing about a row doesn't hide it.
        self.root.as_ref().is_none_or(|root| root.judge(row).unwrap_or(true))
    }
}

impl Node {
    fn words<'w>(&'w self, words: &mut Vec<&'w str>) {
        match self {
            Self::Or(nodes) | Self::And(nodes) => nodes.iter().for_each(|node| node.words(words)),
            Self::Word(word) => words.push(word),
            Self::Term { op: Op::Contains | Op::Equal, values, .. } => {
                words.extend(values.iter().filter_map(|value| match value {
                    Wanted::Text(text) => Some(text.trim_matches(['*', '?'])).filter(|text| !text.is_empty()),
                    Wanted::Number(_) | Wanted::Pattern(_) => None,
                }));
            }
            Self::Not(_) | Self::Term { .. } => {}
        }
    }

    fn depends_on_time(&self) -> bool {
        match self {
            Self::Or(nodes) | Self::And(nodes) => nodes.iter().any(Self::depends_on_time),
            Self::Not(node) => node.depends_on_time(),
            Self::Word(_) => false,
            Self::Term { field, .. } => *field == Field::Age,
        }
    }

    /// Three-valued: absent where the row lacks the fields to decide.
    fn judge(&self, row: &dyn Row) -> Option<bool> {
        match self {
            Self::Or(nodes) => fold(nodes, row, true),
            Self::And(nodes) => fold(nodes, row, false),
            Self::Not(node) => node.judge(row).map(|holds| !holds),
            Self::Word(word) => Some(row.any_text(&|text| contains(text, word))),
            Self::Term { field, op, values } => {
                let have = row.field(*field)?;
                let any = values.iter().any(|wanted| op.holds(&have, wanted));
                // `kind!=a,b` means neither of them.
                Some(if matches!(op, Op::NotEqual | Op::MatchesNot) { !any } else { any })
            }
        }
    }
}

/// Kleene's "or" (`decides` true) and "and" (`decides` false).
fn fold(nodes: &[Node], row: &dyn Row, decides: bool) -> Option<bool> {
    let mut known = Some(!decides);
    for node in nodes {
        match node.judge(row) {
            Some(holds) if holds == decides => return Some(decides),
            Some(_) => {}
            None => known = None,
        }
    }
    known
}

impl Op {
    fn holds(self, have: &Value<'_>, wanted: &Wanted) -> bool {
        match (have, wanted) {
            (Value::Text(have), Wanted::Text(wanted)) => match self {
                Self::Contains if wanted.contains(['*', '?']) => glob(wanted, have),
                Self::Contains => contains(have, wanted),
                Self::Equal | Self::NotEqual => have.eq_ignore_ascii_case(wanted),
                Self::Less => version_order(have, wanted).is_lt(),
                Self::LessOrEqual => version_order(have, wanted).is_le(),
                Self::Greater => version_order(have, wanted).is_gt(),
                Self::GreaterOrEqual => version_order(have, wanted).is_ge(),
                Self::Matches | Self::MatchesNot => false,
            },
            (Value::Text(have), Wanted::Pattern(wanted)) => wanted.is_match(have),
            (Value::Number(have), Wanted::Number(wanted)) => match self {
                Self::Contains | Self::Equal | Self::NotEqual => have == wanted,
                Self::Less => have < wanted,
                Self::LessOrEqual => have <= wanted,
                Self::Greater => have > wanted,
                Self::GreaterOrEqual => have >= wanted,
                Self::Matches | Self::MatchesNot => false,
            },
            _ => false,
        }
    }
}

/// Whether `text` contains `word`, whatever the case of ASCII letters; without making a copy.
pub fn contains(text: &str, word: &str) -> bool {
    let (text, word) = (text.as_bytes(), word.as_bytes());
    word.is_empty() || text.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word))
}

/// Whether all of `text` matches; `*` is any text, `?` any character.
fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(c) if *c == '?' || c.eq_ignore_ascii_case(&text[t]) => {
                p += 1;
                t += 1;
            }
            // Give the last star one character more.
            _ => match &mut star {
                Some((at, from)) => {
                    *from += 1;
                    (p, t) = (*at + 1, *from);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

/// Orders `6.1.0-26` before `6.12`: numbers as numbers, the rest as text.
pub fn version_order(a: &str, b: &str) -> std::cmp::Ordering {
    let parts = |text: &str| -> Vec<Result<u64, String>> {
        text.split(|c: char| !c.is_ascii_alphanumeric())
            .map(|part| part.parse().map_err(|_| part.to_ascii_lowercase()))
            .collect()
    };
    parts(a).cmp(&parts(b))
}
