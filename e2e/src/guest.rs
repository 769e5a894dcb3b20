//! A guest: a Debian kernel in qemu, without hardware help, with a file system in memory.
//!
//! Enforcement is tested here, where a rule that goes wrong can lock nobody out, and on each kernel that Tyr supports. A guest
//! is up in some seconds. Its commands are run over the network that qemu makes, each on a connection of its own
//! ([`protocol`]); what its kernel says goes into a file that is shown when the test fails. Dropping it ends it, and so
//! does the end of the thread that booted it.

use std::fs;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Signal, set_parent_process_death_signal};
use tempfile::TempDir;

use crate::wait_for;

pub mod agent;
mod image;
pub mod kernel;
pub mod protocol;
mod running;
pub mod session;

pub use kernel::Release;
pub use running::{GuestOutput, Running};

/// Longest that a boot may take; some seconds on an idle machine.
const BOOT_MAX: Duration = Duration::from_mins(1);
/// Longest that a running guest may take to dial for the next command.
const HAND_MAX: Duration = Duration::from_secs(30);
/// Memory of a guest, in MiB: the file system, a server's worth of tables, and room for floods.
const MEMORY_MIB: u32 = 768;

/// What a guest is like.
#[derive(Debug, Clone, Copy)]
pub struct Machine {
    /// Its kernel.
    pub release: Release,
    /// `lsm=` of the kernel's command line: the security modules in their order.
    pub lsm: &'static str,
    /// Whether it has a second serial line, `/dev/ttyS1`, which is this process's standard input and output.
    pub terminal: bool,
    /// Whether its clock counts the instructions of its one processor, each a nanosecond: what a benchmark measures then doesn't
    /// depend on what else the host does.
    pub counts: bool,
    /// Whether one thread of the host emulates all its processors, by turns. With a thread for each, qemu can miss that one processor
    /// changes code which another is about to run (seen with 7.2: the breakpoint that the kernel puts where it attaches a program
    /// stays, and both processors run into it for ever). Three of some twenty runs of
    /// a guest that attaches hundreds of programs met that.
    pub one_thread: bool,
}

impl Machine {
    /// As Debian ships it: BPF programs may be security modules.
    pub fn new(release: Release) -> Self {
        Self { release, lsm: "landlock,lockdown,yama,bpf", terminal: false, counts: false, one_thread: false }
    }

    /// Without `bpf` among the security modules.
    #[must_use]
    pub fn without_bpf_lsm(self) -> Self {
        Self { lsm: "landlock,lockdown,yama", ..self }
    }
}

/// A running guest.
#[derive(Debug)]
pub struct Guest {
    qemu: Child,
    listener: TcpListener,
    folder: TempDir,
}

