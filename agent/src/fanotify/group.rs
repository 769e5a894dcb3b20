//! One fanotify group: what it asks, and how it is answered. Layouts and numbers: fanotify(7), include/uapi/linux/fanotify.h.

use std::ffi::CStr;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Folders are judged when they are opened, as everywhere.
const ASKED: u64 = libc::FAN_OPEN_PERM | libc::FAN_OPEN_EXEC_PERM | libc::FAN_ONDIR;
/// Bytes of one question. No more is read at once: who is late keeps one waiting, and no others.
const QUESTION_BYTES: usize = size_of::<libc::fanotify_event_metadata>();

/// A question: may this thread open this file?
#[derive(Debug)]
pub(super) struct Question {
    /// The file, open for reading. It makes no question itself.
    pub(super) file: OwnedFd,
    /// The thread that waits.
    pub(super) tid: u32,
    /// It is opened to be executed.
    pub(super) exec: bool,
}

/// What is being answered.
#[derive(Debug)]
struct Pending {
    file: RawFd,
    since: Instant,
    governed: bool,
}

/// A group. Closing it lets through who waits.
#[derive(Debug)]
pub(super) struct Group {
    fd: OwnedFd,
    wake: OwnedFd,
    given_up: AtomicBool,
    worker: AtomicU32,
    pending: Mutex<Option<Pending>>,
}

impl Group {
    /// A group that asks about nothing yet.
    ///
    /// Its queue has no limit: an open that finds it full is let through, and there are no more questions than threads that wait.
    pub(super) fn new() -> io::Result<Self> {
        let flags = libc::FAN_CLASS_CONTENT
            | libc::FAN_CLOEXEC
            | libc::FAN_NONBLOCK
            | libc::FAN_UNLIMITED_QUEUE
            | libc::FAN_REPORT_TID;
        let files = libc::O_RDONLY | libc::O_LARGEFILE | libc::O_CLOEXEC | libc::O_NOATIME;
        // SAFETY: two numbers.
        let fd = unsafe { libc::fanotify_init(flags, files.cast_unsigned()) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: a new descriptor that nobody else knows.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        // SAFETY: two numbers.
        let wake = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
        if wake < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: as above.
        let wake = unsafe { OwnedFd::from_raw_fd(wake) };
        Ok(Self { fd, wake, given_up: false.into(), worker: 0.into(), pending: Mutex::default() })
    }

    /// Asks about the whole file system that a path lies on, from now on.
    pub(super) fn mark(&self, path: &CStr) -> io::Result<()> {
        self.change(libc::FAN_MARK_ADD | libc::FAN_MARK_FILESYSTEM, ASKED, path)
    }

    /// Asks about nothing any more, and ends its worker; with that one it is closed.
    pub(super) fn give_up(&self) {
        self.given_up.store(true, Ordering::SeqCst);
        // What can't be taken off goes when the group closes.
        let _ = self.change(libc::FAN_MARK_FLUSH | libc::FAN_MARK_FILESYSTEM, 0, c"/");
        let one = 1_u64;
        // SAFETY: eight bytes that live until the call returns.
        unsafe { libc::write(self.wake.as_raw_fd(), (&raw const one).cast(), size_of::<u64>()) };
    }

    /// Lets through who waits, where no worker answers any more.
    pub(super) fn let_through(&self) {
        while let Ok(Some(question)) = self.read() {
            self.respond(question.file.as_raw_fd(), true);
        }
    }

    fn change(&self, how: libc::c_uint, mask: u64, path: &CStr) -> io::Result<()> {
        // SAFETY: the descriptor is open, and the path lives until the call returns.
        let done = unsafe { libc::fanotify_mark(self.fd.as_raw_fd(), how, mask, libc::AT_FDCWD, path.as_ptr()) };
        if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }

    /// The number of the worker that answers from now on.
    pub(super) fn new_worker(&self) -> u32 {
        self.worker.fetch_add(1, Ordering::SeqCst) + 1
    }

    pub(super) fn is_worker(&self, number: u32) -> bool {
        self.worker.load(Ordering::SeqCst) == number
    }

    /// The next question, waited for; `None` when the group is given up.
    pub(super) fn next(&self) -> Option<Question> {
        loop {
            if self.given_up.load(Ordering::SeqCst) {
                return None;
            }
            match self.read() {
                Ok(Some(question)) => {
                    let file = question.file.as_raw_fd();
                    *self.pending() = Some(Pending { file, since: Instant::now(), governed: false });
                    return Some(question);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.wait(),
                // Of other errors the kernel has refused what it could not ask about.
                Ok(None) | Err(_) => {}
            }
        }
    }

    /// The next question, if there is one; `Ok(None)`: news without a file, of an overflow, which a queue without limit has none of.
    fn read(&self) -> io::Result<Option<Question>> {
        let mut buffer = MaybeUninit::<libc::fanotify_event_metadata>::uninit();
        // SAFETY: as many bytes as the buffer has.
        let read = unsafe { libc::read(self.fd.as_raw_fd(), buffer.as_mut_ptr().cast(), QUESTION_BYTES) };
        if read != QUESTION_BYTES.cast_signed() {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the kernel filled all of it.
        let event = unsafe { buffer.assume_init() };
        if event.fd < 0 {
            return Ok(None);
        }
        // SAFETY: the kernel made it for this reader.
        let file = unsafe { OwnedFd::from_raw_fd(event.fd) };
        let (tid, exec) = (event.pid.cast_unsigned(), event.mask & libc::FAN_OPEN_EXEC_PERM != 0);
        Ok(Some(Question { file, tid, exec }))
    }

    fn wait(&self) {
        let mut ready =
            [&self.fd, &self.wake].map(|fd| libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLIN, revents: 0 });
        // SAFETY: two entries, as told.
        unsafe { libc::poll(ready.as_mut_ptr(), 2, -1) };
    }

    /// What is being answered is about a governed process.
    pub(super) fn is_governed(&self, question: &Question) {
        let file = question.file.as_raw_fd();
        if let Some(pending) = self.pending().as_mut().filter(|pending| pending.file == file) {
            pending.governed = true;
        }
    }

    /// Answers a question, unless that was done in the meantime.
    pub(super) fn answer(&self, question: Question, allow: bool) {
        let mut pending = self.pending();
        // The descriptor stays open until here, so no other question has its number.
        if pending.as_ref().is_some_and(|pending| pending.file == question.file.as_raw_fd()) {
            self.respond(question.file.as_raw_fd(), allow);
            *pending = None;
        }
        drop(pending);
        drop(question);
    }

    /// Answers what has been pending for so long: no to who is governed. `Some`: there was one, and whether it is.
    pub(super) fn answer_late(&self, limit: Duration) -> Option<bool> {
        let mut pending = self.pending();
        let late = pending.take_if(|pending| pending.since.elapsed() >= limit)?;
        self.respond(late.file, !late.governed);
        Some(late.governed)
    }

    fn respond(&self, file: RawFd, allow: bool) {
        let response = if allow { libc::FAN_ALLOW } else { libc::FAN_DENY };
        let answer = libc::fanotify_response { fd: file, response };
        // SAFETY: as many bytes as the answer has. Who waits may have been killed: then nobody wants it.
        unsafe { libc::write(self.fd.as_raw_fd(), (&raw const answer).cast(), size_of_val(&answer)) };
    }

    fn pending(&self) -> std::sync::MutexGuard<'_, Option<Pending>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
