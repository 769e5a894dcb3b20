//! Reading the rings: waking up, putting records in order, and making events of them.

use std::collections::{HashMap, HashSet, VecDeque};
use std::io;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use aya::maps::{MapData, RingBuf};
use tokio::io::unix::AsyncFd;
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;
use tyr_policy::{Action, FILE_ACTIONS, Verdict, Word};

use super::abi::{self, ConnectRecord, MERGE_NS, MergeKey, OpenRecord, RecordHead};
use super::load::Rings;
use super::register::boot_ns;
use super::scan::{confirm, parent_and_start, uid_of};
use super::shared::{Note, Shared};
use super::twice::Twice;
use crate::decode::{
    Caller, Connect, EnforcedBy, FoundBy, Judged, KernelEvent, Open, Operation, PathFlags, Process, Program, Record,
    Run, Socket, TreeId, What,
};

/// How often the regular ring is read: well below what 8 MiB hold at 100,000 events a second (0.6 s).
const REGULAR_EVERY: Duration = Duration::from_millis(20);
/// How often counts are compared with what is.
const REVIEW_EVERY: Duration = Duration::from_secs(1);
/// How long opens stay observed after the last governed process.
const OPENS_LINGER: Duration = Duration::from_secs(5);
/// Programs that are remembered before those that no process runs are forgotten.
const PROGRAMS_KEPT: usize = 8192;

pub(super) struct Reader {
    shared: Arc<Shared>,
    urgent: AsyncFd<RingBuf<MapData>>,
    regular: RingBuf<MapData>,
    notes: mpsc::UnboundedReceiver<Note>,
    out: mpsc::Sender<KernelEvent>,
    programs: HashMap<u64, Arc<Program>>,
    trees: HashMap<TreeId, Tree>,
    /// Candidates that turned out to be something else; their records may still be on the way.
    rejected: HashSet<TreeId>,
    /// Reported opens whose repeats are being counted, oldest first; as many as the kernel has room to count for.
    merging: VecDeque<(MergeKey, KernelEvent)>,
    twice: Twice,
    idle_since: Option<Instant>,
}

struct Tree {
    agent_type: Arc<str>,
    /// Seen without processes at the last review.
    empty: bool,
    root: Process,
}

impl Reader {
    pub(super) fn new(
        shared: Arc<Shared>,
        rings: Rings,
        notes: mpsc::UnboundedReceiver<Note>,
        out: mpsc::Sender<KernelEvent>,
    ) -> io::Result<Self> {
        // SAFETY: the ring keeps its descriptor open and the same for as long as it lives, which is within the AsyncFd.
        let urgent = unsafe { AsyncFd::register(rings.urgent) }.map_err(io::Error::from)?;
        Ok(Self {
            shared,
            urgent,
            regular: rings.regular,
            notes,
            out,
            programs: HashMap::new(),
            trees: HashMap::new(),
            rejected: HashSet::new(),
            merging: VecDeque::new(),
            twice: Twice::default(),
            idle_since: Some(Instant::now()),
        })
    }

