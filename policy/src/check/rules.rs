//! Rules, one by one.

use std::collections::HashMap;

use super::fields::Fields;
use super::{Checker, hidden, nearest};
use crate::condition::{CONDITIONS_MAX, Condition, ConditionError};
use crate::glob::Glob;
use crate::names::NamePattern;
use crate::net::{NetMatch, NetTarget, NetTargetError};
use crate::policy::{POLICY_TOKENS_MAX, RULES_MAX, Rule, What};
use crate::syntax::{Node, Place};
use crate::words::{Action, Severity, Verdict};

const FIELDS: &[&str] = &[
    "name",
    "action",
    "resource_pattern",
    "verdict",
    "severity",
    "binaries",
    "agent_types",
    "cidr_allow",
    "cidr_deny",
    "sni_pattern",
    "condition",
];

/// Agent types that are documented; others can be added on a host, so this is for near-misses and completions alone.
pub const AGENT_TYPES: &[&str] = &["claude-code", "cursor", "copilot", "codex", "gemini-cli", "aider", "autogen"];

impl Checker {
    pub(super) fn rules(&mut self, node: Node) -> Option<Vec<(Place, Rule)>> {
        let place = node.place;
        let nodes = self.list("rules", node);
        if nodes.len() > RULES_MAX {
            let hint =
                "one pattern can stand for many: `{a,b}`, `*`; or split it into overlays for agent types".to_owned();
            self.problem(place, format!("{} rules are more than {RULES_MAX}", nodes.len()), hint);
            return None;
        }
        let mut rules: Vec<(Place, Rule)> = Vec::with_capacity(nodes.len());
        let mut lines: HashMap<String, u32> = HashMap::new();
        for node in nodes {
            let place = node.place;
            let Some(mut fields) = Fields::new(self, node, "the rule", FIELDS) else { continue };
            let name = fields.require(self, "name").and_then(|node| {
                let place = node.place;
                let name = self.name("name", node)?;
                match lines.get(&name) {
                    Some(line) => self.problem(
                        place,
                        format!("a second rule is named `{name}`"),
                        format!("the first is in line {line}; events name the rule that matched, so names are unique"),
                    ),
                    None => drop(lines.insert(name.clone(), place.line)),
                }
                Some(name)
            });
            if let Some(rule) = self.rule(name, &mut fields) {
                rules.push((place, rule));
            }
        }
        hidden::report(self, &rules);
        Some(rules)
    }

    /// Looks at every field, whatever is wrong with the others.
    fn rule(&mut self, name: Option<String>, fields: &mut Fields) -> Option<Rule> {
        let action = fields.require(self, "action").and_then(|node| self.word::<Action>("action", node));
        let verdict = fields.require(self, "verdict").and_then(|node| self.word::<Verdict>("verdict", node));
        let severity = fields.take("severity").map_or(Some(Severity::Low), |node| self.word("severity", node));
        let binaries = fields.take("binaries").map(|node| self.globs("binaries", node)).unwrap_or_default();
        let agent_types = fields.take("agent_types").map(|node| self.agent_types(node)).unwrap_or_default();
        let condition = fields.take("condition").map(|node| self.condition(action, verdict, node));
        let what = action.and_then(|action| self.what(action, verdict, fields));
        Some(Rule {
            name: name?,
            action: action?,
            what: what?,
            verdict: verdict?,
            severity: severity?,
            agent_types,
            binaries,
            condition: condition.unwrap_or_default(),
            line: fields.place.line,
            column: fields.place.column,
        })
    }

