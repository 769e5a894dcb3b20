//! The scope's cgroup, as a folder and as what processes are put into.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Where cgroup v2 usually is, for a host that mounts none.
const MOUNT_DEFAULT: &str = "/sys/fs/cgroup";

/// The configured cgroup as an absolute folder: given as one, or as `/proc/PID/cgroup` has it.
pub(super) fn absolute(cgroup: Option<&Path>) -> Option<PathBuf> {
    let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
    cgroup.map(|cgroup| below(mount(&mounts), cgroup))
}

/// Moves a process into the scope, unless it is in it or below already.
pub(super) fn enter(scope: &Path, pid: u32) -> io::Result<()> {
    let mounts = fs::read_to_string("/proc/mounts")?;
    let lines = fs::read_to_string(format!("/proc/{pid}/cgroup"))?;
    let own = lines.lines().filter_map(|line| line.strip_prefix("0::"));
    if own.map(|own| below(mount(&mounts), Path::new(own))).any(|own| own.starts_with(scope)) {
        return Ok(());
    }
    fs::write(scope.join("cgroup.procs"), pid.to_string())
}

/// Mount point of cgroup v2, which stands beside that of v1 on some hosts.
fn mount(mounts: &str) -> &Path {
    let fields = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let found = fields.into_iter().find_map(|fields| match fields[..] {
        [_, mount, "cgroup2", ..] => Some(mount),
        _ => None,
    });
    Path::new(found.unwrap_or(MOUNT_DEFAULT))
}

fn below(mount: &Path, cgroup: &Path) -> PathBuf {
    if cgroup.starts_with(mount) {
        return cgroup.to_owned();
    }
    mount.join(cgroup.strip_prefix("/").unwrap_or(cgroup))
}

#[cfg(test)]
mod tests {
    use super::{below, mount};
    use std::path::Path;

    #[test]
    fn takes_both_ways_to_write_a_cgroup() {
        let mount = Path::new("/sys/fs/cgroup");
        let expected = Path::new("/sys/fs/cgroup/tyr.slice/a");
        assert_eq!(below(mount, Path::new("/tyr.slice/a")), expected);
        assert_eq!(below(mount, expected), expected);
        assert!(!below(mount, Path::new("/tyr.slice/ab")).starts_with(expected), "a name that only begins alike");
    }

    #[test]
    fn finds_the_mount_beside_version_one() {
        let mounts = "cgroup /sys/fs/cgroup/cpu cgroup rw 0 0\ncgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n";
        assert_eq!(mount(mounts), Path::new("/sys/fs/cgroup/unified"));
        assert_eq!(mount("proc /proc proc rw 0 0\n"), Path::new("/sys/fs/cgroup"));
    }
}
