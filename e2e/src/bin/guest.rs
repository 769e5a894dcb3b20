//! The first process of a guest: mounts what a system has, brings the network up, and runs what the host sends.
//!
//! It is two processes: number 1 only collects orphans, so that those ends are never mistaken for a command's, and the other
//! works. When the worker ends, the guest is switched off.

use std::ffi::CString;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, PipeReader, PipeWriter, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::fd::AsRawFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::mount::{MountFlags, mount};
use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process_group, wait};
use tyr_e2e::guest::protocol::{Answer, HOST, MODULES, PORT_WORD, Request};

const MOUNTS: [(&str, &str); 8] = [
    ("proc", "/proc"),
    ("sysfs", "/sys"),
    ("devtmpfs", "/dev"),
    ("cgroup2", "/sys/fs/cgroup"),
    ("bpf", "/sys/fs/bpf"),
    ("tmpfs", "/tmp"),
    ("tmpfs", "/run"),
    ("tmpfs", "/data"),
];
/// The addresses of qemu's user network; the others let tests connect to an outside that stays within the guest.
const NETWORK: &str = "ip link set lo up && ip link set eth0 up && ip addr add 10.0.2.15/24 dev eth0 && \
                       ip route add default via 10.0.2.2 && ip addr add 203.0.113.7/32 dev lo && \
                       ip addr add 198.51.100.7/32 dev lo && ip -6 addr add 2001:db8::7/128 dev lo";

fn main() -> Result<(), io::Error> {
    if getpid().is_init() {
        return first();
    }
    for module in sorted(MODULES)? {
        load_module(&module).map_err(|error| io::Error::other(format!("{module}: {error}")))?;
    }
    let status = Command::new("/bin/sh").args(["-c", NETWORK]).status()?;
    if !status.success() {
        return Err(io::Error::other(format!("the network: {status}")));
    }
    let line = fs::read_to_string("/proc/cmdline")?;
    let port = line.split_whitespace().find_map(|word| word.strip_prefix(PORT_WORD)?.parse::<u16>().ok());
    let port = port.ok_or_else(|| io::Error::other("no port on the command line"))?;
    loop {
        let stream = TcpStream::connect((HOST, port))?;
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        // The harness ended.
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        std::thread::spawn(move || serve(reader, &line));
    }
}

fn first() -> Result<(), io::Error> {
    for (kind, folder) in MOUNTS {
        fs::create_dir_all(folder)?;
        let mounted = mount(kind, folder, kind, MountFlags::empty(), None);
        // The kernel mounts /dev itself where it is built so.
        mounted.or_else(|error| if folder == "/dev" { Ok(()) } else { Err(error) })?;
    }
    fs::create_dir_all("/dev/shm")?;
    mount("tmpfs", "/dev/shm", "tmpfs", MountFlags::empty(), None)?;
    let worker = Command::new("/init").env("PATH", "/usr/bin:/bin:/sbin").env("HOME", "/root").spawn()?;
    let worker = i32::try_from(worker.id()).map_err(io::Error::other)?;
    while let Ok(Some((pid, _))) = wait(WaitOptions::empty()) {
        if pid.as_raw_pid() == worker {
            break;
        }
    }
    rustix::system::reboot(rustix::system::RebootCommand::PowerOff)?;
    Ok(())
}

fn sorted(folder: &str) -> io::Result<Vec<String>> {
    let mut names: Vec<String> =
        fs::read_dir(folder)?.map(|entry| Ok(entry?.path().display().to_string())).collect::<io::Result<_>>()?;
    names.sort();
    Ok(names)
}

