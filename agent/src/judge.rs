//! What the policy says of what happened, as the agent may truthfully report it.
//!
//! Files and programs are only observed: a rule that denies them did not prevent anything here. Such an action is reported
//! as an alert that says so, and the server finds the difference.

pub mod conditions;

use tyr_policy::{Act, Action, Judgement, Resource, Severity, Verdict};

use crate::decode::{Connect, Open, Process};
use crate::policies::InForce;

/// Why a denial is reported as an alert.
pub const NOT_ENFORCED: &str = "not enforced here";

/// A verdict as it is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ruling<'a> {
    /// What was judged: of an open for both reading and writing, the stricter half.
    pub action: Action,
    /// What happened: never `deny` when nothing was prevented.
    pub verdict: Verdict,
    /// The rule's.
    pub severity: Severity,
    /// Name of the rule, if one matched.
    pub rule: Option<&'a str>,
    /// Policy version of the rule or default.
    pub version: Option<u32>,
    /// The policy says deny, and it happened all the same.
    pub not_enforced: bool,
}

impl<'a> Ruling<'a> {
    /// Of something that was only observed.
    fn observed(action: Action, judgement: Judgement<'a>) -> Self {
        let not_enforced = judgement.verdict == Verdict::Deny;
        Self {
            action,
            verdict: if not_enforced { Verdict::Alert } else { judgement.verdict },
            severity: judgement.severity,
            rule: judgement.rule,
            version: judgement.version,
            not_enforced,
        }
    }
}

/// Judges an open. An open for neither reading nor writing (`O_PATH`) counts as one for reading.
pub fn open<'a>(policy: &'a InForce, process: &Process, open: &Open) -> Ruling<'a> {
    let judge = |action| {
        let resource = Resource::Path { path: &open.path, truncated: open.path_flags.truncated };
        policy.effective.judge(&act(process, action, resource))
    };
    if !open.write {
        return Ruling::observed(Action::FileRead, judge(Action::FileRead));
    }
    let write = judge(Action::FileWrite);
    if open.read {
        let read = judge(Action::FileRead);
        // Verdicts are ordered by strictness; equally strict ones are a write.
        if read.verdict > write.verdict {
            return Ruling::observed(Action::FileRead, read);
        }
    }
    Ruling::observed(Action::FileWrite, write)
}

/// Judges the start of a program.
pub fn exec<'a>(policy: &'a InForce, process: &Process) -> Ruling<'a> {
    let resource = Resource::Path { path: &process.program.exe, truncated: process.program.exe_truncated };
    Ruling::observed(Action::Exec, policy.effective.judge(&act(process, Action::Exec, resource)))
}

/// Explains the kernel's verdict on a connection, by the policy that the kernel judged it with.
pub fn connect<'a>(policy: &'a InForce, process: &Process, connect: &Connect) -> Ruling<'a> {
    let rule = connect.rule.and_then(|index| policy.effective.rule(index));
    let default = policy.effective.default(Action::NetConnect, Some(&process.agent_type));
    Ruling {
        action: Action::NetConnect,
        verdict: connect.verdict,
        severity: rule.map_or(default.severity, |rule| rule.rule.severity),
        rule: rule.map(|rule| rule.rule.name.as_str()),
        version: rule.map_or(default.version, |rule| Some(rule.layer.version)),
        not_enforced: false,
    }
}

fn act<'a>(process: &'a Process, action: Action, resource: Resource<'a>) -> Act<'a> {
    Act { action, resource, agent_type: Some(&process.agent_type), binary: &process.program.exe }
}
