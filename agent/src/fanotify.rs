//! Files and programs refused where the kernel takes no BPF LSM programs: on file systems that the operator names, the kernel asks
//! `tyrd` through fanotify before it opens a file or program.
//!
//! Marked is the file system and not the mount: a mount that a process makes for itself (`unshare -m`, bind mounts) would be
//! another one. So each open on it waits for an answer, whoever's it is, `tyrd`'s own among them, and this must hold:
//!
//! - Who answers ([`worker`]) opens nothing that could be asked about, takes no lock that anybody holds while opening, and writes to
//!   nobody who may be waiting: no log either. What it says goes into a queue with a limit.
//! - Each file system has a thread of its own. An answer that takes longer than [`ANSWER_MAX`] is given by another thread, which starts
//!   a worker in the late one's place: refused to who is governed, allowed to all others.
//! - When `tyrd` ends, however that happens, the kernel closes what it asked by and lets through who waits.

use std::ffi::CString;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use tokio::sync::watch;

use crate::kernel::{CanaryError, Kernel, KernelError, Register};
use crate::policies::Lowered;

mod call;
mod file;
mod group;
mod judge;
mod mounts;

use group::Group;
use judge::Judge;
pub use mounts::MountError;

/// Longest that an answer may take.
pub const ANSWER_MAX: Duration = Duration::from_secs(1);
/// How often it is looked whether one is late.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Workers of one file system that may be late at the same time. When there are more, it is given up: all is let through, and told.
const LATE_MAX: u32 = 8;

/// Why nothing is refused there.
#[derive(Debug, thiserror::Error)]
pub enum FanotifyError {
    /// A configured path can't be marked.
    #[error(transparent)]
    Mount(#[from] MountError),
    /// The kernel lets this process ask for nothing.
    #[error("tyrd may not ask the kernel about opens (fanotify), as it has no CAP_SYS_ADMIN or may not make the call")]
    NotAllowed(#[source] io::Error),
    /// The kernel asks nobody before it opens.
    #[error("this kernel asks nobody before it opens a file: it is built without CONFIG_FANOTIFY_ACCESS_PERMISSIONS")]
    NotBuilt(#[source] io::Error),
    /// Something else.
    #[error("opens on {} can't be asked about", path.display())]
    Kernel {
        /// Where.
        path: PathBuf,
        /// What the kernel said.
        #[source]
        source: io::Error,
    },
    /// The marks can't be read.
    #[error("who is governed can't be read")]
    Register(#[from] KernelError),
}

impl FanotifyError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Mount(error) => error.hint(),
            Self::NotAllowed(_) => {
                "the service runs without it; see docs/fanotify.md for the lines that let it, or leave `fanotify` out"
            }
            Self::NotBuilt(_) | Self::Kernel { .. } => {
                "leave `fanotify` out of the configuration, and report the cause"
            }
            Self::Register(error) => error.hint(),
        }
    }
}

/// What asks about opens on the named file systems. Dropping it ends that, and everything is let through.
#[derive(Debug)]
pub struct Fanotify {
    stations: Vec<Station>,
    overdue: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
}

/// One file system.
#[derive(Debug)]
struct Station {
    path: PathBuf,
    c_path: CString,
    /// The worker holds it: when the worker is gone, so is this.
    group: Weak<Group>,
}

impl Fanotify {
    /// Marks the file systems that are mounted at these paths, and answers from then on by the policy in force.
    ///
    /// # Errors
    ///
    /// A path that can't be marked, or a kernel that does not let `tyrd`; nothing is marked then.
    pub fn start(
        paths: &[PathBuf],
        register: Register,
        images: &watch::Receiver<Option<Arc<Lowered>>>,
    ) -> Result<Self, FanotifyError> {
        let register = Arc::new(register);
        let mut started = Self { stations: Vec::new(), overdue: Arc::default(), stop: Arc::default() };
        for path in paths {
            mounts::check(path)?;
        }
        for path in paths {
            let c_path = CString::new(path.as_os_str().as_bytes()).expect("the path was looked up");
            let group = Arc::new(Group::new().map_err(|source| match source.raw_os_error() {
                Some(libc::EPERM) => FanotifyError::NotAllowed(source),
                Some(libc::ENOSYS) => FanotifyError::NotBuilt(source),
                _ => FanotifyError::Kernel { path: path.clone(), source },
            })?);
            let judge = Judge::new(Arc::clone(&register), images.clone());
            let failed = |source| FanotifyError::Kernel { path: path.clone(), source };
            // Answers before questions: this very thread may be the first to be asked about.
            started.stations.push(Station {
                path: path.clone(),
                c_path: c_path.clone(),
                group: Arc::downgrade(&group),
            });
            start_worker(&group, judge.clone()).map_err(failed)?;
            started.watch(&group, judge).map_err(failed)?;
            group.mark(&c_path).map_err(|source| match source.raw_os_error() {
                Some(libc::EPERM) => FanotifyError::NotAllowed(source),
                Some(libc::EINVAL) => FanotifyError::NotBuilt(source),
                _ => failed(source),
            })?;
        }
        Ok(started)
    }

