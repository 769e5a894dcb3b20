//! From what the kernel reports to what the server is told: names the tree, judges, merges repeats, and fills the spool.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error};
use tyr_policy::{Action, CONDITION_EARLIER, Resource, Severity, Unregistered, Verdict};
use tyr_proto::text::escape;
use tyr_proto::v1::{self, Event, EventKind};

use crate::clock::{Clock, Stamp};
use crate::config::AllowEvents;
use crate::decode::{EnforcedBy, Judged, KernelEvent, Operation, PathFlags, Process, Program, What};
use crate::enrich::{AiProcess, Trees, cmdline};
use crate::judge::conditions::Conditions;
use crate::judge::{self, GUARDED, NOT_ENFORCED, NOT_JUDGED, NOT_REGISTERED, Ruling, conditions};
use crate::policies::{InForce, Policies};
use crate::spool::Spool;

mod merge;

use merge::{Key, Merge};

/// How often merged repeats are looked through, and losses in the kernel read.
const TICK: Duration = Duration::from_millis(250);
/// What an event says of who started a program, where nobody governs that.
const CALLER_UNKNOWN: &str = "unknown";

/// Events by what became of them, since the start.
#[derive(Debug, Default)]
pub struct Flow {
    taken: AtomicU64,
    spooled: AtomicU64,
    merged: AtomicU64,
    unreported: AtomicU64,
    disagreed: AtomicU64,
}

/// [`Flow`] at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowCounters {
    /// Actions that the kernel reported.
    pub taken: u64,
    /// Events put into the spool.
    pub spooled: u64,
    /// Allowed actions that became part of another's event.
    pub merged: u64,
    /// Allowed actions that `allow_events` leaves out.
    pub unreported: u64,
    /// Verdicts of the kernel that the evaluator does not share: there should be none.
    #[serde(default)]
    pub disagreed: u64,
}

impl Flow {
    /// How it stands now.
    pub fn counters(&self) -> FlowCounters {
        FlowCounters {
            taken: self.taken.load(Ordering::Relaxed),
            spooled: self.spooled.load(Ordering::Relaxed),
            merged: self.merged.load(Ordering::Relaxed),
            unreported: self.unreported.load(Ordering::Relaxed),
            disagreed: self.disagreed.load(Ordering::Relaxed),
        }
    }
}

/// The stages between kernel and spool. One task owns it, so that events keep their order.
pub struct Pipeline {
    allow_events: AllowEvents,
    policies: Arc<Policies>,
    spool: Arc<Spool>,
    clock: Clock,
    trees: Trees,
    merge: Merge,
    conditions: Conditions,
    flow: Arc<Flow>,
}

impl Pipeline {
    /// Stages that nothing has passed yet.
    pub fn new(allow_events: AllowEvents, policies: Arc<Policies>, spool: Arc<Spool>) -> Self {
        Self {
            allow_events,
            policies,
            spool,
            clock: Clock::default(),
            trees: Trees::default(),
            merge: Merge::default(),
            conditions: Conditions::default(),
            flow: Arc::default(),
        }
    }

    /// The trees of AI processes that live.
    pub fn trees(&self) -> watch::Receiver<Arc<[AiProcess]>> {
        self.trees.watch()
    }

    /// The counters.
    pub fn flow(&self) -> Arc<Flow> {
        Arc::clone(&self.flow)
    }