    /// A problem makes it `None`, and the rule is not used then.
    fn condition(&mut self, action: Option<Action>, verdict: Option<Verdict>, node: Node) -> Option<Condition> {
        let place = node.place;
        let text = self.text("condition", node)?;
        let (action, verdict) = (action?, verdict?);
        self.conditions += 1;
        if self.conditions > CONDITIONS_MAX {
            if self.conditions == CONDITIONS_MAX + 1 {
                let hint =
                    "put what they have in common into `resource_pattern`, `binaries` and `agent_types`".to_owned();
                self.problem(place, format!("more than {CONDITIONS_MAX} rules have a condition"), hint);
            }
            return None;
        }
        let (warning, hint) = match verdict {
            Verdict::Deny => (
                "a `deny` with a condition can't refuse the action that it is asked of: that one is an alert, what follows in the process is denied",
                "what must never happen needs a rule without a condition",
            ),
            Verdict::Allow => (
                "an `allow` with a condition excepts from alerts only",
                "what a rule or default behind it denies, the kernel refuses before any condition is asked",
            ),
            Verdict::Alert => ("", ""),
        };
        if !warning.is_empty() {
            self.warning(place, warning, hint.to_owned());
        }
        match Condition::parse(&text, action) {
            Ok(condition) => Some(condition),
            Err(error) => {
                let hint = match &error {
                    ConditionError::TooLong { .. } | ConditionError::TooDeep => {
                        "put part of it into `resource_pattern`, `binaries` or `agent_types`, or make several rules"
                    }
                    ConditionError::Syntax(_) | ConditionError::Type { .. } => match action {
                        Action::NetConnect => {
                            "a condition sees context.addr, port, protocol, exe, cmdline, agent_type and uid: docs/conditions.md"
                        }
                        Action::TlsConnect => {
                            "a condition sees context.server_name, exe, cmdline, agent_type and uid: docs/conditions.md"
                        }
                        _ => "a condition sees context.path, exe, cmdline, agent_type and uid: docs/conditions.md",
                    },
                };
                self.problem(place, error.to_string(), hint.to_owned());
                None
            }
        }
    }

    fn what(&mut self, action: Action, verdict: Option<Verdict>, fields: &mut Fields) -> Option<What> {
        let fits = |field: &str| match field {
            "cidr_allow" | "cidr_deny" => action == Action::NetConnect,
            _ => action == Action::TlsConnect,
        };
        for (field, its_action) in
            [("cidr_allow", "net_connect"), ("cidr_deny", "net_connect"), ("sni_pattern", "tls_connect")]
        {
            if !fits(field)
                && let Some(node) = fields.take(field)
            {
                self.problem(
                    node.place,
                    format!("`{field}` has no meaning for `{action}`"),
                    format!("it goes with `{its_action}`"),
                );
            }
        }
        let pattern = fields.take("resource_pattern");
        match action {
            Action::FileRead | Action::FileWrite | Action::Exec => match pattern {
                Some(node) => self.glob("resource_pattern", node).map(What::Path),
                None if action == Action::Exec => Some(What::Path(Glob::parse("*").expect("a valid pattern"))),
                None => {
                    let hint = format!("say which files: `resource_pattern: \"/etc/**\"`, or \"*\" for all ({action})");
                    self.problem(fields.place, "the rule has no `resource_pattern`", hint);
                    None
                }
            },
            Action::NetConnect => self.net(verdict, pattern, fields).map(What::Net),
            Action::TlsConnect => {
                self.warning(
                    fields.place,
                    "`tls_connect` rules have no effect yet: server names are not captured",
                    "use `net_connect` with the addresses until then".to_owned(),
                );
                self.server_name(pattern, fields.take("sni_pattern")).map(What::ServerName)
            }
        }
    }

    fn net(&mut self, verdict: Option<Verdict>, pattern: Option<Node>, fields: &mut Fields) -> Option<NetMatch> {
        let before = self.problems.len() + self.more;
        let allow = fields.take("cidr_allow").map(|node| self.targets("cidr_allow", node)).unwrap_or_default();
        let deny = fields.take("cidr_deny").map(|node| self.targets("cidr_deny", node)).unwrap_or_default();
        let own = pattern.and_then(|node| self.target("resource_pattern", node));
        if self.problems.len() + self.more > before {
            return None;
        }
        let mut net = NetMatch { allow, deny };
        if let (Some(target), Some(verdict)) = (own, verdict) {
            match verdict {
                Verdict::Allow => net.allow.push(target),
                Verdict::Deny | Verdict::Alert => net.deny.push(target),
            }
        }
        Some(net)
    }

