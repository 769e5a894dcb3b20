//! `tyrd status`: how the running agent stands, for people and for programs.

use std::fmt::{self, Write};

use serde::{Deserialize, Serialize};

use crate::clock::{rfc3339, unix_us_now};
use crate::enrich::AiProcess;
use crate::pipeline::FlowCounters;
use crate::ship::Connection;
use crate::spool::Counters;

/// How the agent stands. Its JSON is a contract: keys are added, never renamed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Version of tyrd.
    pub version: String,
    /// Name of this agent.
    pub name: String,
    /// Id given by the server; absent before enrollment.
    pub agent_id: Option<String>,
    /// Microseconds since the Unix epoch.
    pub started_unix_us: i64,
    /// The server's URL.
    pub server: String,
    /// End of the certificate, microseconds since the Unix epoch; absent before enrollment.
    #[serde(default)]
    pub certificate_not_after_unix_us: Option<i64>,
    /// How the connection stands.
    pub connection: Connection,
    /// `observing`, `partial` or `enforcing`.
    pub posture: String,
    /// Why it is not a better one.
    pub posture_reason: String,
    /// Attach points in use.
    pub hooks: Vec<String>,
    /// What is done with AI processes of types that aren't registered: `audit`, `quarantine` or `deny`.
    #[serde(default)]
    pub unregistered_agents: String,
    /// The cgroup that everything is limited to, empty for the whole host.
    pub scope: String,
    /// The tables that the kernel judges by; absent before the first policy.
    #[serde(default)]
    pub tables: Option<KernelTables>,
    /// Folder that keeps the hooks beyond the end of `tyrd`; absent: they end with it.
    #[serde(default)]
    pub kept: Option<String>,
    /// The last denial that was tried; absent where files are not enforced.
    #[serde(default)]
    pub denial: Option<Denial>,
    /// Effective policy in force, empty for none.
    pub policy_id: String,
    /// Its versions, in order of evaluation.
    pub policy: Vec<PolicyVersion>,
    /// The spool.
    pub spool: Counters,
    /// What became of the kernel's reports.
    pub flow: FlowCounters,
    /// What was lost, by kind, verdict and reason.
    pub losses: Vec<Loss>,
    /// Live trees of AI processes.
    pub ai_processes: Vec<AiProcess>,
}

/// The policy's tables as the kernel has them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KernelTables {
    /// Version of the form and SHA-256 in hex, read back from the kernel just now; empty when they could not be read. The same on
    /// each host with the same policy.
    pub digest: String,
    /// They are what this agent put there.
    pub intact: bool,
}

/// A denial that was tried, to see whether denials happen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denial {
    /// Microseconds since the Unix epoch.
    pub tried_unix_us: i64,
    /// Why it was none; absent when it was denied as it should be.
    pub fault: Option<String>,
    /// What was tried went through.
    #[serde(default)]
    pub went_through: bool,
}

/// Tables as they were read back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProvenTables {
    /// The effective policy that they were made from.
    pub policy_id: String,
    /// What they hold besides, see [`tyr_policy::Guard::id`]; empty for nothing.
    pub guard: String,
    /// Their digest.
    pub digest: String,
}

/// What the last look at the kernel showed of what is said to be enforced.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proof {
    /// The last denial that was tried; `None` where none can be.
    pub denial: Option<Denial>,
    /// The tables that were read back; `None` before the first, or where they can't be read.
    pub tables: Option<ProvenTables>,
}

/// One layer of the policy in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyVersion {
    /// Number of the policy version.
    pub version: u32,
    /// The policy's name.
    pub name: String,
    /// The agent type it is for; absent for all.
    pub agent_type: Option<String>,
}