    /// Reads until nobody takes the events any more.
    pub(super) async fn run(mut self) {
        let mut regular = tokio::time::interval(REGULAR_EVERY);
        regular.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut review = tokio::time::interval(REVIEW_EVERY);
        review.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                ready = self.urgent.readable() => match ready {
                    Ok(mut guard) => guard.clear_ready(),
                    Err(error) => {
                        tracing::error!(%error, "the kernel's events can't be waited for; they are read by the timer alone");
                        regular.tick().await;
                    }
                },
                _ = regular.tick() => {}
                _ = review.tick() => {
                    let events = self.review();
                    if !self.send(events).await { return }
                }
            }
            let events = self.read();
            if !self.send(events).await {
                return;
            }
        }
    }

    async fn send(&self, events: Vec<KernelEvent>) -> bool {
        for event in events {
            if self.out.send(event).await.is_err() {
                return false;
            }
        }
        true
    }

    /// Everything that is in the rings now, in order of time.
    fn read(&mut self) -> Vec<KernelEvent> {
        let mut records = Vec::new();
        // The urgent ring first: what a denial's process did before is in the regular one by then.
        drain(self.urgent.get_mut(), &mut records);
        drain(&mut self.regular, &mut records);
        let mut events = Vec::with_capacity(records.len());
        // A note is sent before what it tells of can make a record, so all that these records need are here by now.
        while let Ok(note) = self.notes.try_recv() {
            self.note(note, &mut records, &mut events);
        }
        records.sort_by_key(|record: &Record| record.head().boot_ns);
        for record in records {
            if self.twice.was_told(&record) {
                continue;
            }
            self.record(record, &mut events);
        }
        self.flush_merges(&mut events);
        events
    }

    fn note(&mut self, note: Note, records: &mut Vec<Record>, events: &mut Vec<KernelEvent>) {
        match note {
            Note::Judged { record, path, observed } => {
                self.shared.tally.took_one();
                if observed {
                    self.twice.expect(&record);
                }
                records.push(Record::Open { record: *record, path });
            }
            Note::Program { id, program } => {
                self.programs.insert(id, program);
            }
            Note::Tree { tree, agent_type, pid, program, found_by, pattern } => {
                let program =
                    self.programs.entry(program).or_insert_with(|| Arc::new(super::marks::running_program(pid)));
                let process = Process {
                    pid,
                    tid: pid,
                    ppid: parent_and_start(pid).map_or(0, |(parent, _)| parent),
                    uid: uid_of(pid),
                    tree,
                    agent_type: Arc::clone(&agent_type),
                    program: Arc::clone(program),
                };
                self.trees.insert(tree, Tree { agent_type, empty: false, root: process.clone() });
                self.idle_since = None;
                events.push(KernelEvent {
                    boot_ns: boot_ns(),
                    process,
                    what: What::TreeStarted { found_by, pattern },
                    judged: None,
                });
            }
        }
    }

    fn record(&mut self, record: Record, events: &mut Vec<KernelEvent>) {
        if self.rejected.contains(&TreeId(record.head().tree)) {
            if let Record::Open { record, .. } = record {
                // Nobody will ask for its repeats, and what counts them holds a place.
                let _ = self.shared.maps.lock().expect("no holder panics").merges.remove(&record.merge);
            }
            return;
        }
        match record {
            Record::Exec { record, path, args, filename } => {
                let program = Arc::new(Program {
                    exe: path,
                    exe_truncated: record.path_flags & abi::PATH_TRUNCATED != 0,
                    args,
                    filename,
                });
                self.programs.insert(record.head.program, Arc::clone(&program));
                if record.head.flags & abi::RECORD_ROOT != 0
                    && !self.begin(&record.head, record.pattern, &program, events)
                {
                    return;
                }
                let process = self.process(&record.head);
                if record.head.flags & abi::RECORD_REFUSED != 0 {
                    events.push(KernelEvent {
                        boot_ns: record.head.boot_ns,
                        process,
                        what: What::Refused,
                        judged: None,
                    });
                    return;
                }
                let caller = (record.caller != 0).then(|| Caller {
                    program: self.programs.get(&record.caller).cloned().unwrap_or_default(),
                    agent_type: self.shared.types.lock().expect("no holder panics").name(record.caller_type),
                });
                let judged = (record.head.flags & abi::RECORD_JUDGED != 0).then(|| {
                    let by = caller.as_ref().map(|caller| Arc::clone(&caller.program)).unwrap_or_default();
                    judged(&record.head, record.judged, record.generation, Action::Exec, Operation::Exec, by)
                });
                events.push(KernelEvent { boot_ns: record.head.boot_ns, process, what: What::Exec(caller), judged });
            }
            Record::Exit { head } => {
                let process = self.process(&head);
                if head.flags & abi::RECORD_LAST == 0 {
                    events.push(KernelEvent { boot_ns: head.boot_ns, process, what: What::Exit, judged: None });
                } else {
                    events.push(KernelEvent {
                        boot_ns: head.boot_ns,
                        process: process.clone(),
                        what: What::Exit,
                        judged: None,
                    });
                    self.flush_tree(process.tree, events);
                    if self.trees.remove(&process.tree).is_some() {
                        events.push(KernelEvent {
                            boot_ns: head.boot_ns,
                            process,
                            what: What::TreeEnded,
                            judged: None,
                        });
                    }
                }
            }
            Record::Open { record, path } => self.open(&record, path, events),
            Record::Connect { record } => {
                let process = self.process(&record.head);
                let unnamed = record.head.flags & abi::RECORD_SOCKET != 0;
                let what = if unnamed { What::Socket(socket(&record)) } else { What::Connect(connect(&record)) };
                events.push(KernelEvent { boot_ns: record.head.boot_ns, process, what, judged: None });
            }
        }
    }

    /// A process was recognised at its exec; false: it was a candidate, and is something else.
    fn begin(
        &mut self,
        head: &RecordHead,
        pattern: u32,
        program: &Arc<Program>,
        events: &mut Vec<KernelEvent>,
    ) -> bool {
        let tree = TreeId(head.tree);
        let at = self.shared.pattern(pattern);
        if head.flags & abi::RECORD_CANDIDATE != 0 && !at.is_some_and(|at| confirm(&self.shared, at, head.pid, program))
        {
            self.shared.release(tree);
            self.rejected.insert(tree);
            return false;
        }
        // What it does before this takes hold is missed; only `tyrd run` waits for it.
        if let Err(error) = self.shared.hooks.lock().expect("no holder panics").attach_opens() {
            tracing::error!(error = %error, "opens can't be observed");
        }
        self.idle_since = None;
        if head.flags & abi::RECORD_CANDIDATE != 0 {
            self.shared.end_if_refused(head.agent_type, head.pid);
        }
        let agent_type = self.shared.types.lock().expect("no holder panics").name(head.agent_type);
        let text = at.map_or("", |at| self.shared.compiled.patterns[at].text.as_str()).into();
        let root = self.process_of(head, Arc::clone(&agent_type));
        self.trees.insert(tree, Tree { agent_type, empty: false, root: root.clone() });
        let what = What::TreeStarted { found_by: FoundBy::Fingerprint, pattern: text };
        events.push(KernelEvent { boot_ns: head.boot_ns, process: root, what, judged: None });
        true
    }

    fn process(&mut self, head: &RecordHead) -> Process {
        let agent_type = match self.trees.get(&TreeId(head.tree)) {
            Some(tree) => Arc::clone(&tree.agent_type),
            None => self.shared.types.lock().expect("no holder panics").name(head.agent_type),
        };
        self.process_of(head, agent_type)
    }

    fn process_of(&mut self, head: &RecordHead, agent_type: Arc<str>) -> Process {
        let program = if let Some(program) = self.programs.get(&head.program) {
            Arc::clone(program)
        } else {
            // Its exec was lost.
            let program = Arc::new(self.shared.program_in_kernel(head.program, head.pid));
            self.programs.insert(head.program, Arc::clone(&program));
            program
        };
        Process {
            pid: head.pid,
            tid: head.tid,
            ppid: head.ppid,
            uid: head.uid,
            tree: TreeId(head.tree),
            agent_type,
            program,
        }
    }

    fn open(&mut self, record: &OpenRecord, path: Vec<u8>, events: &mut Vec<KernelEvent>) {
        let path_flags = PathFlags {
            deleted: record.path_flags & abi::PATH_DELETED != 0,
            pseudo: record.path_flags & abi::PATH_PSEUDO != 0,
            truncated: record.path_flags & abi::PATH_TRUNCATED != 0,
        };
        let process = self.process(&record.head);
        let judged = (record.head.flags & abi::RECORD_JUDGED != 0).then(|| {
            let action = FILE_ACTIONS.get(usize::from(record.action)).copied().unwrap_or(Action::FileRead);
            let operation = Operation::ALL.get(usize::from(record.operation)).copied().unwrap_or(Operation::Open);
            let by = Arc::clone(&process.program);
            judged(&record.head, record.judged, record.generation, action, operation, by)
        });
        if record.head.kind == abi::KIND_RUN {
            let what = What::Run(Run { path, path_flags });
            events.push(KernelEvent { boot_ns: record.head.boot_ns, process, what, judged });
            return;
        }
        let repeats = record.merge.pid != 0;
        let event = KernelEvent {
            boot_ns: record.head.boot_ns,
            process,
            judged,
            what: What::Open(Open {
                view_at: (record.view_at as usize).min(path.len()),
                path,
                path_flags,
                read: record.access & 1 != 0,
                write: record.access & 2 != 0,
                flags: record.open_flags,
                errno: record.errnum,
                device: record.device,
                inode: record.merge.inode,
                count: 1,
                last_boot_ns: record.head.boot_ns,
            }),
        };
        if repeats {
            self.merging.push_back((record.merge, event.clone()));
        }
        events.push(event);
    }

    /// Reports repeats of opens whose second is over.
    fn flush_merges(&mut self, events: &mut Vec<KernelEvent>) {
        // Half a second later, so that who had found the count by then has counted into it.
        let over = boot_ns().saturating_sub(MERGE_NS / 2) / MERGE_NS;
        while self.merging.front().is_some_and(|(key, _)| u64::from(key.second) < over) {
            let Some((key, event)) = self.merging.pop_front() else { break };
            self.flush_merge(&key, &event, events);
        }
    }

    fn flush_tree(&mut self, tree: TreeId, events: &mut Vec<KernelEvent>) {
        let (own, others) = std::mem::take(&mut self.merging).into_iter().partition(|(_, e)| e.process.tree == tree);
        self.merging = others;
        let own: VecDeque<(MergeKey, KernelEvent)> = own;
        for (key, event) in own {
            self.flush_merge(&key, &event, events);
        }
    }

    fn flush_merge(&self, key: &MergeKey, event: &KernelEvent, events: &mut Vec<KernelEvent>) {
        let mut maps = self.shared.maps.lock().expect("no holder panics");
        let Ok(merge) = maps.merges.get(key, 0) else { return };
        let _ = maps.merges.remove(key);
        if merge.count > 0 {
            events.push(repeated(event, merge.first_ns, merge.last_ns, merge.count));
        }
    }

    /// Puts right what a lost record or a race left: trees without processes end, opens are watched only when need be.
    fn review(&mut self) -> Vec<KernelEvent> {
        self.twice.forget();
        let mut events = Vec::new();
        let alive: HashSet<TreeId> = {
            let mut maps = self.shared.maps.lock().expect("no holder panics");
            maps.drop_stale_holds();
            maps.processes.iter().flatten().map(|(_, mark)| TreeId(mark.tree)).collect()
        };
        let gone: Vec<TreeId> = self
            .trees
            .iter_mut()
            .filter_map(|(id, tree)| {
                let was_empty = std::mem::replace(&mut tree.empty, !alive.contains(id));
                (was_empty && tree.empty).then_some(*id)
            })
            .collect();
        for id in gone {
            self.flush_tree(id, &mut events);
            if let Some(tree) = self.trees.remove(&id) {
                events.push(KernelEvent {
                    boot_ns: boot_ns(),
                    process: tree.root,
                    what: What::TreeEnded,
                    judged: None,
                });
            }
            let _ = self.shared.maps.lock().expect("no holder panics").trees.remove(&id.0);
        }
        if alive.is_empty() && self.trees.is_empty() {
            // Nobody is left to be rejected, or to run a program.
            self.rejected.clear();
            let since = *self.idle_since.get_or_insert_with(Instant::now);
            if since.elapsed() >= OPENS_LINGER {
                let detached = self.shared.hooks.lock().expect("no holder panics").detach_opens();
                if let Err(error) = detached {
                    tracing::warn!(error = %error, "opens stay observed");
                }
            }
        } else {
            self.idle_since = None;
        }
        if self.programs.len() > PROGRAMS_KEPT {
            let maps = self.shared.maps.lock().expect("no holder panics");
            let running: HashSet<u64> = maps.programs.keys().flatten().collect();
            self.programs.retain(|id, _| running.contains(id));
        }
        events
    }
}

