//! What the policy says of what happened, as the agent may truthfully report it.
//!
//! Where the kernel judged, its verdict is what happened, and the evaluator only checks it: that the two differ is news. Where files
//! and programs are only observed, a rule that denies them did not prevent anything. Such an action is reported as an alert that
//! says so, and the server finds the difference.

pub mod conditions;

use tyr_policy::{Act, Action, GUARDED_SEVERITY, Held, Judgement, Resource, Severity, Unregistered, Verdict};

use crate::decode::{Connect, Judged, Open, Operation, PathFlags, Process, Program, Run, Socket};
use crate::policies::InForce;

/// Why a denial is reported as an alert.
pub const NOT_ENFORCED: &str = "not enforced here";
/// Why something was denied that no rule denies.
pub const NOT_JUDGED: &str = "could not be judged";
/// The same of what would make every rule void.
pub const GUARDED: &str = "would make the policy void";
/// Why a tool was ended at its start.
pub const NOT_REGISTERED: &str = "agent type not registered";

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
    /// The kernel could not judge it, and denied it for that.
    pub failed: bool,
    /// Denied whatever the policy says, as it would make the policy void.
    pub guarded: bool,
    /// What else than the policy holds for processes of this type.
    pub guard: Option<Unregistered>,
    /// The rule has a condition, which nobody asked: the process was held to it.
    pub held: bool,
    /// The kernel judged otherwise than the evaluator, which says this.
    pub evaluator: Option<Verdict>,
}

impl<'a> Ruling<'a> {
    /// Of something that was only observed.
    fn observed(policy: &InForce, process: &Process, action: Action, judgement: Judgement<'a>) -> Self {
        let not_enforced = judgement.verdict == Verdict::Deny;
        Self {
            action,
            verdict: if not_enforced { Verdict::Alert } else { judgement.verdict },
            severity: judgement.severity,
            rule: judgement.rule,
            version: judgement.version,
            not_enforced,
            failed: false,
            guarded: false,
            guard: guard(policy, process),
            held: false,
            evaluator: None,
        }
    }

    /// Of something that the kernel judged, by the policy that it judged it with.
    fn judged(policy: &'a InForce, process: &Process, judged: &Judged, plain: Option<Judgement<'a>>) -> Self {
        let rule = judged.rule.and_then(|index| policy.effective.rule(index));
        let default = policy.effective.default(judged.action, Some(&process.agent_type));
        let differs = plain.filter(|plain| (plain.verdict, plain.index) != (judged.verdict, judged.rule));
        let (severity, version) = match rule {
            Some(rule) => (rule.rule.severity, rule.version()),
            None if judged.guarded => (GUARDED_SEVERITY, None),
            None => (default.severity, default.version),
        };
        Self {
            action: judged.action,
            verdict: judged.verdict,
            severity,
            rule: rule.map(|rule| rule.rule.name.as_str()),
            version,
            not_enforced: false,
            failed: judged.failed,
            guarded: judged.guarded,
            guard: guard(policy, process),
            held: rule.is_some_and(|rule| rule.rule.condition.is_some()),
            evaluator: differs.map(|plain| plain.verdict),
        }
    }
}

/// Judges an open, or explains the kernel's verdict on it. An open for neither reading nor writing (`O_PATH`) counts as one for
/// reading.
pub fn open<'a>(policy: &'a InForce, process: &Process, open: &Open, judged: Option<&Judged>) -> Ruling<'a> {
    let by = judged.map_or(&*process.program, |judged| &*judged.by);
    let (action, judgement) = by_evaluator(policy, process, by, held(policy, judged), open);
    match judged {
        None => Ruling::observed(policy, process, action, judgement),
        Some(judged) => Ruling::judged(policy, process, judged, compared(judged).then_some(judgement)),
    }
}

/// What the process was held to, as far as it had to do with the kernel's verdict.
fn held(policy: &InForce, judged: Option<&Judged>) -> Held {
    judged.and_then(|judged| judged.rule).map_or(Held::NONE, |rule| policy.effective.held(rule))
}

fn by_evaluator<'a>(
    policy: &'a InForce,
    process: &Process,
    by: &Program,
    held: Held,
    open: &Open,
) -> (Action, Judgement<'a>) {
    let judge = |action| {
        let act = act(process, by, action, path(&open.path, open.path_flags));
        policy.effective.judge(&Act { held, ..act })
    };
    if !open.write {
        return (Action::FileRead, judge(Action::FileRead));
    }
    let write = judge(Action::FileWrite);
    if open.read {
        let read = judge(Action::FileRead);
        // Verdicts are ordered by strictness; equally strict ones are a write.
        if read.verdict > write.verdict {
            return (Action::FileRead, read);
        }
    }
    (Action::FileWrite, write)
}

