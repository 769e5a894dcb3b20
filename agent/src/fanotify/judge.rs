//! The answer to one question, by the tables that the kernel programs would judge by.

use std::collections::HashMap;
use std::fs;
use std::sync::Arc;

use tokio::sync::watch;
use tyr_policy::{Act, Action, FILE_ACTIONS, Held, Resource, Verdict, Word};

use super::call::{self, Call};
use super::file::{self, FileId, FilePath, Identity};
use super::group::Question;
use crate::decode::{Operation, PathFlags};
use crate::kernel::{Mark, Register, Told, Who};
use crate::policies::Lowered;

/// Threads whose program names a loader that was not opened yet, at most.
const LOADERS_MAX: usize = 4096;

/// Who answers for one worker.
#[derive(Debug, Clone)]
pub(super) struct Judge {
    register: Arc<Register>,
    images: watch::Receiver<Option<Arc<Lowered>>>,
    /// The loader of the program that a thread was just allowed to run: the next that it opens to execute, in the same call.
    loaders: HashMap<u32, FileId>,
}

/// A governed thread that waits, and what is known of it.
struct Waiting {
    tid: u32,
    pid: u32,
    mark: Mark,
    who: Who,
    held: Held,
    lowered: Arc<Lowered>,
    path: FilePath,
    file: Identity,
}

impl Judge {
    pub(super) fn new(register: Arc<Register>, images: watch::Receiver<Option<Arc<Lowered>>>) -> Self {
        Self { register, images, loaders: HashMap::new() }
    }

    /// Something was refused that nobody hears of.
    pub(super) fn lose(&self) {
        self.register.lose(Verdict::Deny);
    }

    /// May it be opened? `governed` is called as soon as it is known that the question is about a governed process.
    pub(super) fn decide(&mut self, question: &Question, governed: impl FnOnce()) -> bool {
        let Some((pid, mark)) = self.governed(question.tid) else { return true };
        governed();
        if mark.is_canary() {
            return false;
        }
        // Before the first policy everything is allowed.
        let Some(lowered) = self.images.borrow().clone() else { return true };
        let (Some(who), Some(file)) = (self.register.who(mark), file::identify(&question.file)) else {
            // The process or the file went meanwhile.
            self.lose();
            return false;
        };
        let path = file::path_of(&question.file, &file);
        let asks = !lowered.image.conditional().is_empty();
        let held = if asks { self.register.held(pid, lowered.generation) } else { Held::NONE };
        let waiting = Waiting { tid: question.tid, pid, mark, who, held, lowered, path, file };
        if question.exec { self.decide_exec(&waiting, question) } else { self.decide_open(&waiting) }
    }

    /// Process and mark of a thread, where it is governed.
    fn governed(&self, tid: u32) -> Option<(u32, Mark)> {
        if let Some(mark) = self.register.mark(tid) {
            return Some((tid, mark));
        }
        // A process's first thread has its id, and own threads are never governed: neither needs a look into /proc.
        if is_thread_of(tid, tid) || is_thread_of(std::process::id(), tid) {
            return None;
        }
        let pid = status(tid)?.pid;
        self.register.mark(pid).map(|mark| (pid, mark))
    }

    fn decide_exec(&mut self, waiting: &Waiting, question: &Question) -> bool {
        let word = waiting.judge(Action::Exec);
        let expected = self.loaders.remove(&waiting.tid);
        let by_default = word.rule().is_none();
        // The loader of a program is none that is run: rules alone count for it, as for libraries.
        if by_default && word.verdict() != Verdict::Allow && expected == Some(waiting.file.id) {
            return true;
        }
        let denied = word.verdict() == Verdict::Deny;
        if !denied
            && waiting.denies_by_default()
            && let Some(loader) = file::loader_of(&question.file, waiting.tid)
        {
            if self.loaders.len() >= LOADERS_MAX {
                self.loaders.clear();
            }
            self.loaders.insert(waiting.tid, loader);
        }
        // Of what runs, the record of its exec tells with all its arguments; of a script only this does.
        if denied || (word.verdict() == Verdict::Alert && file::is_script(&question.file)) {
            self.tell(waiting, Action::Exec, word, Operation::Exec, Call::Exec);
        }
        !denied
    }

    fn decide_open(&self, waiting: &Waiting) -> bool {
        // Most rules don't say anything about most files: then it does not matter for what it is opened.
        let read = waiting.judge(Action::FileRead);
        let write = waiting.judge(Action::FileWrite);
        if read.verdict() == Verdict::Allow && write.verdict() == Verdict::Allow {
            return true;
        }
        let call = call::of(waiting.tid);
        if call == Call::Exec {
            // Asked about as such already: an open to execute comes twice.
            return true;
        }
        // Verdicts are ordered by strictness; of two that are equally strict it is a write.
        let (action, word) = match call.access() {
            [true, true] if read.verdict() > write.verdict() => (Action::FileRead, read),
            [_, true] => (Action::FileWrite, write),
            [_, false] => (Action::FileRead, read),
        };
        if word.verdict() != Verdict::Allow {
            self.tell(waiting, action, word, Operation::Open, call);
        }
        word.verdict() != Verdict::Deny
    }

