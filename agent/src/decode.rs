//! What the kernel reported, as values: one [`KernelEvent`] per record of the rings.
//!
//! Bytes that come from processes (paths, arguments) stay bytes here; who sends or shows them escapes them.

mod record;

pub(crate) use record::Record;

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use tyr_policy::{Action, Verdict};

/// A tree of AI processes on this host: unique for as long as this agent runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TreeId(pub u64);

impl fmt::Display for TreeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", self.0)
    }
}

/// One action of a governed process, or a turn in the life of its tree.
#[derive(Debug, Clone)]
pub struct KernelEvent {
    /// Nanoseconds of `CLOCK_BOOTTIME` at which it happened.
    pub boot_ns: u64,
    /// Who did it.
    pub process: Process,
    /// What happened.
    pub what: What,
    /// What the kernel said of it before it happened; `None`: it was only observed (or is a connection, which says so itself).
    pub judged: Option<Judged>,
}

/// A verdict that the kernel gave on a file or program, and carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// The action that the verdict is about: of reading and writing at once, the stricter one.
    pub action: Action,
    /// What the kernel did; a denied action got `EPERM`, and nothing happened.
    pub verdict: Verdict,
    /// Index of the rule that decided; `None`: the policy's default.
    pub rule: Option<u16>,
    /// The generation of the policy that judged it; 0 before the first was published (everything is allowed then).
    pub generation: u32,
    /// What was done.
    pub operation: Operation,
    /// It could not be judged, and was denied for that.
    pub failed: bool,
    /// The program that acted; that of the process is another one where it has just been started.
    pub by: Arc<Program>,
}

/// What is done to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// It's opened.
    Open,
    /// It's made.
    Create,
    /// Its name is removed.
    Unlink,
    /// It's renamed.
    Rename,
    /// It gets another name.
    Link,
    /// A symbolic link is made.
    Symlink,
    /// A folder is made.
    Mkdir,
    /// A folder is removed.
    Rmdir,
    /// It's cut.
    Truncate,
    /// Its mode changes.
    Chmod,
    /// Its owner changes.
    Chown,
    /// An extended attribute changes.
    Setxattr,
    /// It's executed.
    Exec,
    /// It's mapped to be executed.
    Map,
}

impl Operation {
    /// All, in the order of the kernel's numbers.
    pub(crate) const ALL: [Self; 14] = [
        Self::Open,
        Self::Create,
        Self::Unlink,
        Self::Rename,
        Self::Link,
        Self::Symlink,
        Self::Mkdir,
        Self::Rmdir,
        Self::Truncate,
        Self::Chmod,
        Self::Chown,
        Self::Setxattr,
        Self::Exec,
        Self::Map,
    ];

    /// In metadata of events.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Create => "create",
            Self::Unlink => "unlink",
            Self::Rename => "rename",
            Self::Link => "link",
            Self::Symlink => "symlink",
            Self::Mkdir => "mkdir",
            Self::Rmdir => "rmdir",
            Self::Truncate => "truncate",
            Self::Chmod => "chmod",
            Self::Chown => "chown",
            Self::Setxattr => "setxattr",
            Self::Exec => "exec",
            Self::Map => "map",
        }
    }
}

/// The acting process as it was then.
#[derive(Debug, Clone)]
pub struct Process {
    /// Process (thread group) id in the initial pid namespace.
    pub pid: u32,
    /// Thread id in the initial pid namespace.
    pub tid: u32,
    /// Process id of the parent.
    pub ppid: u32,
    /// Real user id in the initial user namespace.
    pub uid: u32,
    /// The tree that it belongs to.
    pub tree: TreeId,
    /// The tree's agent type, such as `claude-code`.
    pub agent_type: Arc<str>,
    /// What the process executes.
    pub program: Arc<Program>,
}

/// A program as one exec started it; processes forked from it share it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Program {
    /// Real path of the executable from the root of its mount namespace; empty when it could not be found out.
    pub exe: Vec<u8>,
    /// The path was longer than the kernel copies, and its beginning is missing.
    pub exe_truncated: bool,
    /// Arguments, each followed by a NUL, cut at 4,096 bytes.
    pub args: Vec<u8>,
    /// The name that was given to exec: a script's, where `exe` is its interpreter; empty when unknown.
    pub filename: Vec<u8>,
}

