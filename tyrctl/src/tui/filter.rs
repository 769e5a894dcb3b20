//! The filter language of `/` and `--filter`.
//!
//! ```text
//! filter  = or ;  or = and { ("or" | "|") and } ;  and = not { ["and" | "&"] not } ;  not = ("not" | "!") not | atom
//! atom    = "(" or ")" | field op value | word
//! op      = ":" contains, or a glob with * and ? | "=" | "!=" | ">" | ">=" | "<" | "<="
//! value   = word | 'quoted' | "quoted" | a,b,c (any of) ;  ages as 90s 5m 2h 1d, versions as 41 or v41
//! ```
//!
//! A bare word is looked for in all text of a row, whatever its case. A term about a field that a kind of row doesn't have says nothing about
//! it: with `kind=exec` agents stay listed, and so one filter serves all views.

use std::borrow::Cow;
use std::fmt;

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
            /// All of them: name, and what it is.
            pub const ALL: &'static [(&'static str, Self, &'static str)] = &[$(($name, Self::$variant, $doc)),+];

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
}

#[derive(Clone, Debug, PartialEq)]
enum Wanted {
    Text(String),
    Number(i64),
}

impl Filter {
    /// Understands a filter; the empty text wants everything.
    ///
    /// # Errors
    /// Says what is wrong at which character.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        if text.len() > FILTER_BYTES_MAX {
            return Err(FilterError { at: 0, message: format!("a filter has at most {FILTER_BYTES_MAX} bytes") });
        }
        let mut parser = Parser { tokens: tokens(text)?, at: 0, end: text.chars().count(), depth: 0 };
        let root = if parser.tokens.is_empty() { None } else { Some(parser.or()?) };
        if let Some(token) = parser.tokens.get(parser.at) {
            return Err(FilterError { at: token.at, message: "a bracket is closed that was not opened".to_owned() });
        }
        Ok(Self { text: text.trim().to_owned(), root })
    }

    /// As it was typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it wants everything.
    pub fn is_empty(&self) -> bool {
        self.root.is_none()
    }

    /// Whether a row is wanted.
    pub fn wants(&self, row: &dyn Row) -> bool {
        // What says nothing about a row doesn't hide it.
        self.root.as_ref().is_none_or(|root| root.judge(row).unwrap_or(true))
    }
}

impl Node {
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
                Some(if *op == Op::NotEqual { !any } else { any })
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
            },
            (Value::Number(have), Wanted::Number(wanted)) => match self {
                Self::Contains | Self::Equal | Self::NotEqual => have == wanted,
                Self::Less => have < wanted,
                Self::LessOrEqual => have <= wanted,
                Self::Greater => have > wanted,
                Self::GreaterOrEqual => have >= wanted,
            },
            _ => false,
        }
    }
}

/// Whether `text` contains `word`, whatever the case of ASCII letters; without making a copy.
fn contains(text: &str, word: &str) -> bool {
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
fn version_order(a: &str, b: &str) -> std::cmp::Ordering {
    let parts = |text: &str| -> Vec<Result<u64, String>> {
        text.split(|c: char| !c.is_ascii_alphanumeric())
            .map(|part| part.parse().map_err(|_| part.to_ascii_lowercase()))
            .collect()
    };
    parts(a).cmp(&parts(b))
}

#[derive(Clone, Debug, PartialEq)]
struct Token {
    at: usize,
    what: What,
}

#[derive(Clone, Debug, PartialEq)]
enum What {
    Open,
    Close,
    Not,
    And,
    Or,
    /// A word; quoted ones are never operators.
    Word(String),
    Term {
        name: String,
        op: Op,
        values: Vec<String>,
        value_at: usize,
    },
}

fn tokens(text: &str) -> Result<Vec<Token>, FilterError> {
    let chars: Vec<char> = text.chars().collect();
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        let start = at;
        let what = match c {
            c if c.is_whitespace() => {
                at += 1;
                continue;
            }
            '(' => What::Open,
            ')' => What::Close,
            '|' => What::Or,
            '&' => What::And,
            '!' => What::Not,
            '\'' | '"' => {
                let word;
                (word, at) = quoted(&chars, at)?;
                out.push(Token { at: start, what: What::Word(word) });
                continue;
            }
            _ => {
                let name;
                (name, at) = bare(&chars, at, "()|&\"':=!<>");
                if name.is_empty() {
                    let message = format!("`{c}` needs a field before it, as in kind=exec");
                    return Err(FilterError { at: start, message });
                }
                let Some((op, after)) = operator(&chars, at) else {
                    let what = match name.as_str() {
                        "or" => What::Or,
                        "and" => What::And,
                        "not" => What::Not,
                        _ => What::Word(name),
                    };
                    out.push(Token { at: start, what });
                    continue;
                };
                let value_at = after;
                let mut values = Vec::new();
                at = after;
                loop {
                    let value;
                    (value, at) = match chars.get(at) {
                        Some('\'' | '"') => quoted(&chars, at)?,
                        _ => bare(&chars, at, "()|&,"),
                    };
                    if value.is_empty() {
                        return Err(FilterError { at, message: format!("a value is missing after `{name}`") });
                    }
                    values.push(value);
                    if chars.get(at) != Some(&',') {
                        break;
                    }
                    at += 1;
                }
                out.push(Token { at: start, what: What::Term { name, op, values, value_at } });
                continue;
            }
        };
        at += 1;
        out.push(Token { at: start, what });
    }
    Ok(out)
}

