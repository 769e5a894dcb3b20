//! Ways to act through another process, and to take the guard away.

use std::ffi::{CString, c_void};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Error, ErrorKind};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::read::content;
use super::sys::{check, descriptor};
use super::{Class, FILE, say};

/// Where a victim's bytes are that may be overwritten.
const ROOM_BYTES: usize = 8;
const NEW: &[u8; ROOM_BYTES] = b"takeover";

/// The first argument is the process id of somebody else; of a victim the second one is the address of its room.
pub(crate) const CLASSES: &[Class] = &[
    ("ptrace_attach", |to| traced(pid(to)?, libc::PTRACE_ATTACH)),
    ("ptrace_seize", |to| traced(pid(to)?, libc::PTRACE_SEIZE)),
    ("pidfd_getfd", |to| {
        let process = pidfd(pid(to)?)?;
        // SAFETY: no memory is passed.
        let stolen = descriptor(unsafe { libc::syscall(libc::SYS_pidfd_getfd, process.as_raw_fd(), FILE, 0) })?;
        // Whoever has it shares its position.
        let mut bytes = [0; 7];
        File::from(stolen).read_exact_at(&mut bytes, 0)?;
        content(&mut &bytes[..])
    }),
    ("process_vm_writev", |to| vm(libc::SYS_process_vm_writev, to)),
    ("process_vm_readv", |to| vm(libc::SYS_process_vm_readv, to)),
    ("proc_mem", |to| {
        let memory = OpenOptions::new().read(true).write(true).open(format!("/proc/{}/mem", pid(to)?))?;
        memory.write_all_at(NEW, room(to)?)
    }),
    ("proc_environ", |to| {
        let environment = fs::read(format!("/proc/{}/environ", pid(to)?))?;
        if environment.is_empty() { Err(Error::other("no environment")) } else { Ok(()) }
    }),
    // A debugger at work on what it started.
    ("debug_child", |_| {
        // SAFETY: this process has one thread; the child makes no call but one.
        let child = match check(unsafe { libc::fork() })? {
            0 => loop {
                // SAFETY: waits for a signal.
                unsafe { libc::pause() };
            },
            child => child,
        };
        let done = traced(child, libc::PTRACE_ATTACH);
        // SAFETY: a child of ours, and no status is asked for.
        unsafe {
            libc::kill(child, libc::SIGKILL);
            libc::waitpid(child, std::ptr::null_mut(), 0);
        }
        done
    }),
    ("signal", |to| {
        // One that does no harm to who runs anyway.
        // SAFETY: no memory is passed.
        check(unsafe { libc::kill(pid(to)?, libc::SIGCONT) }).map(drop)
    }),
    ("signal_by_descriptor", |to| {
        let (process, information) = (pidfd(pid(to)?)?, std::ptr::null::<c_void>());
        // SAFETY: no memory is passed.
        let sent =
            unsafe { libc::syscall(libc::SYS_pidfd_send_signal, process.as_raw_fd(), libc::SIGCONT, information, 0) };
        check(sent).map(drop)
    }),
    // Only asks whether it is there.
    ("signal_nothing", |to| {
        // SAFETY: no memory is passed.
        check(unsafe { libc::kill(pid(to)?, 0) }).map(drop)
    }),
    ("bpf_map_by_id", |_| bpf_by_id(BPF_MAP_GET_NEXT_ID, BPF_MAP_GET_FD_BY_ID)),
    ("bpf_program_by_id", |_| bpf_by_id(BPF_PROG_GET_NEXT_ID, BPF_PROG_GET_FD_BY_ID)),
    ("bpf_link_by_id", |_| bpf_by_id(BPF_LINK_GET_NEXT_ID, BPF_LINK_GET_FD_BY_ID)),
    ("bpf_pin", |to| {
        let path = CString::new(*to.first().ok_or(ErrorKind::InvalidInput)?).map_err(Error::other)?;
        let attributes = [path.as_ptr() as u64, 0];
        descriptor(bpf(BPF_OBJ_GET, &attributes)).map(drop)
    }),
    ("bpf_program", |_| program(BPF_PROG_TYPE_SOCKET_FILTER)),
    ("bpf_device_filter", |_| program(BPF_PROG_TYPE_CGROUP_DEVICE)),
    // A hash of one element, four bytes each.
    ("bpf_own_map", |_| descriptor(bpf(BPF_MAP_CREATE, &[4 << 32 | 1, 1 << 32 | 4])).map(drop)),
    ("unpin", |to| fs::remove_file(to.first().ok_or(ErrorKind::InvalidInput)?)),
    ("bpf_folder", |to| {
        let folder = Path::new("/sys/fs/bpf").join(to.first().ok_or(ErrorKind::InvalidInput)?);
        fs::create_dir(&folder)?;
        fs::remove_dir(folder)
    }),
];

