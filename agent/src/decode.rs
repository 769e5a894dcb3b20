//! What the kernel reported, as values: one [`KernelEvent`] per record of the rings.
//!
//! Bytes that come from processes (paths, arguments) stay bytes here; who sends or shows them escapes them.

mod record;

pub(crate) use record::Record;
pub use record::read_any;

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
    /// It would have made the policy void, and was denied whatever the policy says.
    pub guarded: bool,
    /// Who carried the verdict out.
    pub enforced_by: EnforcedBy,
    /// The program that acted; that of the process is another one where it has just been started.
    pub by: Arc<Program>,
}

/// Who carries a verdict out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnforcedBy {
    /// The programs in the kernel.
    Kernel,
    /// `tyrd`, which the kernel asked.
    Fanotify,
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
    /// A process that runs it was to be taken over: traced, written to, or a descriptor taken from it.
    Attach,
    /// `tyrd` was to get a signal.
    Signal,
    /// bpf(2) was to get at what others made, or to load a program; there is no path.
    Bpf,
}

impl Operation {
    /// All, in the order of the kernel's numbers.
    pub(crate) const ALL: [Self; 17] = [
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
        Self::Attach,
        Self::Signal,
        Self::Bpf,
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
            Self::Attach => "attach",
            Self::Signal => "signal",
            Self::Bpf => "bpf",
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

/// Who starts a program: the process, as what it was before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// What it ran; without a path where that is not known.
    pub program: Arc<Program>,
    /// Its agent type, whose rules count: another one than the process has now, where the program is another AI tool.
    pub agent_type: Arc<str>,
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
    /// A program was started; it is the process's [`Program`] from here on. With who started it; `None`: nobody governed.
    Exec(Option<Caller>),
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
    /// A socket was made whose peers no rule can name, or one was refused, or its use.
    Socket(Socket),
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
        view(&self.path, self.view_at)
    }
}

/// The part of a path from where a process's view of it begins. Its own root has nothing behind that, and is `/` to it.
pub(crate) fn view(path: &[u8], at: usize) -> &[u8] {
    match path.get(at..) {
        Some([]) if !path.is_empty() => b"/",
        Some(view) => view,
        None => b"",
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
    /// It could not be judged, and was denied for that.
    pub failed: bool,
}

/// A socket whose peers no rule can name, as socket(2) takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Socket {
    /// Address family.
    pub family: u8,
    /// Type, without flags.
    pub kind: u8,
    /// Protocol, in the byte order that the family has it in.
    pub protocol: u32,
    /// What the kernel did; a denied one got `EPERM`.
    pub verdict: Verdict,
    /// As of a [`Connect`].
    pub rule: Option<u16>,
    /// As of a [`Connect`].
    pub generation: u32,
    /// As of a [`Connect`].
    pub failed: bool,
}

impl fmt::Display for Socket {
    /// As events call it: `socket:packet/raw/768`. The words are those of the constants in socket(2); what has none is a number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = |list: &[(i32, &'static str)], number: u32| {
            let known = list.iter().find(|(own, _)| u32::try_from(*own) == Ok(number));
            known.map_or_else(|| number.to_string(), |(_, word)| (*word).to_owned())
        };
        let families = [
            (libc::AF_INET, "inet"),
            (libc::AF_INET6, "inet6"),
            (libc::AF_PACKET, "packet"),
            (libc::AF_RDS, "rds"),
            (libc::AF_CAN, "can"),
            (libc::AF_TIPC, "tipc"),
            (libc::AF_BLUETOOTH, "bluetooth"),
            (libc::AF_VSOCK, "vsock"),
            (libc::AF_XDP, "xdp"),
        ];
        let kinds = [
            (libc::SOCK_STREAM, "stream"),
            (libc::SOCK_DGRAM, "dgram"),
            (libc::SOCK_RAW, "raw"),
            (libc::SOCK_SEQPACKET, "seqpacket"),
            (libc::SOCK_DCCP, "dccp"),
        ];
        let protocols = [
            (libc::IPPROTO_ICMP, "icmp"),
            (libc::IPPROTO_TCP, "tcp"),
            (libc::IPPROTO_UDP, "udp"),
            (libc::IPPROTO_DCCP, "dccp"),
            (libc::IPPROTO_ICMPV6, "icmpv6"),
            (libc::IPPROTO_SCTP, "sctp"),
            (libc::IPPROTO_UDPLITE, "udplite"),
            (libc::IPPROTO_RAW, "raw"),
        ];
        let internet = [libc::AF_INET, libc::AF_INET6].contains(&i32::from(self.family));
        let protocols = if internet { &protocols[..] } else { &[] };
        let (family, kind) = (word(&families, self.family.into()), word(&kinds, self.kind.into()));
        write!(f, "{}{family}/{kind}/{}", tyr_policy::SOCKET, word(protocols, self.protocol))
    }
}

#[cfg(test)]
mod tests {
    use tyr_policy::Verdict;

    use super::Socket;

    #[test]
    fn sockets_are_called_by_the_words_of_socket_2() {
        let said = |family: i32, kind: i32, protocol: i32| {
            let number = |number: i32| u8::try_from(number).expect("a small number");
            let protocol = u32::try_from(protocol).expect("none is negative");
            let (family, kind) = (number(family), number(kind));
            let (verdict, rule, generation, failed) = (Verdict::Deny, None, 1, false);
            Socket { family, kind, protocol, verdict, rule, generation, failed }.to_string()
        };
        assert_eq!(said(libc::AF_PACKET, libc::SOCK_RAW, 768), "socket:packet/raw/768");
        assert_eq!(said(libc::AF_INET, libc::SOCK_STREAM, libc::IPPROTO_SCTP), "socket:inet/stream/sctp");
        assert_eq!(said(libc::AF_INET6, libc::SOCK_RAW, libc::IPPROTO_ICMPV6), "socket:inet6/raw/icmpv6");
        assert_eq!(said(libc::AF_VSOCK, libc::SOCK_STREAM, 0), "socket:vsock/stream/0");
        assert_eq!(said(43, 9, 1), "socket:43/9/1");
    }
}
