//! YAML to a tree in which every key and value knows its place. What the tree means is [`crate::check`]'s matter.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Location, Options, Spanned};

use crate::diagnostic::Diagnostic;
use crate::policy::POLICY_BYTES_MAX;

/// Deepest nesting of a document; a policy needs six levels.
const DEPTH_MAX: usize = 32;

/// A place in the document, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) line: u32,
    pub(crate) column: u32,
}

/// A value at its place.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) place: Place,
    pub(crate) value: Value,
}

/// What YAML can say.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Number,
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

/// A key of a mapping at its place.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) place: Place,
    pub(crate) name: String,
}

impl Value {
    /// What it is, for a message.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "a boolean",
            Self::Number => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Map(_) => "a mapping",
        }
    }
}

/// Reads one document.
///
/// # Errors
/// The first thing that makes it no YAML or breaks a limit; nothing beyond that place is known.
pub(crate) fn document(yaml: &str) -> Result<Node, Diagnostic> {
    if yaml.len() > POLICY_BYTES_MAX {
        let message = format!("a policy of {} bytes is larger than {} KiB", yaml.len(), POLICY_BYTES_MAX / 1024);
        let hint = "split it: overlays for agent types and a base are joined on the agent".to_owned();
        return Err(Diagnostic::new(0, 0, &message, Some(hint)));
    }
    serde_saphyr::from_str_with_options::<Spanned<Value>>(yaml, options())
        .map(Node::from)
        .map_err(|error| diagnostic(yaml, &error))
}

fn options() -> Options {
    let budget = serde_saphyr::budget! {
        max_depth: DEPTH_MAX,
        max_aliases: 0,
        max_anchors: 0,
        max_documents: 1,
        max_nodes: 100_000,
        max_events: 250_000,
        max_total_scalar_bytes: POLICY_BYTES_MAX,
        max_merge_keys: 0,
    };
    serde_saphyr::options! {
        budget: budget,
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::Error,
        merge_keys: serde_saphyr::MergeKeyPolicy::Error,
        strict_booleans: true,
        with_snippet: false,
        reject_unsupported_tags: true,
    }
}

/// The reader's words, without the place, and with a hint where the mistake is a usual one.
fn diagnostic(yaml: &str, error: &serde_saphyr::Error) -> Diagnostic {
    use serde_saphyr::Error;
    let place = error.location().map_or(Place { line: 0, column: 0 }, Place::from);
    let own = |message: &str, hint: &'static str| (message.to_owned(), Some(hint));
    let (message, hint) = match error.without_snippet() {
        Error::DuplicateMappingKey { key, .. } => {
            (format!("field `{}` is there twice", key.as_deref().unwrap_or("?")), Some("keep one of them"))
        }
        Error::Budget { breach, .. } => budget(breach),
        Error::MergeKeyNotAllowed { .. } => own("merge keys (`<<`) are not allowed", "write the fields out"),
        Error::UnknownAnchor { .. } => own("aliases (`*name`) are not allowed", STAR),
        _ => {
            let text = error.to_string();
            // The reader ends its words with the place, which stands before them here.
            let text = text.split_once(" at line ").map_or(text.as_str(), |(message, _)| message);
            if text == "recursion limit exceeded" { too_deep() } else { (text.to_owned(), None) }
        }
    };
    let hint = hint.or_else(|| unquoted(yaml, place));
    Diagnostic::new(place.line, place.column, &message, hint.map(str::to_owned))
}

const STAR: &str = "put a pattern that begins with `*` in quotes: \"**/.env\"";

fn too_deep() -> (String, Option<&'static str>) {
    (format!("the document is nested more than {DEPTH_MAX} deep"), Some("a policy needs no more than six levels"))
}

fn budget(breach: &serde_saphyr::budget::BudgetBreach) -> (String, Option<&'static str>) {
    use serde_saphyr::budget::BudgetBreach;
    let own = |message: &str, hint: &'static str| (message.to_owned(), Some(hint));
    match breach {
        BudgetBreach::Depth { .. } => too_deep(),
        BudgetBreach::Aliases { .. } => own("aliases (`*name`) are not allowed", STAR),
        BudgetBreach::Anchors { .. } => {
            own("anchors (`&name`) are not allowed", "write the value out, or put text that begins with `&` in quotes")
        }
        BudgetBreach::Documents { .. } => {
            own("a second document begins here", "a policy is one document: put each in a file of its own")
        }
        _ => own("the document holds more than a policy can", "split it into a base and overlays for agent types"),
    }
}

/// Patterns often begin with a character that means something else in YAML.
fn unquoted(yaml: &str, place: Place) -> Option<&'static str> {
    let line = yaml.lines().nth(usize::try_from(place.line).ok()?.checked_sub(1)?)?;
    match line.chars().nth(usize::try_from(place.column).ok()?.checked_sub(1)?)? {
        '*' => Some(STAR),
        '[' | '{' | '!' | '%' | '@' | '`' | '&' | '|' | '>' => {
            Some("put text that begins with one of [ { ! % @ ` & | > in quotes")
        }
        '\t' => Some("indent with spaces: YAML takes no tabs"),
        _ => None,
    }
}

impl From<Location> for Place {
    fn from(location: Location) -> Self {
        let number = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        Self { line: number(location.line()), column: number(location.column()) }
    }
}

impl From<Spanned<Value>> for Node {
    fn from(spanned: Spanned<Value>) -> Self {
        Self { place: spanned.referenced.into(), value: spanned.value }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text, a number, a list or a mapping")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Value, E> {
        Ok(Value::Number)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Value, E> {
        Ok(Value::Number)
    }

    fn visit_i128<E>(self, _: i128) -> Result<Value, E> {
        Ok(Value::Number)
    }

    fn visit_u128<E>(self, _: u128) -> Result<Value, E> {
        Ok(Value::Number)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Value, E> {
        Ok(Value::Number)
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = seq.next_element::<Spanned<Value>>()? {
            list.push(item.into());
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut fields = Vec::new();
        while let Some(key) = map.next_key::<Spanned<String>>()? {
            let value = map.next_value::<Spanned<Value>>()?;
            fields.push((Key { place: key.referenced.into(), name: key.value }, value.into()));
        }
        Ok(Value::Map(fields))
    }
}