/// Judges the start of a program, or explains the kernel's verdict on it.
///
/// `by` is the program that starts it: rules that name `binaries` are about that one, as in the kernel, which judges before the new
/// program takes its place.
pub fn exec<'a>(policy: &'a InForce, process: &Process, by: &Program, judged: Option<&Judged>) -> Ruling<'a> {
    let program = &process.program;
    let resource = Resource::Path { path: &program.exe, truncated: program.exe_truncated };
    let act = act(process, by, Action::Exec, resource);
    let judgement = policy.effective.judge(&Act { held: held(policy, judged), ..act });
    match judged {
        None => Ruling::observed(policy, process, Action::Exec, judgement),
        Some(judged) => Ruling::judged(policy, process, judged, compared(judged).then_some(judgement)),
    }
}

/// Of a tool that was ended at its start, as its type is not registered.
pub fn refused<'a>(policy: &'a InForce, process: &Process) -> Ruling<'a> {
    Ruling {
        action: Action::Exec,
        verdict: Verdict::Deny,
        severity: Severity::High,
        rule: None,
        version: None,
        not_enforced: false,
        failed: false,
        guarded: false,
        guard: guard(policy, process),
        held: false,
        evaluator: None,
    }
}

/// Explains the kernel's verdict on a program that was to be started.
pub fn run<'a>(policy: &'a InForce, process: &Process, run: &Run, judged: &Judged) -> Ruling<'a> {
    let act = act(process, &judged.by, Action::Exec, path(&run.path, run.path_flags));
    let act = Act { held: held(policy, Some(judged)), ..act };
    Ruling::judged(policy, process, judged, compared(judged).then(|| policy.effective.judge(&act)))
}

/// Is the kernel's verdict what the evaluator says of this one path? Not of a folder that moves with all that lies in it, nor of what
/// is mapped, where defaults say nothing, nor of what could not be judged or is denied whatever the policy says.
fn compared(judged: &Judged) -> bool {
    !judged.failed
        && !judged.guarded
        && !matches!(judged.operation, Operation::Rename | Operation::Link | Operation::Map)
}

fn path(path: &[u8], flags: PathFlags) -> Resource<'_> {
    Resource::Path { path, truncated: flags.truncated }
}

/// Explains the kernel's verdict on a connection, by the policy that the kernel judged it with.
pub fn connect<'a>(policy: &'a InForce, process: &Process, connect: &Connect) -> Ruling<'a> {
    network(policy, process, connect.verdict, connect.rule, connect.failed)
}

/// Explains the kernel's verdict on a socket whose peers no rule can name.
pub fn socket<'a>(policy: &'a InForce, process: &Process, socket: &Socket) -> Ruling<'a> {
    network(policy, process, socket.verdict, socket.rule, socket.failed)
}

fn network<'a>(
    policy: &'a InForce,
    process: &Process,
    verdict: Verdict,
    rule: Option<u16>,
    failed: bool,
) -> Ruling<'a> {
    let rule = rule.and_then(|index| policy.effective.rule(index));
    let default = policy.effective.default(Action::NetConnect, Some(&process.agent_type));
    Ruling {
        action: Action::NetConnect,
        verdict,
        severity: rule.map_or(default.severity, |rule| rule.rule.severity),
        rule: rule.map(|rule| rule.rule.name.as_str()),
        version: rule.map_or(default.version, |rule| rule.version()),
        not_enforced: false,
        failed,
        guarded: false,
        guard: guard(policy, process),
        held: rule.is_some_and(|rule| rule.rule.condition.is_some()),
        evaluator: None,
    }
}

fn guard(policy: &InForce, process: &Process) -> Option<Unregistered> {
    policy.effective.guards(Some(&process.agent_type))
}

fn act<'a>(process: &'a Process, by: &'a Program, action: Action, resource: Resource<'a>) -> Act<'a> {
    // A path whose beginning is missing is that of no program.
    let binary = if by.exe_truncated { &[][..] } else { &by.exe };
    Act { action, resource, agent_type: Some(&process.agent_type), binary, held: Held::NONE }
}
