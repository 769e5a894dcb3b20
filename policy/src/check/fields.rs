//! The fields of a mapping: which are known, which are missing.

use super::{Checker, nearest};
use crate::syntax::{Node, Place, Value};

/// A mapping whose unknown fields are already reported.
pub(super) struct Fields {
    /// Of the mapping.
    pub(super) place: Place,
    what: &'static str,
    known: Vec<(String, Node)>,
    /// Fields that an unknown one was probably meant to be: reporting them as missing too would be noise.
    meant: Vec<&'static str>,
}

impl Fields {
    /// Reports what isn't in `names`; `None` (reported as well) if the value is no mapping.
    pub(super) fn new(
        checker: &mut Checker,
        node: Node,
        what: &'static str,
        names: &'static [&'static str],
    ) -> Option<Self> {
        let place = node.place;
        let Value::Map(pairs) = node.value else {
            checker.problem(place, format!("{what} must be a mapping, not {}", node.value.kind()), None);
            return None;
        };
        let mut fields = Self { place, what, known: Vec::new(), meant: Vec::new() };
        for (key, value) in pairs {
            if names.contains(&key.name.as_str()) {
                fields.known.push((key.name, value));
                continue;
            }
            let hint = match nearest(&key.name, names) {
                Some(name) => {
                    fields.meant.push(name);
                    format!("did you mean `{name}`?")
                }
                None => format!("{what} has the fields {}", names.join(", ")),
            };
            checker.problem(key.place, format!("unknown field `{}`", shortened(&key.name)), hint);
        }
        Some(fields)
    }

    /// The value of a field, once.
    pub(super) fn take(&mut self, name: &str) -> Option<Node> {
        let at = self.known.iter().position(|(own, _)| own == name)?;
        Some(self.known.swap_remove(at).1)
    }

    /// The value of a field that must be there.
    pub(super) fn require(&mut self, checker: &mut Checker, name: &str) -> Option<Node> {
        let node = self.take(name);
        if node.is_none() && !self.meant.contains(&name) {
            checker.problem(self.place, format!("{} has no `{name}`", self.what), None);
        }
        node
    }
}

/// A name that fits a message.
fn shortened(name: &str) -> String {
    if name.chars().count() <= 64 { name.to_owned() } else { name.chars().take(63).chain(['…']).collect() }
}