    /// The paths whose file systems are still asked about.
    pub fn mounts(&self) -> impl Iterator<Item = &Path> {
        self.stations.iter().filter(|station| station.group.strong_count() > 0).map(|station| &*station.path)
    }

    /// Answers that were given in place of a worker that was late.
    pub fn overdue(&self) -> u64 {
        self.overdue.load(Ordering::Relaxed)
    }

    /// Tries a denial on each of the file systems; the first that does not happen, with its path. Blocks for some milliseconds.
    ///
    /// # Errors
    ///
    /// See [`Kernel::try_denial_of`].
    pub fn try_denials(&self, kernel: &Kernel) -> Result<(), (PathBuf, CanaryError)> {
        self.stations.iter().try_for_each(|station| {
            kernel.try_denial_of(&station.c_path).map_err(|error| (station.path.clone(), error))
        })
    }

    /// Looks after a worker until its group is gone.
    fn watch(&self, group: &Arc<Group>, judge: Judge) -> io::Result<()> {
        let (group, overdue, stop) = (Arc::downgrade(group), Arc::clone(&self.overdue), Arc::clone(&self.stop));
        let look = move || {
            let mut late = 0;
            while let (Some(group), false) = (group.upgrade(), stop.load(Ordering::Relaxed)) {
                if let Some(governed) = group.answer_late(ANSWER_MAX) {
                    overdue.fetch_add(1, Ordering::Relaxed);
                    if governed {
                        judge.lose();
                    }
                    late += 1;
                    let started = late <= LATE_MAX && start_worker(&group, judge.clone()).is_ok();
                    if !started {
                        group.give_up();
                        break;
                    }
                }
                drop(group);
                thread::park_timeout(LOOK_EVERY);
            }
            // Until the last worker, late as it is, lets go of it.
            while let Some(group) = group.upgrade() {
                group.let_through();
                drop(group);
                thread::park_timeout(LOOK_EVERY);
            }
        };
        thread::Builder::new().name("fanotify-watch".to_owned()).spawn(look)?;
        Ok(())
    }
}

impl Drop for Fanotify {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for group in self.stations.iter().filter_map(|station| station.group.upgrade()) {
            group.give_up();
        }
    }
}

/// A worker in the place of the one before.
fn start_worker(group: &Arc<Group>, judge: Judge) -> io::Result<()> {
    let (group, number) = (Arc::clone(group), group.new_worker());
    thread::Builder::new().name("fanotify".to_owned()).spawn(move || worker(&group, number, judge))?;
    Ok(())
}

/// Answers one question after the other, until the group is given up or another worker stands in its place. The group closes with the
/// last worker, also when that one panics: then the kernel lets through who waits.
fn worker(group: &Arc<Group>, number: u32, mut judge: Judge) {
    while let Some(question) = group.next() {
        let allow = judge.decide(&question, || group.is_governed(&question));
        group.answer(question, allow);
        if !group.is_worker(number) {
            return;
        }
    }
}
