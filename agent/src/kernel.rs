//! The kernel side of the agent: loads the programs of `ebpf/`, marks processes, publishes policies, hands out events.
//!
//! This module alone knows aya. What the programs report leaves as [`KernelEvent`]s through [`Kernel::events`]; what they
//! are told goes in through [`Kernel::publish`] and [`Kernel::mark`].

use std::collections::BTreeSet;
use std::ffi::CStr;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::mpsc;
use tyr_policy::Image;

use crate::decode::{KernelEvent, TreeId};
use crate::fingerprints::{Fingerprints, FingerprintsError};

pub(crate) mod abi;
mod admit;
mod canary;
mod compare;
mod holds;
mod load;
mod lsm;
mod marks;
mod pins;
mod policy;
mod reader;
mod register;
mod rehearse;
mod scan;
mod shared;
mod slot;
mod symbols;
mod twice;

pub use canary::CanaryError;
pub use compare::{Compared, Comparison};
pub use pins::detach;
pub use register::{Mark, Register, Told, Who};
pub use rehearse::Rehearsal;

use shared::Shared;

/// What to load, and for whom.
#[derive(Debug)]
pub struct Options {
    /// Absolute path of a cgroup v2 folder: only processes in it and below are ever looked at. `None`: the whole host.
    pub scope: Option<PathBuf>,
    /// How AI processes are recognised.
    pub fingerprints: Fingerprints,
    /// Merge repeated successful opens of the same file within one second into one event with a count, where they are observed.
    pub merge_opens: bool,
    /// The same of opens that were judged and allowed.
    pub merge_allowed: bool,
    /// Folder in a bpf file system to keep enforcement in beyond the agent's end, where files are enforced; `None`: it ends.
    pub pins: Option<PathBuf>,
    /// Hooks of LSM to go without, such as `lsm/path_chmod`, as if the kernel refused them.
    pub without: Vec<String>,
}

/// Why the kernel's side did not come up. Nothing stays attached.
#[derive(Debug, thiserror::Error)]
pub enum KernelError {
    /// Not root.
    #[error("loading kernel programs needs root")]
    NotRoot,
    /// The kernel has no type information.
    #[error("this kernel has no type information (BTF) at /sys/kernel/btf/vmlinux")]
    NoBtf,
    /// The kernel refused a program.
    #[error("the kernel refused the program `{program}`")]
    Refused {
        /// Name of the program in `ebpf/`.
        program: &'static str,
        /// What it said.
        #[source]
        source: io::Error,
    },
    /// The fingerprints can't be used.
    #[error("the fingerprints can't be used")]
    Fingerprints(#[source] FingerprintsError),
    /// The object with the programs is not what this agent was built with.
    #[error("the kernel programs could not be prepared")]
    Object(#[source] io::Error),
    /// The scope is no cgroup v2 folder.
    #[error("the scope {} is not a cgroup v2 folder", path.display())]
    Scope {
        /// As configured.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A map could not be read or written.
    #[error("the kernel map `{map}` could not be accessed")]
    Map {
        /// Its name in `ebpf/`.
        map: &'static str,
        /// What the kernel said.
        #[source]
        source: io::Error,
    },
    /// More agent types than the kernel's tables hold.
    #[error("`{agent_type}` is one agent type too many: the kernel tables hold {}", abi::AGENT_TYPES_MAX)]
    AgentTypes {
        /// The type that found no room.
        agent_type: String,
    },
    /// The hooks could not be kept beyond the agent's end, or those of the agent before could not be taken off.
    #[error("the hooks can't be kept in {}", path.display())]
    Pin {
        /// Where.
        path: PathBuf,
        /// What the kernel said.
        #[source]
        source: io::Error,
    },
    /// The process to be marked is gone, or not in the scope.
    #[error("process {pid} can't be marked")]
    Mark {
        /// The process.
        pid: u32,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

impl KernelError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NotRoot => "start tyrd as root, or as the service tyr-agent",
            Self::NoBtf => {
                "use a kernel built with CONFIG_DEBUG_INFO_BTF=y; those of Debian, Ubuntu, Fedora and RHEL are"
            }
            Self::Refused { .. } => "tyrd needs a kernel from 6.1 on that lets root load BPF programs; see the cause",
            Self::Fingerprints(_) => "mend the file that `fingerprints` names, or leave it out",
            Self::Object(_) => "install tyrd again; if it stays, report it with the cause",
            Self::Scope { .. } => {
                "`scope.cgroup` is an absolute path below the cgroup2 mount, see `grep cgroup2 /proc/mounts`"
            }
            Self::AgentTypes { .. } => "use fewer agent types in fingerprints, policies and `tyrd run --type`",
            Self::Map { .. } => "start tyrd again; if it stays, report it with the cause",
            Self::Pin { .. } => "see that the folder can be written; `tyrd detach` takes off what an earlier tyrd left",
            Self::Mark { .. } => "the process must be alive and inside the scope's cgroup",
        }
    }
}

/// How much of a policy this kernel enforces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Posture {
    /// Everything is observed, nothing is enforced.
    Observing,
    /// Network rules are enforced; files and programs are observed, or some hooks are missing.
    Partial,
    /// All rules are enforced, before anything happens.
    Enforcing,
}

/// Events that were made and could not be handed over, cumulative since the programs were loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loss {
    /// What kind of events.
    pub kind: LossKind,
    /// With which verdict; opens and execs have none in the kernel yet and count as allowed.
    pub verdict: tyr_policy::Verdict,
    /// `kernel_ring`: the reader was too slow.
    pub reason: &'static str,
    /// How many.
    pub count: u64,
}

