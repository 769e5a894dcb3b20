//! AI processes: gives each tree that the kernel reports its name for the server, and announces beginning and end.

use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::sync::watch;
use tyr_proto::text::escape;
use tyr_proto::v1::DiscoveredAgent;
use uuid::Uuid;

use crate::clock::Stamp;
use crate::decode::{FoundBy, Process, Program, TreeId};

/// Longest command line that is reported, in bytes before escaping.
pub const CMDLINE_BYTES_MAX: usize = 4096;

/// A tree of AI processes that lives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AiProcess {
    /// Its id at the server.
    pub id: Uuid,
    /// Its class, such as `claude-code`.
    pub agent_type: String,
    /// Process id of its root.
    pub pid: u32,
    /// Executable of its root, escaped.
    pub exe: String,
    /// Command line of its root, escaped.
    pub cmdline: String,
    /// How it was recognised: `fingerprint`, `scan` or `run`.
    pub found_by: String,
    /// Microseconds since the Unix epoch.
    pub first_seen_unix_us: i64,
}

/// The trees that live.
#[derive(Debug)]
pub struct Trees {
    live: HashMap<TreeId, Tree>,
    published: watch::Sender<Arc<[AiProcess]>>,
}

#[derive(Debug)]
struct Tree {
    news: DiscoveredAgent,
    announced: bool,
}

impl Default for Trees {
    fn default() -> Self {
        Self { live: HashMap::new(), published: watch::Sender::new(Arc::default()) }
    }
}

impl Trees {
    /// The trees as others may see them.
    pub fn watch(&self) -> watch::Receiver<Arc<[AiProcess]>> {
        self.published.subscribe()
    }

    /// A tree begins with this process. Returns what is to be announced now, if anything.
    ///
    /// What `tyrd run` starts still executes `tyrd` at this point. It is announced when it does something, which is to
    /// execute the command: so the announcement names the command.
    pub fn start(
        &mut self,
        process: &Process,
        found_by: FoundBy,
        pattern: &str,
        stamp: Stamp,
    ) -> Option<DiscoveredAgent> {
        let news = DiscoveredAgent {
            discovered_agent_id: stamp.id.to_string(),
            agent_type: process.agent_type.to_string(),
            pid: process.pid.into(),
            process_signature: signature(&process.program, pattern),
            process_exe: escape(&process.program.exe).into_owned(),
            cmdline: cmdline(&process.program),
            first_seen_ns: stamp.unix_ns(),
            ended_ns: None,
            found_by: found_by.as_str().to_owned(),
        };
        let announced = found_by != FoundBy::Run;
        self.live.insert(process.tree, Tree { news: news.clone(), announced });
        self.publish();
        announced.then_some(news)
    }

    /// The id of the acting process's tree, and what is to be announced before the event, if anything.
    pub fn acting(&mut self, process: &Process, stamp: impl FnOnce() -> Stamp) -> (String, Option<DiscoveredAgent>) {
        if !self.live.contains_key(&process.tree) {
            // The record of its beginning was lost: better a tree whose root is this process than events of none.
            let news = self.start(process, FoundBy::Scan, "", stamp());
            return (self.live[&process.tree].news.discovered_agent_id.clone(), news);
        }
        let tree = self.live.get_mut(&process.tree).expect("looked up above");
        let id = tree.news.discovered_agent_id.clone();
        if tree.announced {
            return (id, None);
        }
        tree.announced = true;
        tree.news.process_signature = signature(&process.program, "");
        tree.news.process_exe = escape(&process.program.exe).into_owned();
        tree.news.cmdline = cmdline(&process.program);
        let news = tree.news.clone();
        self.publish();
        (id, Some(news))
    }

    /// The tree's last process is gone. Returns what is to be announced; nothing for a tree that nobody heard of.
    pub fn end(&mut self, tree: TreeId, stamp: Stamp) -> Option<DiscoveredAgent> {
        let ended = self.live.remove(&tree)?;
        self.publish();
        Some(DiscoveredAgent { ended_ns: Some(stamp.unix_ns()), ..ended.news })
    }

    /// Nobody watches any more. Returns what is to be announced.
    pub fn end_all(&mut self, stamp: Stamp) -> Vec<DiscoveredAgent> {
        let ended = self.live.drain().map(|(_, tree)| DiscoveredAgent { ended_ns: Some(stamp.unix_ns()), ..tree.news });
        let ended = ended.collect();
        self.publish();
        ended
    }

    fn publish(&self) {
        let mut all: Vec<_> = self.live.values().map(|tree| ai_process(&tree.news)).collect();
        all.sort_by_key(|process| process.id);
        self.published.send_replace(all.into());
    }
}

fn ai_process(news: &DiscoveredAgent) -> AiProcess {
    AiProcess {
        id: news.discovered_agent_id.parse().expect("made from a UUID"),
        agent_type: news.agent_type.clone(),
        pid: u32::try_from(news.pid).expect("made from a u32"),
        exe: news.process_exe.clone(),
        cmdline: news.cmdline.clone(),
        found_by: news.found_by.clone(),
        first_seen_unix_us: news.first_seen_ns / 1000,
    }
}

/// The command line as it is reported.
pub fn cmdline(program: &Program) -> String {
    let mut line = program.command_line();
    line.truncate(CMDLINE_BYTES_MAX);
    escape(&line).into_owned()
}

/// Hex SHA-256 over the executable's path and the pattern that recognised it: the same tool on two hosts has the same.
fn signature(program: &Program, pattern: &str) -> String {
    let mut digest = Sha256::new();
    digest.update(&program.exe);
    digest.update([0]);
    digest.update(pattern);
    hex::encode(digest.finalize())
}