impl Program {
    /// The arguments joined by single spaces.
    pub fn command_line(&self) -> Vec<u8> {
        let args = self.args.strip_suffix(b"\0").unwrap_or(&self.args);
        args.iter().map(|&byte| if byte == 0 { b' ' } else { byte }).collect()
    }
}

/// How a tree of AI processes was recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FoundBy {
    /// At its exec, before its first instruction, by a fingerprint.
    Fingerprint,
    /// By a fingerprint, when it ran already.
    Scan,
    /// Started by `tyrd run`.
    Run,
}

impl FoundBy {
    /// As the wire has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fingerprint => "fingerprint",
            Self::Scan => "scan",
            Self::Run => "run",
        }
    }
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A tree begins with this process. Comes before every other event of the tree.
    TreeStarted {
        /// How it was recognised.
        found_by: FoundBy,
        /// The fingerprint that did, as written in the data; empty for `tyrd run`.
        pattern: Arc<str>,
    },
    /// The last process of the tree, this one, is gone. Comes after every other event of the tree.
    TreeEnded,
    /// A program was started; it is the process's [`Program`] from here on.
    Exec(Option<Arc<Program>>),
    /// The program is an AI tool of a type that may not run: the process was ended before the program's first instruction.
    Refused,
    /// The process (all of its threads) is gone.
    Exit,
    /// A file was opened or changed, or it failed.
    Open(Open),
    /// A program or script was to be started, or a program to be mapped, by this process as it was before.
    Run(Run),
    /// A connection was made or a datagram addressed, or it was refused.
    Connect(Connect),
}

/// The start of a program before it happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Real path from the root of the mount namespace.
    pub path: Vec<u8>,
    /// What the path is and isn't.
    pub path_flags: PathFlags,
}

/// An open of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// Real path from the root of the mount namespace: the one that rules judge. When `errno` is set and the kernel did not
    /// judge, the name that was tried, as the process wrote it, unresolved.
    pub path: Vec<u8>,
    /// Where the path as the process itself sees it begins in `path`; not 0 within a chroot.
    pub view_at: usize,
    /// What the path is and isn't.
    pub path_flags: PathFlags,
    /// Opened for reading.
    pub read: bool,
    /// Opened for writing.
    pub write: bool,
    /// The `O_…` flags of the open file, or those asked for where the open failed.
    pub flags: u32,
    /// The error of a failed open, 0 for one that succeeded.
    pub errno: u16,
    /// Device number, as the kernel has it (12 bits major, 20 bits minor); 0 for a failed open.
    pub device: u32,
    /// Inode number; 0 for a failed open.
    pub inode: u64,
    /// How many opens of this very file, in the same way, this event stands for: 1, or more where repeats were merged.
    /// A merged event counts the repeats that followed the first, which had an event of its own.
    pub count: u64,
    /// Nanoseconds of `CLOCK_BOOTTIME` of the last of them; `boot_ns` is that of the first.
    pub last_boot_ns: u64,
}

impl Open {
    /// The path as the process itself sees it.
    pub fn view(&self) -> &[u8] {
        &self.path[self.view_at.min(self.path.len())..]
    }
}

/// What is special about a path.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PathFlags {
    /// The file has been removed; the path is where it was.
    pub deleted: bool,
    /// No path but a name of its own, such as `memfd:x` or `pipe`.
    pub pseudo: bool,
    /// Too long: its beginning is missing.
    pub truncated: bool,
}

/// A connection, or a datagram with an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connect {
    /// Where to; an IPv4-mapped IPv6 address as the IPv4 address that it is.
    pub addr: IpAddr,
    /// Which port.
    pub port: u16,
    /// Over what.
    pub protocol: tyr_policy::Protocol,
    /// What the kernel did; a denied one got `EPERM` and nothing was sent.
    pub verdict: Verdict,
    /// Index of the rule that decided, as in the tables published as `generation`; `None`: the policy's default.
    pub rule: Option<u16>,
    /// The generation of the tables that judged it; 0 before the first was published (everything is allowed then).
    pub generation: u32,
}
