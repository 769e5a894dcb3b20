//! The scope's cgroup, as a folder and as what processes are put into.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Where cgroup v2 is mounted.
const MOUNT: &str = "/sys/fs/cgroup";

/// The configured cgroup as an absolute folder: given as one, or as `/proc/PID/cgroup` has it.
pub(super) fn absolute(cgroup: Option<&Path>) -> Option<PathBuf> {
    let cgroup = cgroup?;
    if cgroup.starts_with(MOUNT) {
        return Some(cgroup.to_owned());
    }
    Some(Path::new(MOUNT).join(cgroup.strip_prefix("/").unwrap_or(cgroup)))
}

/// Moves a process into the scope, unless it is in it or below already.
pub(super) fn enter(scope: &Path, pid: u32) -> io::Result<()> {
    let lines = fs::read_to_string(format!("/proc/{pid}/cgroup"))?;
    if lines.lines().filter_map(|line| line.strip_prefix("0::")).any(|own| within(scope, Path::new(own))) {
        return Ok(());
    }
    fs::write(scope.join("cgroup.procs"), pid.to_string())
}

/// Whether a cgroup, as `/proc/PID/cgroup` has it, is the scope or below.
fn within(scope: &Path, own: &Path) -> bool {
    absolute(Some(own)).is_some_and(|own| own.starts_with(scope))
}

#[cfg(test)]
mod tests {
    use super::{absolute, within};
    use std::path::Path;

    #[test]
    fn takes_both_ways_to_write_a_cgroup() {
        let expected = Some("/sys/fs/cgroup/tyr.slice/a".into());
        assert_eq!(absolute(Some(Path::new("/tyr.slice/a"))), expected);
        assert_eq!(absolute(Some(Path::new("/sys/fs/cgroup/tyr.slice/a"))), expected);
        assert_eq!(absolute(None), None);
    }

    #[test]
    fn a_name_that_only_begins_alike_is_outside() {
        let scope = Path::new("/sys/fs/cgroup/a");
        assert!(within(scope, Path::new("/a")) && within(scope, Path::new("/a/b")));
        assert!(!within(scope, Path::new("/ab")) && !within(scope, Path::new("/")));
    }
}
