//! Files of cases, read with the same care as policies.

use std::net::{IpAddr, SocketAddr};

use super::fields::Fields;
use super::{Checker, finish};
use crate::cases::{Case, CaseFile, Target};
use crate::diagnostic::PolicyError;
use crate::syntax::{self, Node, Value};
use crate::words::{Action, Protocol, Severity, Verdict};

/// Most cases in a file.
const CASES_MAX: usize = 10_000;

const FIELDS: &[&str] = &[
    "act",
    "to",
    "protocol",
    "truncated",
    "agent_type",
    "binary",
    "cmdline",
    "uid",
    "held",
    "gives",
    "by",
    "severity",
    "note",
];

pub(crate) fn file(yaml: &str) -> Result<CaseFile, PolicyError> {
    let document = syntax::document(yaml).map_err(|d| PolicyError { diagnostics: vec![d] })?;
    let mut checker = Checker::default();
    let cases = checker.case_file(document);
    let (diagnostics, _) = finish(checker);
    match cases {
        Some(cases) if diagnostics.is_empty() => Ok(CaseFile { cases }),
        _ => Err(PolicyError { diagnostics }),
    }
}

impl Checker {
    fn case_file(&mut self, document: Node) -> Option<Vec<Case>> {
        let mut top = Fields::new(self, document, "the file of cases", &["cases"])?;
        let node = top.require(self, "cases")?;
        let place = node.place;
        let nodes = self.list("cases", node);
        if nodes.is_empty() || nodes.len() > CASES_MAX {
            let message = format!("a file of cases has 1 to {CASES_MAX} cases, not {}", nodes.len());
            self.problem(place, message, "e.g. `- {act: file_read, to: /etc/shadow, gives: deny}`".to_owned());
            return None;
        }
        Some(nodes.into_iter().filter_map(|node| self.case(node)).collect())
    }

    fn case(&mut self, node: Node) -> Option<Case> {
        let line = node.place.line;
        let mut fields = Fields::new(self, node, "the case", FIELDS)?;
        let action = fields.require(self, "act").and_then(|node| self.word::<Action>("act", node));
        let verdict = fields.require(self, "gives").and_then(|node| self.word::<Verdict>("gives", node));
        let to = fields.require(self, "to").and_then(|node| Some((node.place, self.text("to", node)?)));
        let protocol = fields.take("protocol").map_or(Some(Protocol::Tcp), |node| self.word("protocol", node));
        let truncated = fields.take("truncated").is_some_and(|node| self.boolean("truncated", &node));
        let mut words = |field: &str| fields.take(field).map(|node| self.text(field, node).ok_or(Wrong)).transpose();
        let (agent_type, binary, by, note) = (words("agent_type"), words("binary"), words("by"), words("note"));
        let cmdline = words("cmdline");
        let uid = fields.take("uid").map(|node| self.number("uid", node).ok_or(Wrong)).transpose();
        let held = fields.take("held").map_or_else(Vec::new, |node| self.list("held", node));
        let held = held.into_iter().map(|node| self.text("held", node).ok_or(Wrong)).collect::<Result<_, _>>();
        let severity =
            fields.take("severity").map(|node| self.word::<Severity>("severity", node).ok_or(Wrong)).transpose();
        let (place, to) = to?;
        let target = match action? {
            Action::FileRead | Action::FileWrite | Action::Exec => {
                if !to.starts_with('/') {
                    let hint = "cases name the real path, from the root on".to_owned();
                    self.problem(place, format!("`{to}` is no absolute path"), hint);
                    return None;
                }
                Target::Path { path: to.into_bytes(), truncated }
            }
            Action::NetConnect => {
                let Some((addr, port)) = address(&to) else {
                    let hint = "write `192.0.2.7:443` or `[2001:db8::1]:443`".to_owned();
                    self.problem(place, format!("`{to}` is no address with a port"), hint);
                    return None;
                };
                Target::Net { addr, port, protocol: protocol? }
            }
            Action::TlsConnect => Target::ServerName(to),
        };
        Some(Case {
            line,
            action: action?,
            target,
            agent_type: agent_type.ok()?,
            binary: binary.ok()?.unwrap_or_default().into_bytes(),
            cmdline: cmdline.ok()?.unwrap_or_default(),
            uid: uid.ok()?.unwrap_or(-1),
            held: held.ok()?,
            verdict: verdict?,
            rule: by.ok()?,
            severity: severity.ok()?,
            note: note.ok()?,
        })
    }

    fn number(&mut self, field: &str, node: Node) -> Option<i64> {
        let place = node.place;
        let number = self.text(field, node)?.parse().ok();
        if number.is_none() {
            self.problem(place, format!("`{field}` is no number"), None);
        }
        number
    }

    fn boolean(&mut self, field: &str, node: &Node) -> bool {
        if let Value::Bool(value) = node.value {
            return value;
        }
        self.problem(node.place, format!("`{field}` must be true or false, not {}", node.value.kind()), None);
        false
    }
}

/// A field is there and wrong, which was reported: there is no case.
struct Wrong;

fn address(text: &str) -> Option<(IpAddr, u16)> {
    text.parse::<SocketAddr>().ok().map(|address| (address.ip(), address.port()))
}

impl CaseFile {
    /// Reads a file of cases.
    ///
    /// # Errors
    /// Everything that is wrong with it, up to a bound, sorted by place.
    pub fn parse(yaml: &str) -> Result<Self, PolicyError> {
        file(yaml)
    }
}

#[cfg(test)]
mod tests {
    use crate::cases::CaseFile;

    fn refused(yaml: &str) -> String {
        CaseFile::parse(yaml).unwrap_err().to_string()
    }

    #[test]
    fn mistakes_have_their_place() {
        assert_eq!(refused("cases: []"), "line 1, column 8: a file of cases has 1 to 10000 cases, not 0");
        let text = refused(
            "cases:
  - {act: file_raed, to: /x, gives: deny}
  - {act: exec, to: bin/sh, gives: dny}
  - {act: net_connect, to: 192.0.2.7, gives: deny, protcol: udp}
  - {act: exec, to: /x, gives: deny, truncated: 1}
  - {to: /x, gives: deny}
",
        );
        assert_eq!(
            text,
            "line 2, column 11: unknown action `file_raed`
line 3, column 21: `bin/sh` is no absolute path
line 3, column 36: unknown verdict `dny`
line 4, column 28: `192.0.2.7` is no address with a port
line 4, column 52: unknown field `protcol`
line 5, column 49: `truncated` must be true or false, not a number
line 6, column 5: the case has no `act`"
        );
    }
}
