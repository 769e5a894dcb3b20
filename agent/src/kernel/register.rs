//! Who is governed, for a judge outside of the kernel programs (fanotify), and where that one tells what it judged.
//!
//! It shares no lock with anybody: whoever waits for such a judge may hold one of the agent's.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use aya::maps::{Array, HashMap, Map, MapData};
use rustix::time::{ClockId, clock_gettime};
use tokio::sync::mpsc;
use tyr_policy::{Action, FILE_ACTIONS, Held, Verdict, Word};

use super::abi::{
    HoldData, KIND_OPEN, KIND_RUN, MergeKey, OpenRecord, PATH_BYTES_MAX, PATH_DELETED, PATH_TRUNCATED, PROCESS_CANARY,
    PROCESS_CANDIDATE, ProcessMark, ProgramPath, RECORD_CANDIDATE, RECORD_FANOTIFY, RECORD_JUDGED, RECORD_UNJUDGED,
    RecordHead, TypeName, VERDICT_ALERT, VERDICT_ALLOW, VERDICT_DENY,
};
use super::load::map;
use super::shared::{Note, Shared};
use super::{KernelError, Loss, LossKind};
use crate::decode::{Operation, PathFlags};

/// Judgements that wait for the reader, at most; it reads them each few hundredths of a second.
const WAITING_MAX: usize = 1 << 16;

/// The marks of governed processes, read where they are.
pub struct Register {
    processes: HashMap<MapData, u32, ProcessMark>,
    programs: HashMap<MapData, u64, ProgramPath>,
    type_names: Array<MapData, TypeName>,
    holds: HashMap<MapData, u32, HoldData>,
    notes: mpsc::UnboundedSender<Note>,
    tally: Arc<Tally>,
}

impl std::fmt::Debug for Register {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Register")
    }
}

/// The mark of a governed process.
#[derive(Debug, Clone, Copy)]
pub struct Mark(ProcessMark);

impl Mark {
    /// Made to be denied everything: see [`super::Kernel::try_denial_of`].
    pub fn is_canary(self) -> bool {
        self.0.flags & PROCESS_CANARY != 0
    }
}

/// What rules ask of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    /// Its agent type.
    pub agent_type: String,
    /// Path of its executable from the root of the mount namespace; empty where it isn't known as a whole.
    pub exe: Vec<u8>,
}

/// What was judged, and how.
#[derive(Debug, Clone)]
pub struct Told {
    /// The thread that acts, its process, and that one's parent.
    pub tid: u32,
    /// See `tid`.
    pub pid: u32,
    /// See `tid`.
    pub ppid: u32,
    /// Real user id.
    pub uid: u32,
    /// The file's path from the root of the mount namespace.
    pub path: Vec<u8>,
    /// What the path is and isn't.
    pub path_flags: PathFlags,
    /// Device number as stat(2) has it, and inode number.
    pub device: u64,
    /// See `device`.
    pub inode: u64,
    /// For reading, for writing.
    pub access: [bool; 2],
    /// `O_…` flags, where they are known.
    pub open_flags: u32,
    /// What the verdict is about.
    pub action: Action,
    /// What is done.
    pub operation: Operation,
    /// What was said.
    pub word: Word,
    /// Under which policy.
    pub generation: u32,
    /// It could not be judged.
    pub failed: bool,
    /// The call that it is part of is one that the observer of opens reports.
    pub observed: bool,
}

/// Judgements on their way, and those that found no room.
#[derive(Debug, Default)]
pub(super) struct Tally {
    waiting: AtomicUsize,
    lost: [AtomicU64; 2],
}

impl Tally {
    pub(super) fn took_one(&self) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
    }

    pub(super) fn losses(&self) -> impl Iterator<Item = Loss> {
        let verdicts = [Verdict::Deny, Verdict::Alert].into_iter().zip(&self.lost);
        verdicts
            .map(|(verdict, lost)| (verdict, lost.load(Ordering::Relaxed)))
            .filter(|(_, count)| *count > 0)
            .map(|(verdict, count)| Loss { kind: LossKind::Open, verdict, reason: "fanotify_queue", count })
    }
}

impl Shared {
    /// See [`super::Kernel::register`].
    pub(super) fn register(&self) -> Result<Register, KernelError> {
        let maps = self.maps.lock().expect("no holder panics");
        let again = |name| {
            let fd = maps.again.iter().find(|(own, _)| *own == name).expect("kept when it was loaded").1.try_clone();
            let fd = fd.map_err(|source| KernelError::Map { map: name, source })?;
            MapData::from_fd(fd).map_err(|e| map(name, e))
        };
        let processes = Map::HashMap(again("processes")?);
        let programs = Map::HashMap(again("programs")?);
        let type_names = Map::Array(again("type_names")?);
        let holds = Map::HashMap(again("holds")?);
        Ok(Register {
            processes: processes.try_into().map_err(|e| map("processes", e))?,
            programs: programs.try_into().map_err(|e| map("programs", e))?,
            type_names: type_names.try_into().map_err(|e| map("type_names", e))?,
            holds: holds.try_into().map_err(|e| map("holds", e))?,
            notes: self.notes.clone(),
            tally: Arc::clone(&self.tally),
        })
    }
}