/// Events lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loss {
    /// Kind of event.
    pub kind: String,
    /// Its verdict.
    pub verdict: String,
    /// Where it was lost.
    pub reason: String,
    /// How many, since the agent's start.
    pub count: u64,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows = |key: &str, values: &[String]| {
            let keys = std::iter::once(key).chain(std::iter::repeat(""));
            keys.zip(values).try_for_each(|(key, value)| writeln!(f, "{key:<12} {}", one_line(value)))
        };
        let or = |text: &str, none: &str| if text.is_empty() { none.to_owned() } else { text.to_owned() };
        let agent_id = self.agent_id.as_deref().unwrap_or("(not enrolled)");
        rows("agent", &[format!("{} {agent_id}", self.name)])?;
        rows("version", &[format!("{}, running since {}", self.version, rfc3339(self.started_unix_us))])?;
        rows("server", &[format!("{} {}", self.server, connection(&self.connection))])?;
        if let Some(not_after) = self.certificate_not_after_unix_us {
            rows("certificate", &[certificate(not_after, unix_us_now())])?;
        }
        rows("posture", &[format!("{}: {}", self.posture, self.posture_reason)])?;
        let denial = |denial: &Denial| {
            let what = denial.fault.as_deref().unwrap_or("denied as it should be");
            format!("tried {}: {what}", rfc3339(denial.tried_unix_us))
        };
        rows("denial", &self.denial.iter().map(denial).collect::<Vec<_>>())?;
        rows("hooks", &self.hooks)?;
        let kept = |folder: &String| format!("beyond the end of tyrd, by {folder}");
        rows("kept", &self.kept.iter().map(kept).collect::<Vec<_>>())?;
        rows("unregistered", &[or(&self.unregistered_agents, "audit")])?;
        rows("scope", &[or(&self.scope, "the whole host")])?;
        let layer = |layer: &PolicyVersion| {
            let whom = layer.agent_type.as_deref().unwrap_or("all");
            format!("version {} `{}` for {whom}", layer.version, layer.name)
        };
        let mut policy = vec![or(&self.policy_id, "none: everything is allowed")];
        policy.extend(self.policy.iter().map(layer));
        rows("policy", &policy)?;
        let tables = |tables: &KernelTables| match (tables.digest.is_empty(), tables.intact) {
            (true, _) => "can't be read back from the kernel".to_owned(),
            (false, true) => format!("sha256 {}, as written", tables.digest),
            (false, false) => format!("sha256 {}: NOT what this agent wrote there", tables.digest),
        };
        rows("tables", &self.tables.iter().map(tables).collect::<Vec<_>>())?;
        let Counters { records, bytes, emitted, lost, acknowledged, .. } = self.spool;
        rows("spool", &[format!("{records} records, {bytes} bytes not acknowledged")])?;
        rows("events", &[format!("{emitted} made, {acknowledged} acknowledged, {lost} lost")])?;
        let loss = |loss: &Loss| format!("{} {} {} ({})", loss.count, loss.verdict, loss.kind, loss.reason);
        rows("lost", &self.losses.iter().map(loss).collect::<Vec<_>>())?;
        rows("ai processes", &[self.ai_processes.len().to_string()])?;
        if !self.ai_processes.is_empty() {
            writeln!(f, "\n{:>8}  {:<20}  {:<27}  {:<11}  COMMAND", "PID", "TYPE", "SINCE", "FOUND BY")?;
        }
        for process in &self.ai_processes {
            let AiProcess { pid, agent_type, found_by, .. } = process;
            let since = rfc3339(process.first_seen_unix_us);
            let command = if process.cmdline.is_empty() { &process.exe } else { &process.cmdline };
            writeln!(f, "{pid:>8}  {agent_type:<20}  {since:<27}  {found_by:<11}  {}", one_line(command))?;
        }
        Ok(())
    }
}

fn connection(connection: &Connection) -> String {
    match connection {
        Connection::Enrolling => "(enrolling)".to_owned(),
        Connection::Connecting => "(connecting)".to_owned(),
        Connection::Connected { since_unix_us } => format!("(connected since {})", rfc3339(*since_unix_us)),
        Connection::Disconnected { reason } => format!("(not connected: {reason})"),
        Connection::Refused { reason } => format!(
            "(refused by the server: {reason}; to enroll again, put a fresh enrollment_token into the configuration)"
        ),
    }
}

/// How the certificate stands by this host's clock.
fn certificate(not_after_unix_us: i64, now_unix_us: i64) -> String {
    let end = rfc3339(not_after_unix_us);
    if now_unix_us < not_after_unix_us {
        format!("good until {end}, renewed by itself before")
    } else {
        format!(
            "expired on {end}; renewed at the next connect, and where the server refuses that, it takes a fresh \
             enrollment_token (`tyrctl token create`) in the configuration"
        )
    }
}

