//! From text to what it means.

use regex::RegexBuilder;

use super::{DEPTH_MAX, FILTER_BYTES_MAX, Field, FilterError, Node, Op, Type, Wanted};

/// Largest compiled regular expression, in bytes.
const PATTERN_BYTES_MAX: usize = 1 << 20;

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
    /// `since`, unquoted: an age if one follows, else a word.
    Since,
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
                (name, at) = bare(&chars, at, "()|&\"':=!<>~");
                if name.is_empty() {
                    let message = format!("`{c}` needs a field before it, as in kind=exec");
                    return Err(FilterError { at: start, message });
                }
                let Some((op, after)) = operator(&chars, at) else {
                    let what = match name.as_str() {
                        "or" => What::Or,
                        "and" => What::And,
                        "not" => What::Not,
                        "since" => What::Since,
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
        '!' if next == Some(&'~') => (Op::MatchesNot, at + 2),
        '~' => (Op::Matches, at + 1),
        '<' if next == Some(&'=') => (Op::LessOrEqual, at + 2),
        '>' if next == Some(&'=') => (Op::GreaterOrEqual, at + 2),
        '<' => (Op::Less, at + 1),
        '>' => (Op::Greater, at + 1),
        _ => return None,
    })
}

/// Understands a filter; nothing wants everything.
pub(super) fn parse(text: &str) -> Result<Option<Node>, FilterError> {
    if text.len() > FILTER_BYTES_MAX {
        return Err(FilterError { at: 0, message: format!("a filter has at most {FILTER_BYTES_MAX} bytes") });
    }
    let mut parser = Parser { tokens: tokens(text)?, at: 0, end: text.chars().count(), depth: 0 };
    let root = if parser.tokens.is_empty() { None } else { Some(parser.or()?) };
    if let Some(token) = parser.tokens.get(parser.at) {
        return Err(FilterError { at: token.at, message: "a bracket is closed that was not opened".to_owned() });
    }
    Ok(root)
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
            What::Since => {
                let age = match self.peek() {
                    Some(What::Word(word)) => age_seconds(word),
                    _ => None,
                };
                match age {
                    Some(age) => {
                        self.at += 1;
                        Node::Term { field: Field::Age, op: Op::LessOrEqual, values: vec![Wanted::Number(age)] }
                    }
                    None => Node::Word("since".to_owned()),
                }
            }
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
    let values = values.into_iter().map(|value| wanted(*field, op, value, value_at)).collect::<Result<_, _>>()?;
    Ok(Node::Term { field: *field, op, values })
}

fn wanted(field: Field, op: Op, value: String, at: usize) -> Result<Wanted, FilterError> {
    if matches!(op, Op::Matches | Op::MatchesNot) {
        if field.kind() != Type::Text {
            let message = format!("{} is a number: = != < <= > >= compare it", field.name());
            return Err(FilterError { at, message });
        }
        let pattern = RegexBuilder::new(&value).case_insensitive(true).size_limit(PATTERN_BYTES_MAX).build();
        return pattern.map(Wanted::Pattern).map_err(|error| {
            let cause = match error {
                regex::Error::CompiledTooBig(_) => "it is too large".to_owned(),
                error => error.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned(),
            };
            FilterError { at, message: format!("`{value}` is no regular expression: {cause}") }
        });
    }
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