    fn tell(&self, waiting: &Waiting, action: Action, word: Word, operation: Operation, call: Call) {
        let status = status(waiting.tid);
        let [read, write] = call.access();
        let told = Told {
            tid: waiting.tid,
            pid: waiting.pid,
            ppid: status.map_or(0, |status| status.ppid),
            uid: status.map_or(0, |status| status.uid),
            path: waiting.told_path().to_vec(),
            path_flags: PathFlags {
                deleted: !waiting.file.has_name,
                pseudo: false,
                truncated: waiting.path == FilePath::Unknown,
            },
            device: waiting.file.id.device,
            inode: waiting.file.id.inode,
            access: if operation == Operation::Open { [read, write] } else { [false, false] },
            open_flags: if let Call::Open { flags } = call { flags.cast_unsigned() } else { 0 },
            action,
            operation,
            word,
            generation: waiting.lowered.generation,
            failed: false,
            observed: call.is_observed(),
        };
        self.register.tell(waiting.mark, told);
    }
}

impl Waiting {
    fn act<'a>(&'a self, action: Action, path: &'a [u8], truncated: bool) -> Act<'a> {
        let resource = Resource::Path { path, truncated };
        let (agent_type, binary) = (Some(&*self.who.agent_type), &*self.who.exe);
        Act { action, resource, agent_type, binary, held: self.held }
    }

    fn judge(&self, action: Action) -> Word {
        let judge = |path, truncated| {
            self.lowered.image.judge(&self.act(action, path, truncated)).expect("an action on files, about a path")
        };
        match &self.path {
            FilePath::Known(path) => judge(path, false),
            FilePath::Unknown => judge(&[], true),
            // Its name is gone, or ends in these words: the stricter of both.
            FilePath::Deleted(path) => {
                let (with, without) = (judge(path, false), judge(file::without_deleted(path), false));
                if with.verdict() > without.verdict() { with } else { without }
            }
        }
    }

    /// Is a program that no rule names anything but allowed?
    fn denies_by_default(&self) -> bool {
        let at = FILE_ACTIONS.iter().position(|action| *action == Action::Exec).expect("it is one");
        let profile = self.lowered.image.profiles().number(Some(&self.who.agent_type), &self.who.exe);
        self.lowered.image.list()[usize::from(profile)].files[at].fallback.verdict() != Verdict::Allow
    }

    fn told_path(&self) -> &[u8] {
        match &self.path {
            FilePath::Known(path) => path,
            FilePath::Deleted(path) if self.file.has_name => path,
            FilePath::Deleted(path) => file::without_deleted(path),
            FilePath::Unknown => b"",
        }
    }
}

/// Does the thread belong to the process?
fn is_thread_of(pid: u32, tid: u32) -> bool {
    let (Ok(pid), Ok(tid)) = (i32::try_from(pid), i32::try_from(tid)) else { return false };
    // SAFETY: three numbers; signal 0 is sent to nobody.
    let sent = unsafe { libc::syscall(libc::SYS_tgkill, pid, tid, 0) };
    // Not allowed: but it is there.
    sent == 0 || std::io::Error::last_os_error().raw_os_error() == Some(libc::EPERM)
}

/// What `/proc` says of a thread.
#[derive(Debug, Clone, Copy)]
struct Status {
    pid: u32,
    ppid: u32,
    uid: u32,
}

fn status(tid: u32) -> Option<Status> {
    let text = fs::read_to_string(format!("/proc/{tid}/status")).ok()?;
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        line.split_whitespace().next()?.parse().ok()
    };
    Some(Status { pid: field("Tgid")?, ppid: field("PPid")?, uid: field("Uid")? })
}

#[cfg(test)]
mod tests {
    use super::{is_thread_of, status};

    #[test]
    fn a_thread_belongs_to_its_process_alone() {
        let own = std::process::id();
        let other = std::thread::spawn(|| rustix::thread::gettid().as_raw_pid().cast_unsigned());
        let status = status(own).unwrap();
        assert_eq!((status.pid, status.uid), (own, rustix::process::getuid().as_raw()));
        assert!(is_thread_of(own, own));
        assert!(!is_thread_of(status.ppid, own));
        assert!(!is_thread_of(own, other.join().unwrap()), "it is gone");
    }
}
