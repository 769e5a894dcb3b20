//! From the tree to a policy: names known, words in their vocabulary, patterns compiled, every problem reported.

pub(crate) mod cases;
mod fields;
mod hidden;
mod limits;
mod rules;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::str::FromStr;

use crate::diagnostic::{Diagnostic, PolicyError};
use crate::policy::{Checked, Defaults, Policy, Rule};
use crate::syntax::{self, Node, Place, Value};
use crate::words::{Action, UnknownWord, Verdict};
pub use rules::AGENT_TYPES;

use fields::Fields;

/// Most problems that are reported of one document: enough to work with, and no megabytes for a hostile one.
const PROBLEMS_MAX: usize = 100;
/// Longest name, in bytes.
const NAME_BYTES_MAX: usize = 128;

/// Collects what is found.
#[derive(Default)]
struct Checker {
    problems: Vec<Diagnostic>,
    /// Problems beyond [`PROBLEMS_MAX`].
    more: usize,
    warnings: Vec<Diagnostic>,
    /// Pattern tokens so far.
    tokens: usize,
    /// Conditions so far.
    conditions: usize,
}

pub(crate) fn policy(yaml: &str) -> Result<Checked, PolicyError> {
    read(yaml, limits::check)
}

/// Without asking whether it fits the kernel's tables.
pub(crate) fn stored(yaml: &str) -> Result<Checked, PolicyError> {
    read(yaml, |_, policy, _| Some(policy))
}

fn read(
    yaml: &str,
    fits: impl FnOnce(&mut Checker, Policy, &[Place]) -> Option<Policy>,
) -> Result<Checked, PolicyError> {
    let document = syntax::document(yaml).map_err(|d| PolicyError { diagnostics: vec![d] })?;
    let mut checker = Checker::default();
    let policy = checker.document(document).and_then(|(policy, places)| fits(&mut checker, policy, &places));
    let (diagnostics, warnings) = finish(checker);
    match policy {
        Some(policy) if diagnostics.is_empty() => Ok(Checked { policy, warnings }),
        _ => Err(PolicyError { diagnostics }),
    }
}

/// Problems and warnings, each sorted by place.
fn finish(checker: Checker) -> (Vec<Diagnostic>, Vec<Diagnostic>) {
    let Checker { problems: mut diagnostics, more, mut warnings, .. } = checker;
    diagnostics.sort();
    if more > 0 {
        diagnostics.push(Diagnostic::new(0, 0, &format!("{more} more problems are not shown"), None));
    }
    warnings.sort();
    (diagnostics, warnings)
}