fn drain(ring: &mut RingBuf<MapData>, records: &mut Vec<Record>) {
    while let Some(item) = ring.next() {
        match Record::parse(&item) {
            Some(record) => records.push(record),
            None => {
                tracing::error!(bytes = item.len(), "the kernel programs sent a record that this agent does not know");
            }
        }
    }
}

/// The repeats of an open, as one event.
fn repeated(event: &KernelEvent, first_ns: u64, last_ns: u64, count: u64) -> KernelEvent {
    let mut event = event.clone();
    event.boot_ns = first_ns;
    if let What::Open(open) = &mut event.what {
        open.count = count;
        open.last_boot_ns = last_ns;
    }
    event
}

fn verdict(number: u8) -> Verdict {
    match number {
        abi::VERDICT_DENY => Verdict::Deny,
        abi::VERDICT_ALERT => Verdict::Alert,
        _ => Verdict::Allow,
    }
}

fn judged(
    head: &RecordHead,
    word: u32,
    generation: u32,
    action: Action,
    operation: Operation,
    by: Arc<Program>,
) -> Judged {
    Judged {
        action,
        verdict: verdict(head.verdict),
        rule: Word::from_bits(word).and_then(Word::rule),
        generation,
        operation,
        failed: head.flags & abi::RECORD_UNJUDGED != 0,
        guarded: head.flags & abi::RECORD_GUARDED != 0,
        enforced_by: if head.flags & abi::RECORD_FANOTIFY == 0 { EnforcedBy::Kernel } else { EnforcedBy::Fanotify },
        by,
    }
}

fn connect(record: &ConnectRecord) -> Connect {
    let addr = IpAddr::V6(Ipv6Addr::from(record.addr)).to_canonical();
    Connect {
        addr,
        port: record.port,
        protocol: if record.protocol == abi::IPPROTO_TCP {
            tyr_policy::Protocol::Tcp
        } else {
            tyr_policy::Protocol::Udp
        },
        verdict: verdict(record.head.verdict),
        rule: record.rule.checked_sub(1),
        generation: record.generation,
        failed: record.head.flags & abi::RECORD_UNJUDGED != 0,
    }
}

fn socket(record: &ConnectRecord) -> Socket {
    Socket {
        family: record.family,
        kind: record.kind,
        protocol: record.socket_protocol,
        verdict: verdict(record.head.verdict),
        rule: record.rule.checked_sub(1),
        generation: record.generation,
        failed: record.head.flags & abi::RECORD_UNJUDGED != 0,
    }
}