    /// Works until there are no more events, or until `stop`; `each_tick` is called four times a second.
    ///
    /// Afterwards everything that was taken is in the spool.
    pub async fn run(mut self, mut events: mpsc::Receiver<KernelEvent>, stop: CancellationToken, each_tick: impl Fn()) {
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                event = events.recv() => match event {
                    Some(event) => self.take(&event),
                    None => break,
                },
                _ = tick.tick() => {
                    for event in self.merge.expired(Instant::now()) {
                        self.put(event);
                    }
                    each_tick();
                }
                () = stop.cancelled() => break,
            }
        }
        events.close();
        while let Ok(event) = events.try_recv() {
            self.take(&event);
        }
        for event in self.merge.all() {
            self.put(event);
        }
        // They may live on, but nobody watches them any more; the next start finds them anew.
        let stamp = self.clock.now();
        for news in self.trees.end_all(stamp) {
            self.spool.append_discovered(news);
        }
        each_tick();
    }

    /// Takes one report of the kernel.
    pub fn take(&mut self, event: &KernelEvent) {
        let process = &event.process;
        match &event.what {
            What::TreeStarted { found_by, pattern } => {
                let stamp = self.clock.at_boot_ns(event.boot_ns);
                if let Some(news) = self.trees.start(process, *found_by, pattern, stamp) {
                    self.spool.append_discovered(news);
                }
            }
            What::TreeEnded => {
                let stamp = self.clock.at_boot_ns(event.boot_ns);
                if let Some(news) = self.trees.end(process.tree, stamp) {
                    for event in self.merge.of_tree(&news.discovered_agent_id) {
                        self.put(event);
                    }
                    self.spool.append_discovered(news);
                }
            }
            What::Exit => {}
            What::Refused => {
                let policy = self.policies.current();
                let metadata =
                    [("reason", NOT_REGISTERED.to_owned()), ("unregistered", Unregistered::Deny.to_string())];
                let resource = escape(&process.program.exe).into_owned();
                self.report(event, &policy, judge::refused(&policy, process), &resource, metadata, Repeats::one());
            }
            What::Exec(caller) => {
                let judged = event.judged.as_ref();
                let policy = self.policy_of(judged);
                let program = &process.program;
                let resource = if program.exe.is_empty() { &program.filename } else { &program.exe };
                let flags: &[_] = if program.exe_truncated { &["truncated"] } else { &[] };
                let nobody = Program::default();
                let by = caller.as_ref().map_or(&nobody, |caller| &*caller.program);
                // The rules are those of who starts it, also where it is another AI tool.
                let agent_type = caller.as_ref().map_or(&process.agent_type, |caller| &caller.agent_type);
                let starter = Process { agent_type: Arc::clone(agent_type), ..process.clone() };
                let other = if *agent_type == process.agent_type { String::new() } else { agent_type.to_string() };
                let path = Resource::Path { path: &program.exe, truncated: program.exe_truncated };
                let ruling = judge::exec(&policy, &starter, by, judged);
                let (ruling, [condition, integrity, held]) =
                    self.ask(&policy, &starter, by, path, ruling, self.enforces(judged));
                // A path whose beginning is missing is that of no program, for rules that name binaries.
                let known = !by.exe.is_empty() && !by.exe_truncated;
                let caller = if known { escape(&by.exe).into_owned() } else { CALLER_UNKNOWN.to_owned() };
                let metadata = [
                    ("flags", flags.join(",")),
                    ("caller", caller),
                    ("caller_type", other),
                    condition,
                    integrity,
                    held,
                ];
                self.report(event, &policy, ruling, &escape(resource), metadata, Repeats::one());
            }
            What::Run(run) => {
                // The kernel reports none that it did not judge.
                let Some(judged) = &event.judged else { return };
                let policy = self.policy_of(Some(judged));
                let metadata = [
                    ("flags", path_flags(run.path_flags)),
                    ("operation", judged.operation.as_str().to_owned()),
                    ("enforced_by", enforced_by(Some(judged)).to_owned()),
                ];
                let ruling = judge::run(&policy, process, run, judged);
                // bpf(2) has no path.
                let bpf = judged.operation == Operation::Bpf;
                let resource = if bpf { Cow::Borrowed("bpf(2)") } else { escape(&run.path) };
                self.report(event, &policy, ruling, &resource, metadata, Repeats::one());
            }
            What::Open(open) => {
                let judged = event.judged.as_ref();
                let policy = self.policy_of(judged);
                let errno = if open.errno == 0 { String::new() } else { open.errno.to_string() };
                let operation = judged.map(|judged| judged.operation).filter(|operation| *operation != Operation::Open);
                let operation = operation.map_or_else(String::new, |operation| operation.as_str().to_owned());
                let by = judged.map_or(&process.program, |judged| &judged.by);
                let path = Resource::Path { path: &open.path, truncated: open.path_flags.truncated };
                let ruling = judge::open(&policy, process, open, judged);
                let (ruling, [condition, integrity, held]) =
                    self.ask(&policy, process, by, path, ruling, self.enforces(judged));
                let metadata = [
                    ("flags", path_flags(open.path_flags)),
                    ("errno", errno),
                    ("operation", operation),
                    ("enforced_by", enforced_by(judged).to_owned()),
                    condition,
                    integrity,
                    held,
                ];
                // Search paths try hundreds of names that aren't there; only `all` wants to hear of each.
                let absent = i32::from(open.errno) == libc::ENOENT;
                if absent && ruling.verdict == Verdict::Allow && self.allow_events != AllowEvents::All {
                    self.flow.taken.fetch_add(1, Ordering::Relaxed);
                    self.flow.unreported.fetch_add(1, Ordering::Relaxed);
                    return;
                }
                let repeats = Repeats { count: open.count.max(1), last_boot_ns: Some(open.last_boot_ns) };
                self.report(event, &policy, ruling, &escape(&open.path), metadata, repeats);
            }
            What::Connect(connect) => {
                let policy = self.policies.of_generation(connect.generation);
                let resource = SocketAddr::new(connect.addr, connect.port).to_string();
                let (addr, port, protocol) = (connect.addr, connect.port, connect.protocol);
                let ruling = judge::connect(&policy, process, connect);
                let judged = Resource::Net { addr, port, protocol };
                let by = &process.program;
                let (ruling, [condition, integrity, held]) = self.ask(&policy, process, by, judged, ruling, true);
                let metadata = [("protocol", connect.protocol.to_string()), condition, integrity, held];
                self.report(event, &policy, ruling, &resource, metadata, Repeats::one());
            }
            What::Socket(socket) => {
                let policy = self.policies.of_generation(socket.generation);
                let ruling = judge::socket(&policy, process, socket);
                self.report(event, &policy, ruling, &socket.to_string(), [], Repeats::one());
            }
        }
    }

    /// Asks conditions; with what the event says of it. A denial comes too late for this action, and holds for the rest of the process,
    /// where such actions are `enforced`.
    fn ask<'p>(
        &mut self,
        policy: &'p InForce,
        process: &Process,
        by: &Program,
        resource: Resource<'_>,
        ruling: Ruling<'p>,
        enforced: bool,
    ) -> (Ruling<'p>, [(&'static str, String); 3]) {
        let (ruling, asked) = self.conditions.ask(policy, process, by, resource, ruling);
        let [condition, integrity] = conditions::metadata(asked);
        let denied = asked.filter(|asked| asked.denies && enforced);
        let rule = denied.and_then(|asked| policy.effective.rule(asked.rule));
        let held = rule.map_or(0, |rule| self.policies.hold(process, &rule));
        let held = if held == 0 { String::new() } else { held.to_string() };
        (ruling, [condition, integrity, ("held_processes", held)])
    }

    /// Is somebody there to refuse files and programs, who judged this one or could judge the next?
    fn enforces(&self, judged: Option<&Judged>) -> bool {
        judged.is_some() || self.policies.judged_elsewhere()
    }

    /// The policy that the kernel judged by, or the one in force where it did not.
    fn policy_of(&self, judged: Option<&Judged>) -> Arc<InForce> {
        judged.map_or_else(|| self.policies.current(), |judged| self.policies.of_generation(judged.generation))
    }

    fn report<const N: usize>(
        &mut self,
        event: &KernelEvent,
        policy: &InForce,
        ruling: Ruling<'_>,
        resource: &str,
        metadata: [(&str, String); N],
        repeats: Repeats,
    ) {
        self.flow.taken.fetch_add(1, Ordering::Relaxed);
        let policy_id = &policy.policy_id;
        let clock = &mut self.clock;
        let (tree_id, news) = self.trees.acting(&event.process, || clock.at_boot_ns(event.boot_ns));
        if let Some(news) = news {
            self.spool.append_discovered(news);
        }
        if ruling.evaluator.is_some() && self.flow.disagreed.fetch_add(1, Ordering::Relaxed) == 0 {
            error!(
                rule = ruling.rule,
                verdict = %ruling.verdict,
                "the kernel judged otherwise than the evaluator; such events have `evaluator` in their metadata"
            );
        }
        let allowed = ruling.verdict == Verdict::Allow;
        if allowed && self.allow_events == AllowEvents::None {
            self.flow.unreported.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let stamp = self.clock.at_boot_ns(event.boot_ns);
        let last_us = match repeats.last_boot_ns.filter(|last| *last > event.boot_ns) {
            Some(last) => stamp.unix_us.saturating_add_unsigned((last - event.boot_ns) / 1000),
            None => stamp.unix_us,
        };
        let mut made = event_of(&event.process, stamp, tree_id, policy_id, ruling, resource);
        // So that whoever judges it again does so by what held here.
        if let Some(guard) = ruling.guard {
            made.metadata.insert("unregistered".to_owned(), guard.to_string());
        }
        made.metadata.extend(
            metadata.into_iter().filter(|(_, value)| !value.is_empty()).map(|(key, value)| (key.to_owned(), value)),
        );
        // Each start of a program is news, with arguments of its own.
        let mergeable = allowed && ruling.action != Action::Exec;
        if mergeable && self.allow_events == AllowEvents::Merged {
            let key = Key::of(&made);
            let Some(event) = self.merge.take(key, made, repeats.count, last_us, Instant::now()) else {
                self.flow.merged.fetch_add(1, Ordering::Relaxed);
                return;
            };
            self.put(event);
        } else {
            merge::stands_for(&mut made, repeats.count, last_us);
            self.put(made);
        }
    }

    fn put(&self, event: Event) {
        self.flow.spooled.fetch_add(1, Ordering::Relaxed);
        debug!(event.kind, event.verdict, event.pid, "event");
        self.spool.append_event(event);
    }
}

