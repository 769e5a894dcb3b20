//! The part of the host that is governed: one cgroup v2 subtree, or everything.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A cgroup v2 folder and what the kernel programs need to know of it.
#[derive(Debug)]
pub struct Scope {
    /// The folder, open; network programs are attached to it.
    pub(crate) folder: File,
    /// The cgroup's id; 0 stands for the whole host.
    pub(crate) id: u64,
    /// Its depth below the root cgroup, whose depth is 0.
    pub(crate) level: u32,
    /// Its path as `/proc/PID/cgroup` shows it, without a slash at the end; empty for the root.
    name: String,
}

impl Scope {
    /// The subtree below a folder, or the whole host.
    ///
    /// # Errors
    /// The folder is missing, not within a cgroup2 mount, or there is no such mount.
    pub(crate) fn open(path: Option<&Path>) -> io::Result<Self> {
        let mounts = std::fs::read_to_string("/proc/self/mountinfo")?;
        let mounts = cgroup2_mounts(&mounts);
        let Some(path) = path else {
            let mount = mounts.first().ok_or_else(|| io::Error::other("no cgroup2 file system is mounted"))?;
            return Ok(Self { folder: File::open(&mount.at)?, id: 0, level: 0, name: String::new() });
        };
        let path = path.canonicalize()?;
        let (mount, below) = mounts
            .iter()
            .filter_map(|mount| Some((mount, path.strip_prefix(&mount.at).ok()?)))
            .max_by_key(|(mount, _)| mount.at.as_os_str().len())
            .ok_or_else(|| io::Error::other("it lies in no cgroup2 mount"))?;
        let folder = File::open(&path)?;
        // The id of a cgroup is the number of its folder, on 64-bit kernels (fs/kernfs: kernfs_ino of the same 64 bits).
        let id = folder.metadata()?.ino();
        let full = mount.root.join(below);
        let name = full.to_string_lossy().trim_end_matches('/').to_owned();
        let level = full.components().filter(|c| matches!(c, std::path::Component::Normal(_))).count();
        let level = u32::try_from(level).expect("a path is shorter than that");
        if level == 0 {
            return Ok(Self { folder, id: 0, level: 0, name: String::new() });
        }
        Ok(Self { folder, id, level, name })
    }

    /// Is the process in it? False when it is gone.
    pub(crate) fn holds(&self, pid: u32) -> bool {
        if self.id == 0 {
            return Path::new(&format!("/proc/{pid}")).exists();
        }
        let Ok(cgroups) = std::fs::read_to_string(format!("/proc/{pid}/cgroup")) else { return false };
        cgroups.lines().filter_map(|line| line.strip_prefix("0::")).any(|own| {
            own.strip_prefix(self.name.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Mount {
    /// The cgroup that the mount shows; not `/` where only a part is mounted.
    root: PathBuf,
    at: PathBuf,
}

/// The cgroup2 mounts of a `/proc/PID/mountinfo`.
fn cgroup2_mounts(mountinfo: &str) -> Vec<Mount> {
    mountinfo
        .lines()
        .filter_map(|line| {
            let (fields, tail) = line.split_once(" - ")?;
            let mut fields = fields.split(' ').skip(3);
            let (root, at) = (fields.next()?, fields.next()?);
            tail.starts_with("cgroup2 ").then(|| Mount { root: unescape(root).into(), at: unescape(at).into() })
        })
        .collect()
}

/// Blanks and the like stand as `\040` in mountinfo.
pub(crate) fn unescape(text: &str) -> String {
    ["040 ", "011\t", "012\n", "134\\"]
        .iter()
        .fold(text.to_owned(), |text, code| text.replace(&format!("\\{}", &code[..3]), &code[3..]))
}

#[cfg(test)]
mod tests {
    use super::{Mount, cgroup2_mounts};

    #[test]
    fn finds_cgroup2_beside_the_old_hierarchies() {
        let text = "40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd\n\
                    41 31 0:38 /a /sys/fs/cgroup/uni\\040fied rw,relatime shared:4 - cgroup2 cgroup2 rw\n";
        let mounts = cgroup2_mounts(text);
        assert_eq!(mounts, [Mount { root: "/a".into(), at: "/sys/fs/cgroup/uni fied".into() }]);
    }
}