/// Command lines come from processes that are watched because they aren't trusted: no control character, and nothing that
/// turns the direction of text, reaches the terminal.
fn one_line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if c.is_control() => write!(out, "\\x{:02x}", u32::from(c)).expect("writing to a String"),
            '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' => {
                write!(out, "\\u{{{:x}}}", u32::from(c)).expect("writing to a String");
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
pub(crate) mod tests {
    use super::{Denial, KernelTables, Loss, PolicyVersion, Status};
    use crate::enrich::AiProcess;
    use crate::pipeline::FlowCounters;
    use crate::ship::Connection;
    use crate::spool::Counters;

    pub(crate) fn status() -> Status {
        Status {
            version: "0.1.0".into(),
            name: "host-a".into(),
            agent_id: Some("0192f0c1-2345-7000-8000-000000000001".into()),
            started_unix_us: 1_700_000_000_000_000,
            server: "https://tyr:7700".into(),
            certificate_not_after_unix_us: Some(1_700_000_000_000_000),
            connection: Connection::Disconnected { reason: "refused".into() },
            posture: "partial".into(),
            posture_reason: "no BPF LSM".into(),
            hooks: vec!["cgroup/connect4".into()],
            unregistered_agents: "quarantine".into(),
            scope: String::new(),
            kept: Some("/sys/fs/bpf/tyr/L1-7-9".into()),
            denial: Some(Denial { tried_unix_us: 1_700_000_000_000_000, fault: None, went_through: false }),
            tables: Some(KernelTables { digest: "1-9f86d0".into(), intact: true }),
            policy_id: "ab".into(),
            policy: vec![PolicyVersion { version: 3, name: "web".into(), agent_type: None }],
            spool: Counters { records: 2, bytes: 900, emitted: 12, lost: 1, acknowledged: 9, announcements_lost: 0 },
            flow: FlowCounters { taken: 20, spooled: 11, merged: 9, unreported: 0, disagreed: 0 },
            losses: vec![Loss {
                kind: "file_read".into(),
                verdict: "allow".into(),
                reason: "kernel_ring".into(),
                count: 1,
            }],
            ai_processes: vec![AiProcess {
                id: "0192f0c1-2345-7000-8000-000000000002".parse().unwrap(),
                agent_type: "codex".into(),
                pid: 42,
                exe: "/usr/bin/codex".into(),
                cmdline: "codex\x1b[2J\u{202e}x".into(),
                found_by: "scan".into(),
                first_seen_unix_us: 1_700_000_000_000_000,
            }],
        }
    }

    #[test]
    fn is_shown_as_text_without_a_byte_that_acts_on_a_terminal() {
        insta::assert_snapshot!(status(), @r"
        agent        host-a 0192f0c1-2345-7000-8000-000000000001
        version      0.1.0, running since 2023-11-14T22:13:20.000000Z
        server       https://tyr:7700 (not connected: refused)
        certificate  expired on 2023-11-14T22:13:20.000000Z; renewed at the next connect, and where the server refuses that, it takes a fresh enrollment_token (`tyrctl token create`) in the configuration
        posture      partial: no BPF LSM
        denial       tried 2023-11-14T22:13:20.000000Z: denied as it should be
        hooks        cgroup/connect4
        kept         beyond the end of tyrd, by /sys/fs/bpf/tyr/L1-7-9
        unregistered quarantine
        scope        the whole host
        policy       ab
                     version 3 `web` for all
        tables       sha256 1-9f86d0, as written
        spool        2 records, 900 bytes not acknowledged
        events       12 made, 9 acknowledged, 1 lost
        lost         1 allow file_read (kernel_ring)
        ai processes 1

             PID  TYPE                  SINCE                        FOUND BY     COMMAND
              42  codex                 2023-11-14T22:13:20.000000Z  scan         codex\x1b[2J\u{202e}x
        ");
    }

    #[test]
    fn json_reads_back() {
        let text = serde_json::to_string(&status()).unwrap();
        assert_eq!(serde_json::from_str::<Status>(&text).unwrap(), status());
    }

    #[test]
    fn a_certificate_that_is_good_needs_nothing() {
        let text = super::certificate(1_700_000_000_000_000, 1_600_000_000_000_000);
        assert_eq!(text, "good until 2023-11-14T22:13:20.000000Z, renewed by itself before");
    }
}
