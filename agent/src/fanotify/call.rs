//! What a thread that waits for an answer is doing: its system call, by `/proc/TID/syscall`.
//!
//! A question does not say whether a file is to be read or written. The flags of most open calls are in registers, which nobody can
//! change while the thread waits. `openat2` has them in memory, where another thread of the process can, and what `io_uring` opens has
//! no call at all: these count as both.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

/// Longest that a thread is waited for which has asked and not gone to sleep yet: it may have lost its processor in between.
const SLEEP_MAX: Duration = Duration::from_millis(100);
/// Looks without a pause before that.
const QUICK_LOOKS: u32 = 50;

/// A system call that opens something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    /// A program is to run.
    Exec,
    /// A file is to be opened, with these flags (`O_…`).
    Open {
        /// Of the call.
        flags: i32,
    },
    /// The same, with flags that can't be known.
    OpenUnknown,
    /// Something else, such as `io_uring`.
    Other,
}

impl Call {
    /// For reading, for writing: as the kernel programs understand an open.
    pub(super) fn access(self) -> [bool; 2] {
        let Self::Open { flags } = self else { return [true, true] };
        let mode = flags & libc::O_ACCMODE;
        let writes = mode == libc::O_WRONLY || mode == libc::O_RDWR;
        [mode != libc::O_WRONLY, writes || flags & libc::O_TRUNC != 0]
    }

    /// Does the observer of opens see how it ends?
    pub(super) fn is_observed(self) -> bool {
        matches!(self, Self::Open { .. } | Self::OpenUnknown)
    }
}

/// The call that a thread is in.
pub(super) fn of(tid: u32) -> Call {
    let path = format!("/proc/{tid}/syscall");
    let since = Instant::now();
    let mut looks = 0;
    loop {
        let Ok(text) = fs::read_to_string(&path) else { return Call::Other };
        if !text.starts_with("running") || since.elapsed() >= SLEEP_MAX {
            return parse(&text);
        }
        looks += 1;
        if looks < QUICK_LOOKS { thread::yield_now() } else { thread::sleep(Duration::from_micros(200)) }
    }
}

/// Reads `NUMBER ARGUMENT…`: the number in decimal, the arguments in hexadecimal.
fn parse(text: &str) -> Call {
    let mut words = text.split_whitespace();
    let Some(number) = words.next().and_then(|number| number.parse::<i64>().ok()) else { return Call::Other };
    let arguments: Vec<u64> = words.map_while(|word| u64::from_str_radix(word.strip_prefix("0x")?, 16).ok()).collect();
    let flags = |at: usize| match arguments.get(at) {
        // Flags are an int: the upper half says nothing.
        Some(argument) => {
            Call::Open { flags: u32::try_from(argument & u64::from(u32::MAX)).expect("32 bits").cast_signed() }
        }
        None => Call::OpenUnknown,
    };
    match number {
        libc::SYS_openat | libc::SYS_open_by_handle_at => flags(2),
        libc::SYS_openat2 => Call::OpenUnknown,
        libc::SYS_execve | libc::SYS_execveat => Call::Exec,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_open => flags(1),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_creat => Call::Open { flags: libc::O_WRONLY | libc::O_CREAT | libc::O_TRUNC },
        // Calls of 32-bit entries (arch/x86/entry/syscalls/syscall_32.tbl): as 64-bit numbers these open nothing.
        #[cfg(target_arch = "x86_64")]
        5 => flags(1),
        #[cfg(target_arch = "x86_64")]
        8 => Call::Open { flags: libc::O_WRONLY | libc::O_CREAT | libc::O_TRUNC },
        #[cfg(target_arch = "x86_64")]
        295 | 342 => flags(2),
        #[cfg(target_arch = "x86_64")]
        11 | 358 => Call::Exec,
        _ => Call::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::{Call, parse};

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn reads_what_the_kernel_prints() {
        let open = |flags| Call::Open { flags };
        assert_eq!(parse("257 0xffffff9c 0x7ffd0c 0x80241 0x1b6 0x0 0x0 0x7ffd 0x7f\n"), open(0x80241));
        assert_eq!(parse("2 0x7ffd0c 0x0 0x0 0x0 0x0 0x0 0x7ffd 0x7f\n"), open(0));
        assert_eq!(parse("437 0xffffff9c 0x7ffd0c 0x7ffd 0x18 0x0 0x0 0x7ffd 0x7f\n"), Call::OpenUnknown);
        assert_eq!(parse("59 0x7ffd0c 0x0 0x0 0x0 0x0 0x0 0x7ffd 0x7f\n"), Call::Exec);
        for other in ["-1 0x7ffd 0x7f\n", "running\n", "", "426 0x4 0x1 0x0 0x0 0x0 0x8 0x7ffd 0x7f\n", "257\u{fffd}"] {
            assert_eq!(parse(other), Call::Other, "{other}");
        }
        assert_eq!(parse("257"), Call::OpenUnknown, "cut");
    }

    #[test]
    fn access_is_that_of_the_kernel_programs() {
        let access = |flags| Call::Open { flags }.access();
        assert_eq!(access(libc::O_RDONLY), [true, false]);
        assert_eq!(access(libc::O_RDONLY | libc::O_TRUNC), [true, true]);
        assert_eq!(access(libc::O_WRONLY | libc::O_CREAT), [false, true]);
        assert_eq!(access(libc::O_RDWR), [true, true]);
        assert_eq!(access(libc::O_ACCMODE), [true, false], "neither counts as reading");
        assert_eq!(Call::OpenUnknown.access(), [true, true]);
        assert_eq!(Call::Other.access(), [true, true]);
    }
}