/// Opens the file as descriptor [`FILE`], says its process id and where its room is, and waits for its end.
pub(crate) fn victim(file: &str) -> io::Result<()> {
    let open = File::open(file)?;
    super::sys::place(open.as_raw_fd(), FILE)?;
    let mut room = Box::new([0_u8; ROOM_BYTES]);
    say(&format!("{} {}", std::process::id(), (&raw mut *room) as usize))?;
    loop {
        std::thread::park();
    }
}

fn number<T: std::str::FromStr>(arguments: &[&str], index: usize) -> io::Result<T> {
    let text = arguments.get(index).ok_or(ErrorKind::InvalidInput)?;
    text.parse().map_err(|_| Error::new(ErrorKind::InvalidInput, (*text).to_owned()))
}

fn pid(arguments: &[&str]) -> io::Result<libc::pid_t> {
    number(arguments, 0)
}

fn room(arguments: &[&str]) -> io::Result<u64> {
    number(arguments, 1)
}

fn pidfd(pid: libc::pid_t) -> io::Result<OwnedFd> {
    // SAFETY: no memory is passed.
    descriptor(unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) })
}

/// Takes the process over, waits until it is stopped, and lets it go.
fn traced(pid: libc::pid_t, how: libc::c_uint) -> io::Result<()> {
    let nothing = std::ptr::null_mut::<c_void>();
    // SAFETY: neither takes memory of ours.
    check(unsafe { libc::ptrace(how, pid, nothing, nothing) })?;
    if how == libc::PTRACE_SEIZE {
        // SAFETY: as above.
        check(unsafe { libc::ptrace(libc::PTRACE_INTERRUPT, pid, nothing, nothing) })?;
    }
    // SAFETY: no status is asked for, and no memory is passed.
    unsafe {
        check(libc::waitpid(pid, std::ptr::null_mut(), libc::__WALL))?;
        check(libc::ptrace(libc::PTRACE_DETACH, pid, nothing, nothing))?;
    }
    Ok(())
}

/// `process_vm_writev` or `process_vm_readv` of the victim's room.
fn vm(call: libc::c_long, to: &[&str]) -> io::Result<()> {
    // As wide as the kernel reads them.
    const ONE: libc::c_ulong = 1;
    const FLAGS: libc::c_ulong = 0;
    let mut bytes = *NEW;
    let own = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() };
    let address = usize::try_from(room(to)?).map_err(Error::other)?;
    let other = libc::iovec { iov_base: address as *mut c_void, iov_len: bytes.len() };
    // SAFETY: our own vector points to memory that lives as long as the call.
    let moved = check(unsafe { libc::syscall(call, pid(to)?, &raw const own, ONE, &raw const other, ONE, FLAGS) })?;
    if moved == 8 { Ok(()) } else { Err(Error::other(format!("{moved} bytes"))) }
}

// enum bpf_cmd and enum bpf_prog_type of include/uapi/linux/bpf.h.
const BPF_MAP_CREATE: i32 = 0;
const BPF_PROG_LOAD: i32 = 5;
const BPF_OBJ_GET: i32 = 7;
const BPF_PROG_GET_NEXT_ID: i32 = 11;
const BPF_MAP_GET_NEXT_ID: i32 = 12;
const BPF_PROG_GET_FD_BY_ID: i32 = 13;
const BPF_MAP_GET_FD_BY_ID: i32 = 14;
const BPF_LINK_GET_FD_BY_ID: i32 = 30;
const BPF_LINK_GET_NEXT_ID: i32 = 31;
const BPF_PROG_TYPE_SOCKET_FILTER: u64 = 1;
const BPF_PROG_TYPE_CGROUP_DEVICE: u64 = 15;

fn bpf(command: i32, attributes: &[u64]) -> libc::c_long {
    // SAFETY: the attributes live as long as the call, and are as long as said.
    unsafe { libc::syscall(libc::SYS_bpf, command, attributes.as_ptr(), size_of_val(attributes)) }
}

/// A hold on the first object of its kind, whoever made it.
fn bpf_by_id(next: i32, get: i32) -> io::Result<()> {
    let mut attributes = [0_u64; 2];
    // SAFETY: as in `bpf`, and the kernel writes the next id into the upper half of the first word.
    check(unsafe { libc::syscall(libc::SYS_bpf, next, attributes.as_mut_ptr(), size_of_val(&attributes)) })?;
    descriptor(bpf(get, &[attributes[0] >> 32, 0])).map(drop)
}

/// Loads a program that answers 0.
fn program(kind: u64) -> io::Result<()> {
    // r0 = 0; exit
    let (instructions, license) = ([0xb7_u64, 0x95], c"GPL");
    let attributes = [2 << 32 | kind, instructions.as_ptr() as u64, license.as_ptr() as u64, 0, 0, 0];
    descriptor(bpf(BPF_PROG_LOAD, &attributes)).map(drop)
}
