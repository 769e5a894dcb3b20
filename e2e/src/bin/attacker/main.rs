//! Ways around a guard, each tried for real: what an AI process could do to get at something that a rule denies it.
//!
//! `tyr-attacker try` reads attempts from standard input, one a line: a class and its arguments. Each is tried in a child of
//! its own and answered with a line, `ok` or the name of the error. The same lines from a process that nobody governs are
//! the proof that the attempt works where no rule stands against it.
//!
//! `tyr-attacker repeat` tries each line over and over until its input ends, and says how often each outcome came.
//!
//! `tyr-attacker with FILE ADDRESS COMMAND…` becomes the command, which gets FILE as descriptor 3, a connection to ADDRESS as
//! descriptor 4, and a raw socket for UDP as descriptor 5: what somebody else opened.
//!
//! `tyr-attacker victim FILE` opens FILE as descriptor 3, says its process id and an address in its memory, and waits.
//!
//! `tyr-attacker serve ADDRESS…` answers `pong` at each address, by TCP and by UDP, and says `serving` when it does.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, Error, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::Command;

mod exec;
mod ground;
mod lineage;
mod network;
mod process;
mod read;
mod serve;
mod socket;
mod sys;
mod uring;
mod write;

/// What `with` hands over.
const FILE: RawFd = 3;
const CONNECTION: RawFd = 4;
const RAW: RawFd = 5;

/// Tries something; its error is what the kernel said.
type Attempt = fn(&[&str]) -> io::Result<()>;

/// Class and attempt.
type Class = (&'static str, Attempt);

fn classes() -> impl Iterator<Item = &'static Class> {
    let network = [network::CLASSES, socket::CLASSES, lineage::CLASSES, uring::CLASSES, process::CLASSES];
    let files = [ground::CLASSES, read::CLASSES, write::CLASSES, exec::CLASSES];
    network.into_iter().chain(files).flatten()
}

fn main() -> Result<(), Error> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["try"] => try_all(),
        ["repeat"] => repeat(),
        ["ran", ..] => say("ran"),
        ["with", file, address, program, arguments @ ..] => {
            let (file, connection) = (File::open(file)?, TcpStream::connect(address)?);
            sys::place(file.as_raw_fd(), FILE)?;
            sys::place(connection.as_raw_fd(), CONNECTION)?;
            let raw = network::socket(connection.peer_addr()?, libc::SOCK_RAW, libc::IPPROTO_UDP)?;
            sys::place(raw.as_raw_fd(), RAW)?;
            Err(Command::new(program).args(arguments).exec())
        }
        ["serve", addresses @ ..] => serve::serve(addresses),
        ["victim", file] => process::victim(file),
        // What an attempt becomes when it executes this program again.
        ["one", class, arguments @ ..] => say(&outcome(&find(class)?(arguments))),
        _ => Err(Error::new(ErrorKind::InvalidInput, "see the head of its source")),
    }
}

fn find(class: &str) -> io::Result<Attempt> {
    let known = classes().find(|(name, _)| *name == class);
    let (_, attempt) = known.ok_or_else(|| Error::new(ErrorKind::InvalidInput, format!("no class {class}")))?;
    Ok(*attempt)
}

fn say(line: &str) -> io::Result<()> {
    let mut stdout = io::stdout();
    stdout.write_all(line.as_bytes())?;
    stdout.write_all(b"\n")?;
    stdout.flush()
}

fn outcome(result: &io::Result<()>) -> String {
    match result {
        Ok(()) => "ok".to_owned(),
        // One line, whatever was said.
        Err(error) => error.raw_os_error().map_or_else(|| error.to_string().replace('\n', " "), sys::errno_name),
    }
}

fn try_all() -> io::Result<()> {
    for line in io::stdin().lock().lines() {
        say(&in_a_child(&line?)?)?;
    }
    Ok(())
}

/// In a process of its own, so that no attempt changes the ground for the next.
fn in_a_child(line: &str) -> io::Result<String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let (class, arguments) = words.split_first().ok_or(ErrorKind::InvalidInput)?;
    let attempt = find(class)?;
    let (mut answer, mut to_parent) = io::pipe()?;
    // SAFETY: this process has one thread.
    match unsafe { libc::fork() } {
        -1 => Err(Error::last_os_error()),
        0 => {
            drop(answer);
            let text = outcome(&attempt(arguments));
            to_parent.write_all(text.as_bytes()).ok();
            // SAFETY: ends this process; what it holds goes with it.
            unsafe { libc::_exit(0) }
        }
        child => {
            drop(to_parent);
            let mut text = String::new();
            answer.read_to_string(&mut text)?;
            // SAFETY: a child of ours, and no status is asked for.
            unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) };
            Ok(if text.is_empty() { "died".to_owned() } else { text })
        }
    }
}

fn repeat() -> io::Result<()> {
    let mut lines = Vec::new();
    let mut input = io::stdin().lock();
    let mut line = String::new();
    // An empty line ends the list, the end of the input ends the tries.
    while input.read_line(&mut line)? > 1 {
        lines.push(line.trim().to_owned());
        line.clear();
    }
    say("trying")?;
    let mut counts: BTreeMap<(String, String), u64> = BTreeMap::new();
    loop {
        for line in &lines {
            let words: Vec<&str> = line.split_whitespace().collect();
            let (class, arguments) = words.split_first().ok_or(ErrorKind::InvalidInput)?;
            let outcome = outcome(&find(class)?(arguments));
            *counts.entry((line.clone(), outcome)).or_default() += 1;
        }
        let mut ended = [libc::pollfd { fd: input.as_raw_fd(), events: libc::POLLIN, revents: 0 }];
        // SAFETY: one descriptor that stays open, and their number.
        if unsafe { libc::poll(ended.as_mut_ptr(), 1, 0) } > 0 {
            break;
        }
    }
    counts.iter().try_for_each(|((line, outcome), count)| say(&format!("{count}\t{outcome}\t{line}")))
}
