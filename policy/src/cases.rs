//! Cases: actions, and what a policy should say of them.

use std::net::{IpAddr, SocketAddr};

use crate::condition::Facts;
use crate::eval::{Act, Effective, Judgement, Resource};
use crate::words::{Action, Protocol, Severity, Verdict};

/// A file of cases.
///
/// ```yaml
/// cases:
///   - act: file_read              # the action
///     to: /root/.ssh/id_ed25519   # the real path; `address:port`; a server name
///     gives: deny                 # the verdict
///     by: no-ssh-keys             # the rule; left out: no rule, the default
/// ```
///
/// Further fields: `protocol` (tcp, else udp), `truncated` (only a part of the path is known), `agent_type` and `binary` of the
/// acting process, its `cmdline` and `uid` for conditions, `held` (names of rules whose condition held for it before), `severity` (left
/// out: not compared), `note`.
#[derive(Clone, Debug)]
pub struct CaseFile {
    /// In order.
    pub cases: Vec<Case>,
}

/// One case.
#[derive(Clone, Debug)]
pub struct Case {
    /// Where it begins, from 1.
    pub line: u32,
    /// What is done.
    pub action: Action,
    /// To what.
    pub target: Target,
    /// Agent type of the acting process.
    pub agent_type: Option<String>,
    /// Its executable.
    pub binary: Vec<u8>,
    /// Its command line, for conditions.
    pub cmdline: String,
    /// Who it runs as, for conditions.
    pub uid: i64,
    /// Rules whose condition held for it before.
    pub held: Vec<String>,
    /// What should come out.
    pub verdict: Verdict,
    /// By which rule; `None`: by the default.
    pub rule: Option<String>,
    /// With which severity; `None`: any.
    pub severity: Option<Severity>,
    /// What its author has to say.
    pub note: Option<String>,
}

/// What is acted on, owned: see [`Resource`].
#[derive(Clone, Debug)]
pub enum Target {
    /// A file or program.
    Path {
        /// The real path.
        path: Vec<u8>,
        /// Only a part of it is known.
        truncated: bool,
    },
    /// A connection or datagram.
    Net {
        /// Destination.
        addr: IpAddr,
        /// Destination.
        port: u16,
        /// Transport.
        protocol: Protocol,
    },
    /// A TLS server name.
    ServerName(String),
}

impl Case {
    /// As a policy judges it.
    pub fn act(&self, policy: &Effective) -> Act<'_> {
        let resource = match &self.target {
            Target::Path { path, truncated } => Resource::Path { path, truncated: *truncated },
            Target::Net { addr, port, protocol } => Resource::Net { addr: *addr, port: *port, protocol: *protocol },
            Target::ServerName(name) => Resource::ServerName(name),
        };
        let held = policy.held_by_names(self.held.iter().map(String::as_str));
        Act { action: self.action, resource, agent_type: self.agent_type.as_deref(), binary: &self.binary, held }
    }

    /// What a policy says of it, conditions included.
    pub fn judged_by<'p>(&self, policy: &'p Effective) -> Judgement<'p> {
        let resource = match &self.target {
            Target::Path { path, .. } => String::from_utf8_lossy(path),
            Target::Net { addr, port, .. } => SocketAddr::new(*addr, *port).to_string().into(),
            Target::ServerName(name) => name.into(),
        };
        let exe = String::from_utf8_lossy(&self.binary);
        policy.judge_with(
            &self.act(policy),
            &Facts { resource: &resource, exe: &exe, cmdline: &self.cmdline, uid: self.uid },
        )
    }

    /// Whether a judgement is what the case asks for.
    pub fn is_met_by(&self, judgement: &Judgement<'_>) -> bool {
        (judgement.verdict, judgement.rule) == (self.verdict, self.rule.as_deref())
            && self.severity.is_none_or(|severity| severity == judgement.severity)
    }
}
