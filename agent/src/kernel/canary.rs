//! A denial that is really tried: a process of our own opens a folder that anybody may open, and must not get it.

use std::ffi::CStr;
use std::io::{self, PipeReader, PipeWriter, Write};
use std::os::fd::AsRawFd;

use super::abi::{PROCESS_CANARY, ProcessMark};
use super::shared::Shared;
use super::{Posture, lsm};
use crate::fault::chain;

/// What the canary's end says.
const DENIED: i32 = 0;
const OPENED: i32 = 1;
const OTHERWISE: i32 = 2;

/// Why no denial was seen.
#[derive(Debug, thiserror::Error)]
pub enum CanaryError {
    /// The open succeeded: nothing is denied here.
    #[error("an open that is always denied succeeded")]
    Opened,
    /// It failed in another way than by EPERM.
    #[error("an open that is always denied failed otherwise")]
    Otherwise,
    /// The process that tries could not be made.
    #[error("the process that tries a denial could not be started")]
    Start(#[source] io::Error),
}

impl Shared {
    /// Tries a denial before anything is promised: a kernel takes programs of LSM that it never calls. Then they are taken off, so
    /// that opens are at least observed.
    pub(super) fn prove(&self, promised: (Posture, String)) -> (Posture, String) {
        if !self.hooks.lock().expect("no holder panics").lsm.contains(&lsm::OPEN) {
            return promised;
        }
        match self.try_denial() {
            Ok(()) => promised,
            Err(CanaryError::Opened) => {
                lsm::detach(&mut self.hooks.lock().expect("no holder panics"));
                (Posture::Partial, lsm::NEVER_CALLED.to_owned())
            }
            // Not known, so nothing is taken off: it is tried again each minute, and told.
            Err(error) => {
                tracing::warn!(reason = chain(&error), "whether denials happen could not be tried");
                promised
            }
        }
    }

    /// See [`super::Kernel::try_denial`].
    pub(super) fn try_denial(&self) -> Result<(), CanaryError> {
        self.try_denial_of(c"/")
    }

    /// See [`super::Kernel::try_denial_of`].
    pub(super) fn try_denial_of(&self, at: &CStr) -> Result<(), CanaryError> {
        let (wait, go) = io::pipe().map_err(CanaryError::Start)?;
        // SAFETY: until its end the child calls nothing but functions that are safe between fork and exec.
        let pid = unsafe { libc::fork() };
        match pid {
            -1 => Err(CanaryError::Start(io::Error::last_os_error())),
            0 => canary(&wait, &go, at),
            pid => self.send_off(pid, go),
        }
    }

    /// Marks the child, lets it go, and waits for its end.
    fn send_off(&self, pid: libc::pid_t, mut go: PipeWriter) -> Result<(), CanaryError> {
        let mark = ProcessMark {
            tree: 0,
            program: 0,
            tried_second: 0,
            tried: 0,
            agent_type: 0,
            flags: PROCESS_CANARY,
            binary_class: 0,
        };
        let key = pid.unsigned_abs();
        let mark = || {
            self.hooks.lock().expect("no holder panics").admit(key).map_err(io::Error::other)?;
            self.maps.lock().expect("no holder panics").processes.insert(key, mark, 0).map_err(io::Error::other)
        };
        let ready = mark().and_then(|()| go.write_all(b"x"));
        // Without a byte it reads the end of the pipe, and ends.
        drop(go);
        let mut status = 0;
        // SAFETY: the status lives until the call returns. The child ends whatever happens.
        while unsafe { libc::waitpid(pid, &raw mut status, 0) } == -1 {
            let error = io::Error::last_os_error();
            if error.kind() != io::ErrorKind::Interrupted {
                return Err(CanaryError::Start(error));
            }
        }
        // Where the hook at exit is gone.
        let _ = self.maps.lock().expect("no holder panics").processes.remove(&key);
        ready.map_err(CanaryError::Start)?;
        match (libc::WIFEXITED(status), libc::WEXITSTATUS(status)) {
            (true, DENIED) => Ok(()),
            (true, OPENED) => Err(CanaryError::Opened),
            _ => Err(CanaryError::Otherwise),
        }
    }
}

/// The child: waits for its mark, tries, and tells by its exit status.
fn canary(wait: &PipeReader, go: &PipeWriter, at: &CStr) -> ! {
    let mut byte = 0_u8;
    // SAFETY: plain system calls on descriptors and memory that are there until the end; nothing is allocated, locked or dropped.
    unsafe {
        libc::close(go.as_raw_fd());
        if libc::read(wait.as_raw_fd(), (&raw mut byte).cast(), 1) != 1 {
            libc::_exit(OTHERWISE);
        }
        let opened = libc::open(at.as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC);
        if opened >= 0 {
            libc::_exit(OPENED);
        }
        let denied = *libc::__errno_location() == libc::EPERM;
        libc::_exit(if denied { DENIED } else { OTHERWISE });
    }
}