fn bare(chars: &[char], from: usize, stop: &str) -> (String, usize) {
    let word: String = chars[from..].iter().take_while(|c| !c.is_whitespace() && !stop.contains(**c)).collect();
    let end = from + word.chars().count();
    (word, end)
}

fn quoted(chars: &[char], from: usize) -> Result<(String, usize), FilterError> {
    let quote = chars[from];
    let word: String = chars[from + 1..].iter().take_while(|c| **c != quote).collect();
    let end = from + 1 + word.chars().count();
    if end >= chars.len() {
        return Err(FilterError { at: from, message: format!("the quote {quote} is not closed") });
    }
    Ok((word, end + 1))
}

fn operator(chars: &[char], at: usize) -> Option<(Op, usize)> {
    let next = chars.get(at + 1);
    Some(match chars.get(at)? {
        ':' => (Op::Contains, at + 1),
        '=' => (Op::Equal, at + 1),
        '!' if next == Some(&'=') => (Op::NotEqual, at + 2),
        '<' if next == Some(&'=') => (Op::LessOrEqual, at + 2),
        '>' if next == Some(&'=') => (Op::GreaterOrEqual, at + 2),
        '<' => (Op::Less, at + 1),
        '>' => (Op::Greater, at + 1),
        _ => return None,
    })
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    end: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> Option<&What> {
        self.tokens.get(self.at).map(|token| &token.what)
    }

    fn or(&mut self) -> Result<Node, FilterError> {
        let mut nodes = vec![self.and()?];
        while self.peek() == Some(&What::Or) {
            self.at += 1;
            nodes.push(self.and()?);
        }
        Ok(one_or(nodes, Node::Or))
    }

    fn and(&mut self) -> Result<Node, FilterError> {
        let mut nodes = vec![self.not()?];
        loop {
            match self.peek() {
                Some(What::And) => self.at += 1,
                None | Some(What::Or | What::Close) => return Ok(one_or(nodes, Node::And)),
                Some(_) => {}
            }
            nodes.push(self.not()?);
        }
    }

    fn not(&mut self) -> Result<Node, FilterError> {
        let Some(token) = self.tokens.get(self.at).cloned() else {
            return Err(FilterError { at: self.end, message: "something is missing here".to_owned() });
        };
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(FilterError { at: token.at, message: format!("nested deeper than {DEPTH_MAX}") });
        }
        self.at += 1;
        let node = match token.what {
            What::Not => Node::Not(Box::new(self.not()?)),
            What::Open => {
                let inner = self.or()?;
                if self.peek() != Some(&What::Close) {
                    return Err(FilterError { at: token.at, message: "this bracket is not closed".to_owned() });
                }
                self.at += 1;
                inner
            }
            What::Word(word) => Node::Word(word),
            What::Term { name, op, values, value_at } => term(token.at, &name, op, values, value_at)?,
            What::Close | What::And | What::Or => {
                return Err(FilterError {
                    at: token.at,
                    message: "a word or a term is missing before this".to_owned(),
                });
            }
        };
        self.depth -= 1;
        Ok(node)
    }
}

fn one_or(mut nodes: Vec<Node>, join: fn(Vec<Node>) -> Node) -> Node {
    if nodes.len() == 1 { nodes.remove(0) } else { join(nodes) }
}

fn term(at: usize, name: &str, op: Op, values: Vec<String>, value_at: usize) -> Result<Node, FilterError> {
    let Some((_, field, _)) = Field::ALL.iter().find(|(known, ..)| known.eq_ignore_ascii_case(name)) else {
        let near = Field::ALL
            .iter()
            .map(|(known, ..)| *known)
            .max_by(|a, b| strsim::jaro_winkler(a, name).total_cmp(&strsim::jaro_winkler(b, name)));
        let message = match near {
            Some(near) if strsim::jaro_winkler(near, name) > 0.7 => {
                format!("unknown field {name}; did you mean {near}?")
            }
            _ => {
                let all: Vec<_> = Field::ALL.iter().map(|(known, ..)| *known).collect();
                format!("unknown field {name}; there are {}", all.join(", "))
            }
        };
        return Err(FilterError { at, message });
    };
    let values = values.into_iter().map(|value| wanted(*field, value, value_at)).collect::<Result<_, _>>()?;
    Ok(Node::Term { field: *field, op, values })
}

