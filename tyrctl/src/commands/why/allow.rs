//! The smallest rule that would allow an event, tried before it is shown.

use std::fmt::Write as _;

use serde::Serialize;
use tyr_api::events::{Event, EventKind, Verdict};
use tyr_api::policies::PolicyDocument;
use tyr_policy::{Compiled, Effective, Layer, Policy};

use crate::commands::policy::judge;

/// A rule, and where it would have to stand.
#[derive(Debug, Serialize)]
pub(super) struct Suggestion {
    /// Version that it goes into.
    pub(super) version: u32,
    /// Line of that version's text before which it goes; absent where it goes to the end.
    pub(super) before_line: Option<u32>,
    /// The rule.
    pub(super) yaml: String,
}

/// What to put into the policy that decided. `None` where no rule can allow it: it is allowed already, the path is not text or
/// only a part of it is known, or the policy can't be read.
pub(super) fn suggest(document: &PolicyDocument, event: &Event) -> Option<Suggestion> {
    if event.verdict == Verdict::Allow && event.server_verdict.is_none_or(|verdict| verdict == Verdict::Allow) {
        return None;
    }
    let policy = Policy::parse(&document.yaml).ok()?.policy;
    let place = event.rule.as_ref().and_then(|name| policy.rules.iter().position(|rule| rule.name == *name));
    let yaml = rule(event, &policy)?;
    // Tried, not believed.
    let head = "apiVersion: tyr.dev/v1\nkind: Policy\nmetadata: {name: t}\nspec:\n  rules:\n";
    let own = Policy::parse(&format!("{head}{yaml}")).ok()?.policy.rules.pop()?;
    let before_line = place.map(|place| policy.rules[place].line);
    let mut changed = policy;
    changed.rules.insert(place.unwrap_or(changed.rules.len()), own);
    let compiled = Compiled::new(Effective::new(vec![Layer { version: 0, agent_type: None, policy: changed }]));
    let (verdict, _) = judge(&compiled, event)?;
    (verdict == Verdict::Allow).then_some(Suggestion { version: document.version.version, before_line, yaml })
}

/// For this resource, this program and this type of agent alone.
fn rule(event: &Event, policy: &Policy) -> Option<String> {
    let quoted = |text: &str| serde_json::to_string(text).ok();
    // Escapes stand for bytes that are no text, which no pattern can hold.
    let exact = |path: &str| (!path.contains("\\x") && path.starts_with('/')).then(|| literal(path));
    let mut name = format!("allow-{}", event.rule.as_deref().unwrap_or(event.kind.as_str()));
    name.truncate(name.floor_char_boundary(100));
    while policy.rules.iter().any(|rule| rule.name == name) {
        name.push_str("-2");
    }
    let mut yaml = format!("    - name: {}\n      action: {}\n", quoted(&name)?, event.kind);
    match event.kind {
        EventKind::FileRead | EventKind::FileWrite | EventKind::Exec => {
            writeln!(yaml, "      resource_pattern: {}", quoted(&exact(&event.resource)?)?).ok()?;
        }
        EventKind::NetConnect => {
            let target: std::net::SocketAddr = event.resource.parse().ok()?;
            let protocol = event.metadata.get("protocol").map_or("tcp", String::as_str);
            let addr = match target.ip().to_canonical() {
                std::net::IpAddr::V4(addr) => addr.to_string(),
                std::net::IpAddr::V6(addr) => format!("[{addr}]"),
            };
            writeln!(yaml, "      cidr_allow: [{}]", quoted(&format!("{addr}:{}/{protocol}", target.port()))?).ok()?;
        }
        EventKind::TlsConnect => writeln!(yaml, "      sni_pattern: {}", quoted(&event.resource)?).ok()?,
    }
    yaml.push_str("      verdict: allow\n");
    if let Some(agent_type) = &event.agent_type {
        writeln!(yaml, "      agent_types: [{}]", quoted(agent_type)?).ok()?;
    }
    // Of an exec the program that acted is not known: the event names the one that was started.
    if event.kind != EventKind::Exec
        && let Some(exe) = exact(&event.process_exe)
    {
        writeln!(yaml, "      binaries: [{}]", quoted(&exe)?).ok()?;
    }
    Some(yaml)
}

/// A pattern that matches this text alone.
fn literal(path: &str) -> String {
    path.chars().flat_map(|c| "\\*?[]{}~,".contains(c).then_some('\\').into_iter().chain([c])).collect()
}

#[cfg(test)]
mod tests {
    use super::literal;
    use tyr_policy::Glob;

    #[test]
    fn patterns_of_one_path_match_it_alone() {
        for path in ["/a/b*c", "/x/[a]/{b,c}", "/~/?", "/plain/path-1.txt", "/back\\slash"] {
            let glob = Glob::parse(&literal(path)).unwrap();
            assert!(glob.matches(path.as_bytes()), "{path}");
            assert!(!glob.matches(b"/a/bXc") && !glob.matches(b"/x/a/b"), "{path}");
        }
    }
}
