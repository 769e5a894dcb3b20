//! A cgroup of a test's own: the scope of its agent, and the end of whatever still runs in it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};

use crate::wait_for;

/// A new cgroup2 folder; dropping it kills what is in it and removes it.
pub struct Cgroup {
    path: PathBuf,
}

impl Cgroup {
    /// Makes one below the place where cgroup2 is mounted. Needs root.
    pub fn new() -> Result<Self> {
        let mounts = fs::read_to_string("/proc/self/mounts").context("reading /proc/self/mounts")?;
        let root = mounts
            .lines()
            .map(|line| line.split(' ').collect::<Vec<_>>())
            .find(|fields| fields.get(2) == Some(&"cgroup2"))
            .and_then(|fields| fields.get(1).map(PathBuf::from))
            .context("no cgroup2 file system is mounted")?;
        let path = root.join(format!("tyr-e2e-{}", uuid::Uuid::now_v7()));
        fs::create_dir(&path).with_context(|| format!("making {} (are you root?)", path.display()))?;
        Ok(Self { path })
    }

    /// Its folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn processes(&self) -> Vec<Pid> {
        fs::read_to_string(self.path.join("cgroup.procs"))
            .unwrap_or_default()
            .lines()
            .filter_map(|line| line.parse().ok().and_then(Pid::from_raw))
            .collect()
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        let path = self.path.clone();
        wait_for("an empty cgroup", std::time::Duration::from_secs(10), || {
            for pid in self.processes() {
                // Gone in the meantime is what we want.
                kill_process(pid, Signal::KILL).ok();
            }
            fs::remove_dir(&path).ok()
        });
    }
}