impl Checker {
    fn problem(&mut self, place: Place, message: impl Into<String>, hint: impl Into<Option<String>>) {
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(found(place, message, hint));
        } else {
            self.more += 1;
        }
    }

    fn warning(&mut self, place: Place, message: impl Into<String>, hint: impl Into<Option<String>>) {
        if self.warnings.len() < PROBLEMS_MAX {
            self.warnings.push(found(place, message, hint));
        }
    }

    /// The policy and the place of each rule; `None` only after a problem.
    fn document(&mut self, document: Node) -> Option<(Policy, Vec<Place>)> {
        if let Value::Null = document.value {
            self.problem(
                document.place,
                "the document is empty",
                "a policy begins with `apiVersion: tyr.dev/v1`".to_owned(),
            );
            return None;
        }
        let mut top = Fields::new(self, document, "the policy", &["apiVersion", "kind", "metadata", "spec"])?;
        self.constant(&mut top, "apiVersion", "tyr.dev/v1");
        self.constant(&mut top, "kind", "Policy");
        let metadata = top.require(self, "metadata").and_then(|node| self.metadata(node));
        let spec = top.require(self, "spec").and_then(|node| self.spec(node));
        let ((name, labels, description), (defaults, rules)) = (metadata?, spec?);
        let (places, rules) = rules.into_iter().unzip();
        Some((Policy { name, labels, description, defaults, rules }, places))
    }

    /// A field that has one value only.
    fn constant(&mut self, fields: &mut Fields, name: &str, expected: &str) {
        let Some(node) = fields.require(self, name) else { return };
        let place = node.place;
        if let Some(text) = self.text(name, node)
            && text != expected
        {
            self.problem(
                place,
                format!("`{name}` is `{text}`"),
                format!("the only one there is: `{name}: {expected}`"),
            );
        }
    }

    fn metadata(&mut self, node: Node) -> Option<(String, BTreeMap<String, String>, Option<String>)> {
        let mut fields = Fields::new(self, node, "`metadata`", &["name", "labels", "description"])?;
        let name = fields.require(self, "name").and_then(|node| self.name("name", node));
        let description = fields.take("description").and_then(|node| self.text("description", node));
        let mut labels = BTreeMap::new();
        match fields.take("labels").map(|node| (node.place, node.value)) {
            None => {}
            Some((_, Value::Map(pairs))) => {
                for (key, value) in pairs {
                    if let Some(text) = self.text(&format!("labels.{}", key.name), value) {
                        labels.insert(key.name, text);
                    }
                }
            }
            Some((place, other)) => {
                self.problem(place, format!("`labels` must be a mapping, not {}", other.kind()), None);
            }
        }
        Some((name?, labels, description))
    }

    fn spec(&mut self, node: Node) -> Option<(Defaults, Vec<(Place, Rule)>)> {
        let mut fields = Fields::new(self, node, "`spec`", &["default", "rules"])?;
        let defaults = fields.take("default").map_or_else(Defaults::default, |node| self.defaults(node));
        let rules = fields.require(self, "rules")?;
        Some((defaults, self.rules(rules)?))
    }

    /// `spec.default`: a verdict for all actions, or a mapping from action to verdict.
    fn defaults(&mut self, node: Node) -> Defaults {
        let mut defaults = Defaults::default();
        if let Value::Map(pairs) = node.value {
            for (key, value) in pairs {
                let action = self.known::<Action>(key.place, &key.name);
                let verdict = self.word::<Verdict>("default", value);
                if let (Some(action), Some(verdict)) = (action, verdict) {
                    defaults.set(action, verdict);
                }
            }
        } else if let Some(verdict) = self.word::<Verdict>("default", node) {
            for action in Action::ALL {
                defaults.set(*action, verdict);
            }
        }
        defaults
    }

    /// Text that isn't empty.
    fn text(&mut self, field: &str, node: Node) -> Option<String> {
        let hint = match node.value {
            Value::Text(text) if !text.is_empty() => return Some(text),
            Value::Text(_) => {
                self.problem(node.place, format!("`{field}` is empty"), None);
                return None;
            }
            Value::Null => Some("an unquoted `~` or nothing at all is no text: write it in quotes".to_owned()),
            Value::Bool(_) | Value::Number => Some("write it in quotes".to_owned()),
            Value::List(_) | Value::Map(_) => None,
        };
        self.problem(node.place, format!("`{field}` must be text, not {}", node.value.kind()), hint);
        None
    }

    /// Text that goes into events, tables and lines of a terminal.
    fn name(&mut self, field: &str, node: Node) -> Option<String> {
        let place = node.place;
        let text = self.text(field, node)?;
        if text.len() > NAME_BYTES_MAX {
            self.problem(place, format!("`{field}` is longer than {NAME_BYTES_MAX} bytes"), None);
            return None;
        }
        if text.chars().any(char::is_control) {
            self.problem(place, format!("`{field}` holds a control character"), None);
            return None;
        }
        Some(text)
    }

    fn list(&mut self, field: &str, node: Node) -> Vec<Node> {
        match node.value {
            Value::List(items) => items,
            other => {
                let hint = format!("write `{field}: [\"…\"]`, or one item per line behind `- `");
                self.problem(node.place, format!("`{field}` must be a list, not {}", other.kind()), hint);
                Vec::new()
            }
        }
    }

    /// A word of a vocabulary.
    fn word<T: FromStr<Err = UnknownWord>>(&mut self, field: &str, node: Node) -> Option<T> {
        let place = node.place;
        let text = self.text(field, node)?;
        self.known(place, &text)
    }

    fn known<T: FromStr<Err = UnknownWord>>(&mut self, place: Place, text: &str) -> Option<T> {
        match text.parse() {
            Ok(word) => Some(word),
            Err(unknown) => {
                let hint = match nearest(text, unknown.expected) {
                    Some(word) => format!("did you mean `{word}`?"),
                    None => format!("it is one of {}", unknown.expected.join(", ")),
                };
                self.problem(place, format!("unknown {} `{text}`", unknown.what), hint);
                None
            }
        }
    }
}

fn found(place: Place, message: impl Into<String>, hint: impl Into<Option<String>>) -> Diagnostic {
    Diagnostic::new(place.line, place.column, &message.into(), hint.into())
}

/// The word that was probably meant, if one is near: at most one slip in three characters.
fn nearest<'w>(written: &str, words: &[&'w str]) -> Option<&'w str> {
    // Names are short; a long one is no slip of the keyboard, and comparing it would take its time.
    if written.len() > 64 {
        return None;
    }
    let written = written.to_lowercase();
    words
        .iter()
        .map(|word| (strsim::damerau_levenshtein(&written, &word.to_lowercase()), *word))
        .filter(|(distance, word)| *distance <= 1.max(word.len() / 3))
        .min()
        .map(|(_, word)| word)
}
