//! Marking processes that run already, and taking marks away.
//!
//! The kernel programs do all marking of what starts from now on. Here a mark is written from outside; a pid file descriptor held
//! meanwhile tells whether the process was the same to the end.

use std::fs;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::sync::Arc;

use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::KernelError;
use super::abi::{PATH_BYTES_MAX, PATH_TRUNCATED, ProcessMark, ProgramPath};
use super::load::map;
use super::shared::{Note, Shared};
use crate::decode::{FoundBy, Program, TreeId};

/// Arguments that are kept of a process, as in the kernel.
const ARGS_BYTES_MAX: usize = 4096;

/// What the agent says of a new root.
#[derive(Debug, Clone)]
pub(super) struct Root {
    pub(super) agent_type: Arc<str>,
    pub(super) found_by: FoundBy,
    pub(super) pattern: Arc<str>,
}

impl Shared {
    /// See [`super::Kernel::mark`].
    pub(super) fn mark(&self, pid: u32, agent_type: &str) -> Result<TreeId, KernelError> {
        let root = Root { agent_type: agent_type.into(), found_by: FoundBy::Run, pattern: "".into() };
        self.mark_tree(&root, &[pid])
    }

    /// Makes processes one tree, the first its root. Those that are in a tree already stay there; those that are gone are
    /// left out, unless it's the root.
    pub(super) fn mark_tree(&self, root: &Root, pids: &[u32]) -> Result<TreeId, KernelError> {
        let (&first, rest) = pids.split_first().expect("a tree has a root");
        let refuse = |pid: u32, source: io::Error| KernelError::Mark { pid, source };
        if first == std::process::id() {
            return Err(refuse(first, io::Error::other("an agent does not govern itself")));
        }
        if !self.scope.holds(first) {
            return Err(refuse(first, io::Error::other("it is gone or not in the scope")));
        }
        if let Some(known) = self.tree_of(first) {
            return Ok(known);
        }
        let number = self
            .types
            .lock()
            .expect("no holder panics")
            .number(&root.agent_type)
            .ok_or_else(|| KernelError::AgentTypes { agent_type: root.agent_type.to_string() })?;
        // Before the mark: what it opens from then on is to be seen.
        self.hooks.lock().expect("no holder panics").attach_opens()?;
        let tree = TreeId(self.next_id());
        let mark = ProcessMark {
            tree: tree.0,
            program: 0,
            tried_second: 0,
            tried: 0,
            agent_type: number,
            flags: 0,
            binary_class: 0,
        };
        self.maps.lock().expect("no holder panics").trees.insert(tree.0, 0, 0).map_err(|e| map("trees", e))?;
        let program = self.next_id();
        let _ = self.notes.send(Note::Tree {
            tree,
            agent_type: Arc::clone(&root.agent_type),
            pid: first,
            program,
            found_by: root.found_by,
            pattern: Arc::clone(&root.pattern),
        });
        if let Err(error) = self.mark_process(ProcessMark { program, ..mark }, first) {
            let _ = self.maps.lock().expect("no holder panics").trees.remove(&tree.0);
            return Err(error);
        }
        for &pid in rest {
            if self.tree_of(pid).is_none() {
                // It may be gone by now, which is no error of the tree.
                let _ = self.mark_process(ProcessMark { program: self.next_id(), ..mark }, pid);
            }
        }
        Ok(tree)
    }

    /// Adds a process to a tree that is known.
    pub(super) fn join_tree(&self, pid: u32, parent: u32) -> Result<(), KernelError> {
        let mark = self.maps.lock().expect("no holder panics").processes.get(&parent, 0);
        let mark = mark.map_err(|e| map("processes", e))?;
        self.mark_process(ProcessMark { program: self.next_id(), tried: 0, binary_class: 0, ..mark }, pid)
    }