impl Register {
    /// The mark of a process, by its thread group id; `None`: nobody governs it.
    pub fn mark(&self, pid: u32) -> Option<Mark> {
        self.processes.get(&pid, 0).ok().map(Mark)
    }

    /// What rules ask of it; `None` when the marks are changing under it.
    pub fn who(&self, mark: Mark) -> Option<Who> {
        let agent_type = self.type_names.get(&mark.0.agent_type.into(), 0).ok()?.text();
        let exe = match self.programs.get(&mark.0.program, 0) {
            Ok(path) if path.path_flags & PATH_TRUNCATED == 0 => {
                path.path[..PATH_BYTES_MAX.min(path.path_bytes as usize)].to_vec()
            }
            _ => Vec::new(),
        };
        Some(Who { agent_type, exe })
    }

    /// What a process is held to under the policy of a generation.
    pub fn held(&self, pid: u32, generation: u32) -> Held {
        self.holds.get(&pid, 0).map_or(Held::NONE, |hold| hold.under(generation))
    }

    /// Counts a denial or an alert that nobody is told of.
    pub fn lose(&self, verdict: Verdict) {
        self.tally.lost[usize::from(verdict != Verdict::Deny)].fetch_add(1, Ordering::Relaxed);
    }

    /// Tells what was judged; to be called before it is answered, so that what comes of it is known as its consequence.
    pub fn tell(&self, mark: Mark, told: Told) {
        let denied = told.word.verdict() == Verdict::Deny;
        if self.tally.waiting.fetch_add(1, Ordering::Relaxed) >= WAITING_MAX {
            self.tally.waiting.fetch_sub(1, Ordering::Relaxed);
            self.lose(told.word.verdict());
            return;
        }
        let action = FILE_ACTIONS.iter().position(|action| *action == told.action).unwrap_or_default();
        let operation = Operation::ALL.iter().position(|operation| *operation == told.operation).unwrap_or_default();
        let small = |at: usize| u16::try_from(at).expect("a short list");
        let mut flags = RECORD_JUDGED | RECORD_FANOTIFY;
        flags |= if told.failed { RECORD_UNJUDGED } else { 0 };
        flags |= if mark.0.flags & PROCESS_CANDIDATE == 0 { 0 } else { RECORD_CANDIDATE };
        let record = OpenRecord {
            head: RecordHead {
                boot_ns: boot_ns(),
                tree: mark.0.tree,
                program: mark.0.program,
                pid: told.pid,
                tid: told.tid,
                ppid: told.ppid,
                uid: told.uid,
                agent_type: mark.0.agent_type,
                kind: if told.action == Action::Exec { KIND_RUN } else { KIND_OPEN },
                verdict: match told.word.verdict() {
                    Verdict::Allow => VERDICT_ALLOW,
                    Verdict::Deny => VERDICT_DENY,
                    Verdict::Alert => VERDICT_ALERT,
                },
                flags,
                _pad: 0,
            },
            merge: MergeKey {
                dentry: 0,
                mount: 0,
                inode: told.inode,
                program: 0,
                pid: 0,
                generation: 0,
                access: 0,
                second: 0,
                moves: 0,
                name_hash: 0,
                holds: 0,
            },
            device: libc::major(told.device) << 20 | libc::minor(told.device),
            open_flags: told.open_flags,
            path_bytes: u32::try_from(told.path.len()).unwrap_or(u32::MAX),
            view_at: 0,
            path_flags: if told.path_flags.deleted { PATH_DELETED } else { 0 }
                | if told.path_flags.truncated { PATH_TRUNCATED } else { 0 },
            errnum: if denied { u16::try_from(libc::EPERM).expect("1") } else { 0 },
            access: u16::from(told.access[0]) | u16::from(told.access[1]) << 1,
            judged: told.word.bits(),
            generation: told.generation,
            action: small(action),
            operation: small(operation),
            _pad: 0,
        };
        // The reader ends with the agent.
        let _ = self.notes.send(Note::Judged { record: Box::new(record), path: told.path, observed: told.observed });
    }
}

/// `CLOCK_BOOTTIME` now, in nanoseconds.
pub(super) fn boot_ns() -> u64 {
    let now = clock_gettime(ClockId::Boottime);
    u64::try_from(now.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(now.tv_nsec).unwrap_or(0)
}