/// The event without what is special to its kind.
fn event_of(
    process: &Process,
    stamp: Stamp,
    tree_id: String,
    policy_id: &str,
    ruling: Ruling<'_>,
    resource: &str,
) -> Event {
    let mut metadata =
        BTreeMap::from([("ppid".to_owned(), process.ppid.to_string()), ("uid".to_owned(), process.uid.to_string())]);
    if let Some(rule) = ruling.rule {
        metadata.insert("rule".to_owned(), rule.to_owned());
    }
    if let Some(version) = ruling.version {
        metadata.insert("rule_version".to_owned(), version.to_string());
    }
    if ruling.not_enforced {
        metadata.insert("not_enforced".to_owned(), "true".to_owned());
        metadata.insert("reason".to_owned(), NOT_ENFORCED.to_owned());
    }
    if ruling.failed {
        metadata.insert("reason".to_owned(), NOT_JUDGED.to_owned());
    }
    if ruling.guarded {
        metadata.insert("guarded".to_owned(), "true".to_owned());
        metadata.insert("reason".to_owned(), GUARDED.to_owned());
    }
    if ruling.held {
        metadata.insert("condition".to_owned(), CONDITION_EARLIER.to_owned());
    }
    if let Some(plain) = ruling.evaluator {
        metadata.insert("evaluator".to_owned(), plain.to_string());
    }
    Event {
        event_id: stamp.id.to_string(),
        // The server takes it from the certificate.
        agent_id: String::new(),
        discovered_agent_id: Some(tree_id),
        kind: kind(ruling.action).into(),
        resource: resource.to_owned(),
        verdict: verdict(ruling.verdict).into(),
        severity: severity(ruling.severity).into(),
        policy_id: policy_id.to_owned(),
        pid: process.pid.into(),
        process_exe: escape(&process.program.exe).into_owned(),
        cmdline: cmdline(&process.program),
        timestamp_ns: stamp.unix_ns(),
        metadata,
    }
}