impl Guest {
    /// Boots one; returns when it takes commands.
    ///
    /// # Errors
    ///
    /// No image could be made, qemu does not start, or the guest ended before it took a command.
    pub fn boot(machine: Machine) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("tyr-guest-").tempdir_in("/tmp")?;
        let kernel = kernel::find(machine.release).context("no kernel: ask kernel::find first")?;
        let image = folder.path().join("initramfs");
        image::make(&kernel, folder.path(), &image).context("making the guest's file system")?;
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let console = folder.path().join("console");
        let mut command = Command::new("qemu-system-x86_64");
        let threads = if machine.one_thread { ",thread=single" } else { "" };
        command.arg("-accel").arg(format!("tcg,tb-size=256{threads}")).args(["-cpu", machine.release.cpu()]);
        if machine.counts {
            command.args(["-smp", "1", "-icount", "shift=0,sleep=off"]);
        } else {
            command.args(["-smp", "2"]);
        }
        command.arg("-m").arg(MEMORY_MIB.to_string());
        command.args(["-nodefaults", "-no-user-config", "-nographic", "-no-reboot", "-rtc", "base=utc"]);
        command.arg("-serial").arg(format!("file:{}", console.display()));
        command.args(["-netdev", "user,id=net", "-device", "virtio-net-pci,netdev=net,romfile="]);
        command.arg("-kernel").arg(&kernel.image).arg("-initrd").arg(&image);
        command.arg("-append").arg(format!(
            "console=ttyS0 loglevel=5 panic=-1 oops=panic rdinit=/init lsm={} {}{port}",
            machine.lsm,
            protocol::PORT_WORD
        ));
        if machine.terminal {
            command.args(["-serial", "stdio"]);
        } else {
            command.stdin(Stdio::null()).stdout(Stdio::null());
        }
        command.stderr(fs::File::create(folder.path().join("qemu"))?);
        // SAFETY: between fork and exec one system call is made.
        unsafe {
            command.pre_exec(|| Ok(set_parent_process_death_signal(Some(Signal::KILL))?));
        }
        let qemu = command.spawn().context("starting qemu-system-x86_64")?;
        let mut guest = Self { qemu, listener, folder };
        guest.wait_for_boot()?;
        Ok(guest)
    }

    fn wait_for_boot(&mut self) -> Result<()> {
        let mut ended = false;
        wait_for("the guest's first connection", BOOT_MAX, || {
            ended = !matches!(self.qemu.try_wait(), Ok(None));
            (ended || self.dials(Duration::ZERO).unwrap_or(false)).then_some(())
        });
        ensure!(!ended, "the guest ended at boot:\n{}", self.console());
        Ok(())
    }

    /// Whether a connection from the guest comes within the limit.
    fn dials(&self, limit: Duration) -> Result<bool> {
        let limit = Timespec { tv_sec: limit.as_secs().cast_signed(), tv_nsec: 0 };
        Ok(poll(&mut [PollFd::new(&self.listener, PollFlags::IN)], Some(&limit))? == 1)
    }

    /// What its kernel and its first process said.
    pub fn console(&self) -> String {
        ["qemu", "console"]
            .map(|name| fs::read(self.folder.path().join(name)).unwrap_or_default())
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .concat()
    }

    /// Starts a command, with bytes for its standard input.
    ///
    /// # Errors
    ///
    /// It can't be started in the guest, or the guest is gone.
    pub fn start(&self, arguments: &[&str], environment: &[(&str, &str)], stdin: &[u8]) -> Result<Running> {
        let own = |text: &&str| (*text).to_owned();
        let request = protocol::Request {
            arguments: arguments.iter().map(own).collect(),
            environment: environment.iter().map(|(name, value)| (own(name), own(value))).collect(),
            stdin_bytes: stdin.len(),
        };
        let stream = self.free_hand().context("the guest takes no commands")?;
        Running::start(stream, &request, stdin).with_context(|| format!("{arguments:?} in the guest"))
    }

    /// A connection that the guest opened to be given a command.
    fn free_hand(&self) -> Result<TcpStream> {
        ensure!(self.dials(HAND_MAX)?, "it doesn't dial within {HAND_MAX:?}; its console:\n{}", self.console());
        Ok(self.listener.accept()?.0)
    }

    /// Runs a command to its end.
    ///
    /// # Errors
    ///
    /// It could not be started, or the guest is gone; an exit status that isn't 0 is no error.
    pub fn output(&self, arguments: &[&str]) -> Result<GuestOutput> {
        self.start(arguments, &[], &[])?.finish()
    }

    /// What a shell script prints.
    ///
    /// # Errors
    ///
    /// It failed, with what it said.
    pub fn shell(&self, script: &str) -> Result<String> {
        self.output(&["/bin/sh", "-euc", script])?.text()
    }

    /// Writes a file, and the folders that it is in.
    ///
    /// # Errors
    ///
    /// The guest can't.
    pub fn write(&self, path: &str, bytes: &[u8], mode: u32) -> Result<()> {
        let script = format!("mkdir -p \"${{0%/*}}\"; cat >\"$0\"; chmod {mode:o} \"$0\"");
        self.start(&["/bin/sh", "-euc", &script, path], &[], bytes)?.finish()?.text()?;
        Ok(())
    }

    /// The folder with the guest's files on the host.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.qemu.kill().ok();
        self.qemu.wait().ok();
        if std::thread::panicking() {
            let console = self.console();
            writeln!(std::io::stderr(), "--- console of the guest\n{console}").ok();
        }
    }
}

/// A program of the host that a guest needs too, by its name in the PATH.
pub(crate) fn program(name: &str) -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
        .with_context(|| format!("{name} is not installed"))
}