/// A kind of event as the kernel counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LossKind {
    /// A program started.
    Exec,
    /// A process ended; costs lineage, no event.
    Exit,
    /// A file opened; whether for reading or writing is not known of those that were lost.
    Open,
    /// A connection.
    Connect,
}

/// The loaded programs. Dropping it (and the receiver of events) detaches all of them, and nothing stays in the kernel but what
/// [`Kernel::keep`] keeps.
#[derive(Debug)]
pub struct Kernel {
    shared: Arc<Shared>,
    events: Option<mpsc::Receiver<KernelEvent>>,
    reader: tokio::task::JoinHandle<()>,
    posture: Posture,
    posture_reason: String,
}

/// Events that wait for whoever takes them; behind that they wait in the rings.
const EVENTS_QUEUE: usize = 4096;

impl Kernel {
    /// Loads and attaches the programs, and marks the AI processes that run already. Needs a tokio runtime with I/O and time.
    ///
    /// # Errors
    /// Not root, no BTF, a scope that is none, or a program that the kernel refuses; nothing stays attached.
    #[expect(clippy::needless_pass_by_value, reason = "settings are handed over: nobody changes them afterwards")]
    pub fn load(options: Options) -> Result<Self, KernelError> {
        let loaded = load::load(&options)?;
        let (notes, notes_in) = mpsc::unbounded_channel();
        let shared =
            Arc::new(Shared::new(loaded.maps, loaded.types, loaded.hooks, loaded.scope, loaded.compiled, notes)?);
        // Before the first mark: opens of the marked are judged or observed, and this decides which.
        let (posture, posture_reason) = shared.prove(loaded.posture);
        let (out, events) = mpsc::channel(EVENTS_QUEUE);
        let reader = reader::Reader::new(Arc::clone(&shared), loaded.rings, notes_in, out)
            .map_err(|source| KernelError::Map { map: "urgent", source })?;
        let reader = tokio::spawn(reader.run());
        let kernel = Self { shared, events: Some(events), reader, posture, posture_reason };
        kernel.shared.adopt()?;
        // After the programs are attached: what starts meanwhile is theirs, what ran before is found here.
        kernel.scan()?;
        Ok(kernel)
    }

    /// What happens from now on, in order of time as far as one reading of the rings goes. Can be taken once.
    ///
    /// # Panics
    /// When taken twice.
    pub fn events(&mut self) -> mpsc::Receiver<KernelEvent> {
        self.events.take().expect("the events are taken once")
    }

    /// Puts a policy in force, all at once: every action is judged by the old or by the new one, and none by the old one
    /// after this returns. Returns its generation, which [`crate::decode::Connect::generation`] names.
    ///
    /// Takes some 20 ms (the kernel waits until no program holds the old one), in which it blocks.
    ///
    /// # Errors
    /// The kernel took no more; the old policy stays in force.
    pub fn publish(&self, image: &Image) -> Result<u32, KernelError> {
        self.shared.publish(image)
    }

    /// Has the kernel end AI tools of all types but these before their first instruction, from now on; `None`: of no type. Those
    /// that run are left alone.
    ///
    /// # Errors
    /// The kernel's table could not be written.
    pub fn refuse_types(&self, registered: Option<&BTreeSet<String>>) -> Result<(), KernelError> {
        self.shared.types.lock().expect("no holder panics").refuse(registered.cloned())
    }