/// How many actions one report of the kernel stands for.
#[derive(Debug, Clone, Copy)]
struct Repeats {
    count: u64,
    last_boot_ns: Option<u64>,
}

impl Repeats {
    fn one() -> Self {
        Self { count: 1, last_boot_ns: None }
    }
}

/// Named where it isn't the kernel programs, which outlive the agent and see more than opens.
fn enforced_by(judged: Option<&Judged>) -> &'static str {
    match judged.map(|judged| judged.enforced_by) {
        Some(EnforcedBy::Fanotify) => "fanotify",
        Some(EnforcedBy::Kernel) | None => "",
    }
}

fn path_flags(flags: PathFlags) -> String {
    let named = [(flags.deleted, "deleted"), (flags.pseudo, "pseudo"), (flags.truncated, "truncated")];
    let set: Vec<_> = named.into_iter().filter(|(set, _)| *set).map(|(_, name)| name).collect();
    set.join(",")
}

/// The action on the wire.
pub fn kind(action: Action) -> EventKind {
    match action {
        Action::FileRead => EventKind::FileRead,
        Action::FileWrite => EventKind::FileWrite,
        Action::Exec => EventKind::Exec,
        Action::NetConnect => EventKind::NetConnect,
        Action::TlsConnect => EventKind::Tls,
    }
}

/// The verdict on the wire.
pub fn verdict(verdict: Verdict) -> v1::Verdict {
    match verdict {
        Verdict::Allow => v1::Verdict::Allow,
        Verdict::Alert => v1::Verdict::Alert,
        Verdict::Deny => v1::Verdict::Deny,
    }
}

fn severity(severity: Severity) -> v1::Severity {
    match severity {
        Severity::Low => v1::Severity::Low,
        Severity::Medium => v1::Severity::Medium,
        Severity::High => v1::Severity::High,
        Severity::Critical => v1::Severity::Critical,
    }
}

#[cfg(test)]
mod tests;
