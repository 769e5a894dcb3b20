//! Ways to look like somebody else: the same connection from another process, thread, name or namespace.

use std::ffi::CString;
use std::io::{self, Error, Read};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::process::Command;

use super::network::target;
use super::sys::check;
use super::{Class, find, outcome};

/// The first argument is the address to reach, by TCP.
pub(crate) const CLASSES: &[Class] = &[
    ("double_fork", |to| after_forks(2, to)),
    ("setsid", |to| {
        // SAFETY: the session of this process alone.
        in_fork(to, || check(unsafe { libc::setsid() }).map(drop))
    }),
    ("thread", thread),
    ("executed", executed),
    ("executed_under_another_name", under_another_name),
    ("comm", |to| {
        let name = CString::new("sshd").map_err(Error::other)?;
        // SAFETY: the string lives as long as the call.
        check(unsafe { libc::prctl(libc::PR_SET_NAME, name.as_ptr()) })?;
        tcp(to)
    }),
    ("user_namespace", |to| unshared(libc::CLONE_NEWUSER, to)),
    ("pid_namespace", |to| in_fork(to, || unshare(libc::CLONE_NEWPID))),
    ("mount_namespace", |to| unshared(libc::CLONE_NEWNS, to)),
    ("cgroup_namespace", |to| unshared(libc::CLONE_NEWCGROUP, to)),
    ("other_network_namespace", |to| {
        let namespace = std::fs::File::open(to.get(1).ok_or(io::ErrorKind::InvalidInput)?)?;
        // SAFETY: the namespaces of this process alone.
        check(unsafe { libc::setns(std::os::fd::AsRawFd::as_raw_fd(&namespace), libc::CLONE_NEWNET) })?;
        tcp(to)
    }),
    ("other_user", |to| {
        // SAFETY: gives up what this process may do.
        check(unsafe { libc::setresuid(65534, 65534, 65534) })?;
        tcp(to)
    }),
];

fn tcp(to: &[&str]) -> io::Result<()> {
    find("tcp")?(to)
}

fn unshare(what: i32) -> io::Result<()> {
    // SAFETY: the namespaces of this process alone.
    check(unsafe { libc::unshare(what) })?;
    Ok(())
}

fn unshared(what: i32, to: &[&str]) -> io::Result<()> {
    unshare(what)?;
    tcp(to)
}

/// Prepares, forks, and connects in the child.
fn in_fork(to: &[&str], before: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    before()?;
    after_forks(1, to)
}

/// Connects in a descendant whose parents are gone.
fn after_forks(generations: u32, to: &[&str]) -> io::Result<()> {
    let address = target(to, 0)?;
    let (mut answer, to_first) = io::pipe()?;
    // SAFETY: this process has one thread.
    match check(unsafe { libc::fork() })? {
        0 => {
            drop(answer);
            descend(generations - 1, address, to_first)
        }
        child => {
            drop(to_first);
            // SAFETY: a child of ours, and no status is asked for.
            unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) };
            let mut text = String::new();
            answer.read_to_string(&mut text)?;
            result(&text)
        }
    }
}

/// Connects after so many more forks, and ends; never returns.
fn descend(generations: u32, address: SocketAddr, mut to_first: io::PipeWriter) -> ! {
    // SAFETY: this process has one thread.
    if generations > 0 && unsafe { libc::fork() } == 0 {
        descend(generations - 1, address, to_first);
    } else if generations == 0 {
        let text = outcome(&tcp(&[&address.to_string()]));
        io::Write::write_all(&mut to_first, text.as_bytes()).ok();
    }
    // SAFETY: ends this process; what it holds goes with it.
    unsafe { libc::_exit(0) }
}

/// An outcome as the attempt of another process told it.
fn result(text: &str) -> io::Result<()> {
    match text.trim() {
        "ok" => Ok(()),
        "EPERM" => Err(Error::from_raw_os_error(libc::EPERM)),
        other => Err(Error::other(other.to_owned())),
    }
}

fn thread(to: &[&str]) -> io::Result<()> {
    let own: Vec<String> = to.iter().map(ToString::to_string).collect();
    let thread = std::thread::spawn(move || tcp(&own.iter().map(String::as_str).collect::<Vec<_>>()));
    thread.join().map_err(|_| Error::other("the thread panicked"))?
}

/// As a program of its own.
fn executed(to: &[&str]) -> io::Result<()> {
    let mut command = Command::new(std::env::current_exe()?);
    ask(command.args(["one", "tcp"]).args(to))
}

fn under_another_name(to: &[&str]) -> io::Result<()> {
    let folder = std::env::temp_dir().join(format!("attacker-{}", std::process::id()));
    std::fs::create_dir(&folder)?;
    let copy = folder.join("sshd");
    std::fs::copy(std::env::current_exe()?, &copy)?;
    let asked = ask(Command::new(&copy).arg0("/usr/sbin/sshd").args(["one", "tcp"]).args(to));
    std::fs::remove_dir_all(folder)?;
    asked
}

/// What this program says, run by a command, of an attempt.
pub(crate) fn ask(command: &mut Command) -> io::Result<()> {
    let output = command.output()?;
    result(&String::from_utf8_lossy(&output.stdout))
}