    fn targets(&mut self, field: &str, node: Node) -> Vec<NetTarget> {
        let place = node.place;
        let nodes = self.list(field, node);
        if nodes.is_empty() {
            // No list and an empty list would mean all addresses: ask instead of guessing.
            self.problem(place, format!("`{field}` is empty"), "leave it out, or name at least one address".to_owned());
        }
        nodes.into_iter().filter_map(|node| self.target(field, node)).collect()
    }

    fn target(&mut self, field: &str, node: Node) -> Option<NetTarget> {
        let place = node.place;
        let text = self.text(field, node)?;
        match NetTarget::parse(&text) {
            Ok(target) => Some(target),
            Err(error) => {
                let hint = match &error {
                    NetTargetError::HostBits { block, .. } => {
                        format!("write `{block}`, or the address alone if only that one is meant")
                    }
                    _ => "write `10.0.0.0/8`, `192.0.2.7:443`, `[2001:db8::]/32:8000-8999` or `*`".to_owned(),
                };
                self.problem(place, error.to_string(), hint);
                None
            }
        }
    }

    fn server_name(&mut self, pattern: Option<Node>, sni: Option<Node>) -> Option<NamePattern> {
        let (field, node) = match (sni, pattern) {
            (Some(_), Some(pattern)) => {
                self.problem(
                    pattern.place,
                    "the rule has both `sni_pattern` and `resource_pattern`",
                    "for `tls_connect` they mean the same: keep `sni_pattern`".to_owned(),
                );
                return None;
            }
            (Some(node), None) => ("sni_pattern", node),
            (None, Some(node)) => ("resource_pattern", node),
            (None, None) => return Some(NamePattern::any()),
        };
        let place = node.place;
        let text = self.text(field, node)?;
        NamePattern::parse(&text)
            .map_err(|error| self.problem(place, error.to_string(), "write `*.example.com|example.org`".to_owned()))
            .ok()
    }

    fn agent_types(&mut self, node: Node) -> Vec<String> {
        let place = node.place;
        let nodes = self.list("agent_types", node);
        if nodes.is_empty() {
            self.problem(place, "`agent_types` is empty", "leave it out to mean all".to_owned());
        }
        let mut types = Vec::with_capacity(nodes.len());
        for node in nodes {
            let place = node.place;
            let Some(text) = self.name("agent_types", node) else { continue };
            if !text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b)) {
                let hint = "an agent type has lower-case letters, digits, `-`, `_` and `.`; leave `agent_types` out to mean all";
                self.problem(place, format!("`{text}` is not an agent type"), hint.to_owned());
                continue;
            }
            if let Some(near) = nearest(&text, AGENT_TYPES)
                && near != text
            {
                self.warning(place, format!("no AI tool is known as `{text}`"), format!("did you mean `{near}`?"));
            }
            types.push(text);
        }
        types
    }

    fn globs(&mut self, field: &str, node: Node) -> Vec<Glob> {
        let place = node.place;
        let nodes = self.list(field, node);
        if nodes.is_empty() {
            self.problem(place, format!("`{field}` is empty"), "leave it out to mean all".to_owned());
        }
        nodes.into_iter().filter_map(|node| self.glob(field, node)).collect()
    }

    fn glob(&mut self, field: &str, node: Node) -> Option<Glob> {
        let place = node.place;
        let text = self.text(field, node)?;
        if text.contains('\0') {
            self.problem(place, format!("`{field}` holds a NUL, which no path has"), None);
            return None;
        }
        let glob = match Glob::parse(&text) {
            Ok(glob) => glob,
            Err(error) => {
                let hint = "a character that is meant as it is takes a `\\` before it".to_owned();
                self.problem(place, error.to_string(), hint);
                return None;
            }
        };
        if !glob.can_match_absolute() {
            let hint = "paths begin with `/`: write the whole path, or `**/` before the name".to_owned();
            self.problem(place, format!("`{text}` matches no path"), hint);
            return None;
        }
        let before = self.tokens;
        self.tokens += glob.tokens();
        if self.tokens > POLICY_TOKENS_MAX {
            if before <= POLICY_TOKENS_MAX {
                let hint = "use fewer `{…}`, or split the policy".to_owned();
                self.problem(place, "here the patterns of the policy become too many".to_owned(), hint);
            }
            return None;
        }
        Some(glob)
    }
}
