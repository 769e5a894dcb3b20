//! Actions as events record them: text, judged the same by the server when it comes in and by whoever looks at it later.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::SocketAddr;

use crate::compiled::Compiled;
use crate::condition::Facts;
use crate::eval::{Act, Judgement, Resource};
use crate::words::{Action, Protocol, Severity, Verdict};

/// Begins what events call a socket whose peers no rule can name: `socket:FAMILY/TYPE/PROTOCOL`.
pub const SOCKET: &str = "socket:";
/// Severity of what is denied whatever the policy says.
pub const GUARDED_SEVERITY: Severity = Severity::High;

/// What an event's `condition` says where the rule held for the process already, so that nobody asked.
pub const CONDITION_EARLIER: &str = "earlier";

/// One recorded action.
#[derive(Clone, Copy, Debug)]
pub struct Recorded<'a> {
    /// What was done.
    pub action: Action,
    /// To what: a path or an executable with bytes that are no text as `\xNN`, `address:port`, [`SOCKET`], or a server name.
    pub resource: &'a str,
    /// `tcp` where it is not said.
    pub protocol: Option<&'a str>,
    /// Only a part of the path is known.
    pub truncated: bool,
    /// It would make the policy void (take over another process, take hooks off), so it is denied whatever the policy says.
    pub guarded: bool,
    /// Agent type of the acting process; of a program that was started, of the one that started it.
    pub agent_type: Option<&'a str>,
    /// Its executable, written as a path is. Of a program that was started this is the new one.
    pub exe: &'a str,
    /// The executable that started it, which `binaries` is about: written as a path is, anything else where it is not known.
    /// `None`: `exe` is it, as of what was refused.
    pub caller: Option<&'a str>,
    /// Its command line.
    pub cmdline: &'a str,
    /// Who it ran as; -1 where that is not known.
    pub uid: i64,
    /// The rule that decided there.
    pub rule: Option<&'a str>,
    /// The process was held to that rule, as its condition had held before: nobody asked it.
    pub earlier: bool,
}

impl Recorded<'_> {
    /// With what an event's metadata says besides: `protocol`, `flags` (`truncated` among them), `guarded`, `caller`, `caller_type`, `uid`,
    /// and whether `condition` is [`CONDITION_EARLIER`].
    #[must_use]
    pub fn with_metadata<'m>(self, metadata: &'m BTreeMap<String, String>) -> Recorded<'m>
    where
        Self: 'm,
    {
        let of = |key: &str| metadata.get(key).map(String::as_str);
        Recorded {
            protocol: of("protocol"),
            caller: of("caller").filter(|_| self.action == Action::Exec),
            agent_type: of("caller_type").filter(|_| self.action == Action::Exec).or(self.agent_type),
            truncated: of("flags").is_some_and(|flags| flags.split([',', '|', ' ']).any(|flag| flag == "truncated")),
            guarded: of("guarded") == Some("true"),
            uid: of("uid").and_then(|uid| uid.parse().ok()).unwrap_or(-1),
            earlier: of("condition") == Some(CONDITION_EARLIER),
            ..self
        }
    }
}