fn load_module(path: &str) -> io::Result<()> {
    let file = File::open(path)?;
    let options = CString::default();
    // SAFETY: the descriptor is open and the options are a string with a NUL at its end.
    let result = unsafe { libc::syscall(libc::SYS_finit_module, file.as_raw_fd(), options.as_ptr(), 0) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// One command, from its request to its end.
fn serve(mut reader: BufReader<TcpStream>, line: &str) {
    let Ok(stream) = reader.get_ref().try_clone() else { return };
    let answers = Answers(Arc::new(Mutex::new(stream)));
    let started = serde_json::from_str(line).map_err(io::Error::from).and_then(|request| start(&mut reader, &request));
    let (child, stdin) = match started {
        Ok(started) => started,
        Err(error) => {
            answers.send(&Answer::Failed(error.to_string()));
            return;
        }
    };
    follow(reader, child, stdin, &answers);
}

fn start(reader: &mut impl Read, request: &Request) -> io::Result<(Child, Vec<u8>)> {
    let mut stdin = vec![0; request.stdin_bytes];
    reader.read_exact(&mut stdin)?;
    let (program, arguments) =
        request.arguments.split_first().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    let mut command = Command::new(program);
    command.args(arguments).envs(request.environment.iter().cloned()).process_group(0);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Ok((command.spawn()?, stdin))
}

fn follow(mut reader: BufReader<TcpStream>, mut child: Child, stdin: Vec<u8>, answers: &Answers) {
    answers.send(&Answer::Started(i32::try_from(child.id()).unwrap_or_default()));
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    if let Some(mut input) = child.stdin.take() {
        // A command that doesn't read its input is no error.
        std::thread::spawn(move || input.write_all(&stdin));
    }
    let out = child.stdout.take().map(|output| answers.pass_on(output, Answer::Stdout));
    let err = child.stderr.take().map(|output| answers.pass_on(output, Answer::Stderr));
    std::thread::spawn(move || {
        let mut byte = [0];
        loop {
            let more = reader.read(&mut byte).is_ok_and(|read| read == 1);
            let signal = if more { Signal::from_named_raw(byte[0].into()) } else { Some(Signal::KILL) };
            if let (Some(group), Some(signal)) = (group, signal) {
                // Gone already is fine.
                kill_process_group(group, signal).ok();
            }
            if !more {
                return;
            }
        }
    });
    let Ok(status) = child.wait() else { return };
    // What it left running may hold its output open for ever: the end of the command is the end of its answer, after
    // what it wrote by then.
    for thread in [out, err].into_iter().flatten() {
        thread.finish();
    }
    answers.send(&Answer::Ended(status.into_raw()));
    answers.0.lock().unwrap_or_else(PoisonError::into_inner).shutdown(Shutdown::Both).ok();
}

#[derive(Clone)]
struct Answers(Arc<Mutex<TcpStream>>);

/// A thread that passes output on.
struct PassOn {
    thread: std::thread::JoinHandle<()>,
    wake: PipeWriter,
}

impl PassOn {
    /// Waits until all that is there now was passed on.
    fn finish(self) {
        drop(self.wake);
        self.thread.join().ok();
    }
}

impl Answers {
    fn send(&self, answer: &Answer) {
        // The host may have gone; the command then ends by its signal.
        answer.write(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner)).ok();
    }

    fn pass_on(&self, output: impl Read + AsRawFd + Send + 'static, kind: fn(Vec<u8>) -> Answer) -> PassOn {
        let answers = self.clone();
        let (end, wake) = io::pipe().expect("a pipe");
        let thread = std::thread::spawn(move || answers.copy(output, &end, kind));
        PassOn { thread, wake }
    }

    /// Passes output on until its end, or until `end` hangs up and nothing more is there.
    fn copy(&self, mut output: impl Read + AsRawFd, end: &PipeReader, kind: fn(Vec<u8>) -> Answer) {
        let wanted = |fd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
        let mut buffer = [0; 16 * 1024];
        loop {
            let mut ready = [wanted(output.as_raw_fd()), wanted(end.as_raw_fd())];
            // SAFETY: two descriptors that stay open meanwhile, and their number.
            if unsafe { libc::poll(ready.as_mut_ptr(), 2, -1) } < 1 {
                continue;
            }
            if ready[0].revents == 0 {
                return;
            }
            match output.read(&mut buffer) {
                Ok(read @ 1..) => self.send(&kind(buffer[..read].to_vec())),
                _ => return,
            }
        }
    }
}
