//! From what a filter means back to text that means the same.

use std::fmt;

use super::{Filter, Node, Op, Type, Wanted};

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.root.as_ref().map_or(Ok(()), |root| node(f, root, Place::Top))
    }
}

/// What stands around a node, and so whether it needs brackets.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Top,
    Or,
    And,
    Not,
}

fn node(f: &mut fmt::Formatter<'_>, of: &Node, place: Place) -> fmt::Result {
    match of {
        Node::Or(nodes) => join(f, nodes, " or ", Place::Or, place != Place::Top),
        Node::And(nodes) => join(f, nodes, " ", Place::And, matches!(place, Place::And | Place::Not)),
        Node::Not(inner) => {
            f.write_str("not ")?;
            node(f, inner, Place::Not)
        }
        Node::Word(text) => f.write_str(&word(text)),
        Node::Term { field, op, values } => {
            write!(f, "{}{}", field.name(), sign(*op))?;
            for (n, wanted) in values.iter().enumerate() {
                f.write_str(if n == 0 { "" } else { "," })?;
                match wanted {
                    // `<` and `=` would be read as one sign.
                    Wanted::Text(text) if matches!(op, Op::Less | Op::Greater) && text.starts_with('=') => {
                        f.write_str(&quote(text))?;
                    }
                    Wanted::Text(text) => f.write_str(&value(text))?,
                    Wanted::Pattern(pattern) => f.write_str(&value(pattern.as_str()))?,
                    Wanted::Number(number) if field.kind() == Type::Age => write!(f, "{number}s")?,
                    Wanted::Number(number) => write!(f, "{number}")?,
                }
            }
            Ok(())
        }
    }
}

fn join(f: &mut fmt::Formatter<'_>, nodes: &[Node], with: &str, place: Place, brackets: bool) -> fmt::Result {
    f.write_str(if brackets { "(" } else { "" })?;
    for (n, one) in nodes.iter().enumerate() {
        f.write_str(if n == 0 { "" } else { with })?;
        node(f, one, place)?;
    }
    f.write_str(if brackets { ")" } else { "" })
}

const fn sign(op: Op) -> &'static str {
    match op {
        Op::Contains => ":",
        Op::Equal => "=",
        Op::NotEqual => "!=",
        Op::Less => "<",
        Op::LessOrEqual => "<=",
        Op::Greater => ">",
        Op::GreaterOrEqual => ">=",
        Op::Matches => "~",
        Op::MatchesNot => "!~",
    }
}

/// A word that is looked for, quoted where it would be read as something else.
fn word(text: &str) -> String {
    let operator = ["and", "or", "not", "since"].contains(&text);
    let plain = |c: char| !c.is_whitespace() && !"()|&\"':=!<>~".contains(c);
    if !text.is_empty() && !operator && text.chars().all(plain) { text.to_owned() } else { quote(text) }
}

/// A value, quoted where it would be read as something else.
pub(super) fn value(text: &str) -> String {
    let plain = |c: char| !c.is_whitespace() && !"()|&,".contains(c);
    let bare = !text.is_empty() && !text.starts_with(['\'', '"']) && text.chars().all(plain);
    if bare { text.to_owned() } else { quote(text) }
}

/// What was parsed holds at most one kind of quotes where it needs any around it.
fn quote(text: &str) -> String {
    if text.contains('\'') { format!("\"{text}\"") } else { format!("'{text}'") }
}