impl Compiled {
    /// Judges a recorded action, conditions included; `None` when its resource can't be read.
    pub fn judge_recorded(&self, recorded: &Recorded<'_>) -> Option<Judgement<'_>> {
        if recorded.guarded {
            let (verdict, severity) = (Verdict::Deny, GUARDED_SEVERITY);
            return Some(Judgement { verdict, severity, version: None, rule: None, index: None, condition: None });
        }
        let path;
        let resource = match recorded.action {
            Action::FileRead | Action::FileWrite | Action::Exec => {
                path = unescape(recorded.resource);
                Resource::Path { path: &path, truncated: recorded.truncated }
            }
            Action::NetConnect if recorded.resource.starts_with(SOCKET) => Resource::Socket,
            Action::NetConnect => {
                let target: SocketAddr = recorded.resource.parse().ok()?;
                let protocol: Protocol = recorded.protocol.unwrap_or("tcp").parse().ok()?;
                Resource::Net { addr: target.ip(), port: target.port(), protocol }
            }
            Action::TlsConnect => Resource::ServerName(recorded.resource),
        };
        let binary = match recorded.caller {
            None => unescape(recorded.exe),
            Some(path) if path.starts_with('/') => unescape(path),
            Some(_) => Cow::Borrowed(&[][..]),
        };
        let held = self.effective().held_by_names(recorded.rule.filter(|_| recorded.earlier));
        let act = Act { action: recorded.action, resource, agent_type: recorded.agent_type, binary: &binary, held };
        let Recorded { resource, exe, cmdline, uid, .. } = *recorded;
        Some(self.judge_with(&act, &Facts { resource, exe, cmdline, uid }))
    }
}

/// The bytes behind `\xNN`; every other backslash stands for itself.
pub fn unescape(text: &str) -> Cow<'_, [u8]> {
    let bytes = text.as_bytes();
    if !text.contains("\\x") {
        return Cow::Borrowed(bytes);
    }
    let digit = |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match (bytes[at], bytes.get(at + 1), digit(at + 2), digit(at + 3)) {
            (b'\\', Some(b'x'), Some(high), Some(low)) => {
                out.push(u8::try_from(high * 16 + low).expect("two digits of 16"));
                at += 4;
            }
            (byte, ..) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::Recorded;
    use crate::compiled::Compiled;
    use crate::eval::{Effective, Layer};
    use crate::policy::Policy;
    use crate::words::{Action, Verdict};

    fn judged(action: Action, resource: &str, metadata: &[(&str, &str)]) -> Option<(Verdict, Option<String>)> {
        let yaml = "apiVersion: tyr.dev/v1\nkind: Policy\nmetadata: {name: p}\nspec:\n  rules:\n    \
            - {name: net, action: net_connect, cidr_deny: [10.0.0.0/8], verdict: deny}\n    \
            - {name: of-codex, action: exec, resource_pattern: '/opt/**', agent_types: [codex], verdict: deny}\n    \
            - {name: reads, action: file_read, resource_pattern: '/opt/**', agent_types: [codex], verdict: deny}\n    \
            - {name: all, action: exec, resource_pattern: '**', verdict: allow}\n";
        let policy = Policy::parse(yaml).unwrap().policy;
        let compiled = Compiled::new(Effective::new(vec![Layer { version: 1, agent_type: None, policy }]));
        let metadata: BTreeMap<_, _> = metadata.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let (truncated, guarded, uid) = (false, false, -1);
        let recorded = Recorded {
            action,
            resource,
            protocol: None,
            truncated,
            guarded,
            agent_type: None,
            exe: "/x",
            caller: None,
            cmdline: "",
            uid,
            rule: None,
            earlier: false,
        };
        let judgement = compiled.judge_recorded(&recorded.with_metadata(&metadata))?;
        Some((judgement.verdict, judgement.rule.map(str::to_owned)))
    }

    #[test]
    fn sockets_are_judged_by_the_strictest_rule() {
        let net = Some("net".to_owned());
        assert_eq!(judged(Action::NetConnect, "socket:packet/raw/768", &[]), Some((Verdict::Deny, net)));
        assert_eq!(judged(Action::NetConnect, "192.0.2.1:443", &[]), Some((Verdict::Allow, None)));
        assert_eq!(judged(Action::NetConnect, "packet", &[]), None);
    }

    #[test]
    fn a_tool_that_another_one_starts_is_judged_by_the_rules_of_that_one() {
        let of_codex = Some("of-codex".to_owned());
        assert_eq!(judged(Action::Exec, "/opt/x", &[("caller_type", "codex")]), Some((Verdict::Deny, of_codex)));
        let all = Some("all".to_owned());
        assert_eq!(judged(Action::Exec, "/opt/x", &[("caller_type", "claude-code")]), Some((Verdict::Allow, all)));
        let of_others = [("caller_type", "codex")];
        assert_eq!(
            judged(Action::FileRead, "/opt/x", &of_others),
            Some((Verdict::Allow, None)),
            "it is about programs"
        );
    }

    #[test]
    fn what_makes_a_policy_void_is_denied_by_none_of_its_rules() {
        assert_eq!(judged(Action::Exec, "/bin/sh", &[]), Some((Verdict::Allow, Some("all".to_owned()))));
        assert_eq!(judged(Action::Exec, "/bin/sh", &[("guarded", "true")]), Some((Verdict::Deny, None)));
    }
}