    /// Holds a process, and all that descend from it, to a rule of the policy in force whose condition held for it: from now on the rule
    /// counts for them as if it had none, and denies. `rule` is its [`tyr_policy::RuleRef::identity`], `tree` the process's. Gives the
    /// number of processes that were not held to it before: 0 where the process is gone, or the policy has no such rule any more.
    ///
    /// Those that descend from it by one that has ended aren't found.
    ///
    /// # Errors
    /// The kernel's table is full, or can't be written.
    pub fn hold(&self, pid: u32, tree: TreeId, rule: u64) -> Result<usize, KernelError> {
        self.shared.hold(pid, tree, rule)
    }

    /// The tables in force as the kernel has them, read back; `None` before the first policy.
    ///
    /// # Errors
    /// They could not be read.
    pub fn tables(&self) -> Result<Option<Tables>, KernelError> {
        self.shared.tables()
    }

    /// Tries a denial, where files are enforced: starts a process that is denied all opens, and lets it open something.
    /// Blocks for some milliseconds.
    ///
    /// # Errors
    /// It was not denied, or could not be tried.
    pub fn try_denial(&self) -> Result<(), CanaryError> {
        self.shared.try_denial()
    }

    /// The same with the folder `at`: shows whether what judges opens there denies any.
    ///
    /// # Errors
    /// It was not denied, or could not be tried.
    pub fn try_denial_of(&self, at: &CStr) -> Result<(), CanaryError> {
        self.shared.try_denial_of(at)
    }

    /// The marks, for a judge outside of the kernel programs.
    ///
    /// # Errors
    /// The maps could not be opened again.
    pub fn register(&self) -> Result<Register, KernelError> {
        self.shared.register()
    }

    /// Makes a running process the root of a tree. It and what it starts from now on is governed once this returns.
    /// A process that belongs to a tree already stays there.
    ///
    /// # Errors
    /// It is gone or not in the scope, or the agent type is one too many.
    pub fn mark(&self, pid: u32, agent_type: &str) -> Result<TreeId, KernelError> {
        self.shared.mark(pid, agent_type)
    }

    /// Finds AI processes that run already, marks them with all that descends from them, and returns how many it marked.
    /// Reads all of `/proc`, so it blocks for some milliseconds.
    ///
    /// # Errors
    /// The marks could not be written.
    pub fn scan(&self) -> Result<usize, KernelError> {
        scan::scan(&self.shared)
    }

    /// Events lost in the kernel so far, one entry per kind, verdict and reason with any.
    pub fn losses(&self) -> Vec<Loss> {
        self.shared.losses()
    }

    /// Attach points in use, such as `tp_btf/sched_process_exec`.
    pub fn hooks(&self) -> Vec<&'static str> {
        self.shared.hooks.lock().expect("no holder panics").attached()
    }

    /// Keeps what is enforced beyond this agent's end, and takes off what an agent before it kept. To be called when the policy is in
    /// force: until then the one before goes on judging. Nothing where [`Options::pins`] is none, or files aren't enforced.
    ///
    /// # Errors
    /// A hook could not be kept; then it is gone.
    pub fn keep(&self) -> Result<(), KernelError> {
        self.shared.hooks.lock().expect("no holder panics").keep()
    }

    /// The folder that keeps the hooks beyond this agent's end, if one does.
    pub fn kept(&self) -> Option<PathBuf> {
        self.shared.hooks.lock().expect("no holder panics").kept()
    }

    /// Whether the programs judge each open before it happens.
    pub fn judges_opens(&self) -> bool {
        self.hooks().contains(&lsm::OPEN)
    }

    /// What is enforced, and one sentence on why not more.
    pub fn posture(&self) -> (Posture, &str) {
        (self.posture, &self.posture_reason)
    }

    /// Processes that are governed now, and the trees that they form.
    pub fn governed(&self) -> Governed {
        self.shared.governed()
    }
}

impl Drop for Kernel {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

/// A policy's tables in the kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tables {
    /// As [`Kernel::publish`] returned it.
    pub generation: u32,
    /// Version of the form, and SHA-256 of what the kernel judges by in that form, in hex: see [`tyr_policy::Contents`].
    pub digest: String,
    /// It is what this agent wrote there.
    pub intact: bool,
}

/// How much is governed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Governed {
    /// Processes (thread groups).
    pub processes: u32,
    /// Trees of AI processes.
    pub trees: u32,
}