fn wanted(field: Field, value: String, at: usize) -> Result<Wanted, FilterError> {
    let number = |text: &str, what: &str| {
        text.parse().map(Wanted::Number).map_err(|_| FilterError { at, message: format!("`{value}` is no {what}") })
    };
    match field.kind() {
        Type::Text => Ok(Wanted::Text(value)),
        Type::Number => number(&value, "number"),
        Type::Version => number(value.strip_prefix(['v', 'V']).unwrap_or(&value), "policy version, as 41 or v41"),
        Type::Age => age_seconds(&value)
            .map(Wanted::Number)
            .ok_or_else(|| FilterError { at, message: format!("`{value}` is no age, as 90s 5m 2h 1d") }),
    }
}

fn age_seconds(text: &str) -> Option<i64> {
    let unit = match text.chars().last()? {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        '0'..='9' => return text.parse().ok(),
        _ => return None,
    };
    text[..text.len() - 1].parse::<i64>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::{Field, Filter, Row, Value};

    struct Exec;

    impl Row for Exec {
        fn field(&self, field: Field) -> Option<Value<'_>> {
            match field {
                Field::Kind => Some(Value::Text("exec".into())),
                Field::Resource => Some(Value::Text("/usr/bin/Sudo".into())),
                Field::Policy => Some(Value::Number(41)),
                Field::Age => Some(Value::Number(95)),
                Field::Rule => Some(Value::Nothing),
                Field::Kernel => Some(Value::Text("6.1.0-26".into())),
                _ => None,
            }
        }

        fn any_text(&self, predicate: &dyn Fn(&str) -> bool) -> bool {
            ["exec", "/usr/bin/Sudo"].into_iter().any(predicate)
        }
    }

    #[test]
    fn wants_what_it_says() {
        for (text, wanted) in [
            ("", true),
            ("sudo", true),
            ("SUDO exec", true),
            ("sudo nothing", false),
            ("sudo or nothing", true),
            ("not sudo", false),
            ("!nothing", true),
            ("kind=exec", true),
            ("kind!=exec,file_read", false),
            ("kind=file_read,exec", true),
            ("resource:bin", true),
            ("resource:/usr/*do", true),
            ("resource:*bin", false),
            ("resource='/usr/bin/sudo'", true),
            ("policy=v41", true),
            ("policy<41", false),
            ("age>90s and age<2m", true),
            ("age>=1h", false),
            ("kernel<6.12", true),
            ("kernel>6.0", true),
            ("rule=x", false),
            ("rule!=x", true),
            ("(kind=exec | kind=file_read) & !(policy>41)", true),
            // Says nothing about this kind of row, so it doesn't hide it; beside something that does, that decides.
            ("lost>3", true),
            ("not lost>3", true),
            ("lost>3 nothing", false),
            ("'or'", false),
        ] {
            let filter = Filter::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(filter.wants(&Exec), wanted, "{text}");
        }
    }

    #[test]
    fn errors_say_where_and_what() {
        for (text, at, message) in [
            ("kind=exec knid=x", 10, "unknown field knid; did you mean kind?"),
            ("(a or b", 0, "this bracket is not closed"),
            ("a )", 2, "a bracket is closed that was not opened"),
            ("a or", 4, "something is missing here"),
            ("or a", 0, "a word or a term is missing before this"),
            ("policy=new", 7, "`new` is no policy version, as 41 or v41"),
            ("age>soon", 4, "`soon` is no age, as 90s 5m 2h 1d"),
            ("kind=", 5, "a value is missing after `kind`"),
            ("=x", 0, "`=` needs a field before it, as in kind=exec"),
            ("'abc", 0, "the quote ' is not closed"),
        ] {
            let error = Filter::parse(text).unwrap_err();
            assert_eq!((error.at, error.message.as_str()), (at, message), "{text}");
        }
        assert!(Filter::parse(&"(".repeat(1_000)).is_err());
        assert!(Filter::parse(&"x".repeat(2_000)).is_err());
    }

    proptest! {
        #[test]
        fn takes_any_text(text in any::<String>()) {
            if let Ok(filter) = Filter::parse(&text) {
                filter.wants(&Exec);
            }
        }

        #[test]
        fn takes_any_text_made_of_its_own_signs(text in "[a( )|&!:=<>,'\"*?kind]{0,40}") {
            if let Ok(filter) = Filter::parse(&text) {
                filter.wants(&Exec);
            }
        }
    }
}