    fn mark_process(&self, mark: ProcessMark, pid: u32) -> Result<(), KernelError> {
        let refuse = |source: io::Error| KernelError::Mark { pid, source };
        let held = open_pid(pid).map_err(refuse)?;
        self.hooks.lock().expect("no holder panics").admit(pid)?;
        let program = Arc::new(running_program(pid));
        let path = ProgramPath {
            processes: 1,
            path_flags: if program.exe_truncated { PATH_TRUNCATED } else { 0 },
            path_bytes: u32::try_from(program.exe.len()).expect("cut when it was read"),
            _pad: 0,
            path: {
                let mut path = [0; PATH_BYTES_MAX];
                path[..program.exe.len()].copy_from_slice(&program.exe);
                path
            },
        };
        let _ = self.notes.send(Note::Program { id: mark.program, program });
        let mut maps = self.maps.lock().expect("no holder panics");
        maps.programs.insert(mark.program, path, 0).map_err(|e| map("programs", e))?;
        // Not atomic against a fork in the kernel; the reader compares the counts with the marks from time to time.
        let count = maps.trees.get(&mark.tree, 0).unwrap_or(0);
        maps.trees.insert(mark.tree, count + 1, 0).map_err(|e| map("trees", e))?;
        // One that had its number before may have been held to something.
        let _ = maps.holds.remove(&pid);
        maps.processes.insert(pid, mark, 0).map_err(|e| map("processes", e))?;
        if is_gone(&held) {
            // Its exit may have come before the mark; then nobody else takes the mark away.
            if maps.processes.remove(&pid).is_ok() {
                let _ = maps.programs.remove(&mark.program);
                let _ = maps.trees.insert(mark.tree, count, 0);
            }
            return Err(refuse(io::Error::from_raw_os_error(libc::ESRCH)));
        }
        Ok(())
    }

    /// The tree that a process belongs to.
    pub(super) fn tree_of(&self, pid: u32) -> Option<TreeId> {
        let maps = self.maps.lock().expect("no holder panics");
        maps.processes.get(&pid, 0).ok().map(|mark| TreeId(mark.tree))
    }

    /// Takes the marks of a tree away: it is none of AI processes.
    pub(super) fn release(&self, tree: TreeId) {
        let mut maps = self.maps.lock().expect("no holder panics");
        loop {
            let own: Vec<u32> =
                maps.processes.iter().flatten().filter(|(_, mark)| mark.tree == tree.0).map(|(pid, _)| pid).collect();
            // A child forked meanwhile has the mark too.
            if own.is_empty() {
                break;
            }
            for pid in own {
                let _ = maps.processes.remove(&pid);
                let _ = maps.holds.remove(&pid);
            }
        }
        let _ = maps.trees.remove(&tree.0);
    }

    /// What a program id stands for, as far as the kernel still knows.
    pub(super) fn program_in_kernel(&self, id: u64, pid: u32) -> Program {
        let known = self.maps.lock().expect("no holder panics").programs.get(&id, 0);
        match known {
            Ok(path) => Program {
                exe: path.path[..PATH_BYTES_MAX.min(path.path_bytes as usize)].to_vec(),
                exe_truncated: path.path_flags & PATH_TRUNCATED != 0,
                args: arguments(pid),
                filename: Vec::new(),
            },
            Err(_) => running_program(pid),
        }
    }
}

fn open_pid(pid: u32) -> io::Result<OwnedFd> {
    let raw = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::InvalidInput)?;
    Ok(pidfd_open(raw, PidfdFlags::empty())?)
}

/// A pid file descriptor is readable once the process is gone.
fn is_gone(held: &OwnedFd) -> bool {
    let mut fd = libc::pollfd { fd: held.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    // SAFETY: one entry, as told, that lives until the call returns.
    unsafe { libc::poll(&raw mut fd, 1, 0) > 0 }
}

/// The program of a running process; empty parts where it is gone.
pub(super) fn running_program(pid: u32) -> Program {
    let mut exe =
        fs::read_link(format!("/proc/{pid}/exe")).map_or_else(|_| Vec::new(), |p| p.into_os_string().into_vec());
    if let Some(plain) = exe.strip_suffix(b" (deleted)") {
        exe.truncate(plain.len());
    }
    let exe_truncated = exe.len() > PATH_BYTES_MAX;
    exe.truncate(PATH_BYTES_MAX);
    Program { exe, exe_truncated, args: arguments(pid), filename: Vec::new() }
}

fn arguments(pid: u32) -> Vec<u8> {
    let mut args = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    args.truncate(ARGS_BYTES_MAX);
    args
}
