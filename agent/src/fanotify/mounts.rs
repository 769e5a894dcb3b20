//! Which file systems may be asked about.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, StatxAttributes, StatxFlags, statx};

/// Kinds of file systems on which an open waits for nobody but the kernel and its disks. Where a process or another host serves one,
/// that one and `tyrd` could wait for each other.
const KINDS: [&str; 22] = [
    "bcachefs", "btrfs", "erofs", "exfat", "ext2", "ext3", "ext4", "f2fs", "hfsplus", "iso9660", "jfs", "nilfs2",
    "ntfs3", "overlay", "ramfs", "reiserfs", "squashfs", "tmpfs", "udf", "vfat", "xfs", "zfs",
];

/// Why a path can't be named.
#[derive(Debug, thiserror::Error)]
pub enum MountError {
    /// Not there, or not to be looked at.
    #[error("{} can't be looked at", path.display())]
    Missing {
        /// As configured.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Nothing is mounted there.
    #[error("{} is no mount point: nothing is mounted there", path.display())]
    NoMountPoint {
        /// As configured.
        path: PathBuf,
    },
    /// Of a kind that answers may not be waited for on.
    #[error("{} is a file system of kind `{kind}`, where opens can't be asked about without danger", path.display())]
    Kind {
        /// As configured.
        path: PathBuf,
        /// As the kernel names it.
        kind: String,
    },
}

impl MountError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Missing { .. } => {
                "see `fanotify.mounts` in the configuration, and that it is mounted before tyrd starts"
            }
            Self::NoMountPoint { .. } => "name where its file system is mounted: `findmnt --target PATH` shows it",
            Self::Kind { .. } => "name file systems on disks of this host, or in its memory",
        }
    }
}

/// Can the file system at this path be asked about?
pub(super) fn check(path: &Path) -> Result<(), MountError> {
    let missing = |source| MountError::Missing { path: path.to_owned(), source };
    let real = fs::canonicalize(path).map_err(missing)?;
    let found = statx(CWD, &real, AtFlags::empty(), StatxFlags::TYPE).map_err(|error| missing(error.into()))?;
    if !found.stx_attributes.contains(StatxAttributes::MOUNT_ROOT) {
        return Err(MountError::NoMountPoint { path: path.to_owned() });
    }
    // The thread's own: a test has its mounts in one thread.
    let mounts = fs::read_to_string("/proc/thread-self/mountinfo").map_err(missing)?;
    let kind = kind_of(&mounts, &real).unwrap_or("unknown");
    if KINDS.contains(&kind) {
        return Ok(());
    }
    Err(MountError::Kind { path: path.to_owned(), kind: kind.to_owned() })
}

/// The kind of what is mounted at a path, by a `/proc/PID/mountinfo`: of several the last, which lies on top.
fn kind_of<'a>(mountinfo: &'a str, path: &Path) -> Option<&'a str> {
    mountinfo
        .lines()
        .filter_map(|line| {
            let (fields, tail) = line.split_once(" - ")?;
            let at = crate::scope::unescape(fields.split(' ').nth(4)?);
            (Path::new(&at) == path).then(|| tail.split(' ').next())?
        })
        .next_back()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{MountError, check, kind_of};

    #[test]
    fn finds_what_lies_on_top() {
        let mounts = "21 1 8:1 / / rw - ext4 /dev/sda1 rw\n30 21 0:30 / /srv/my\\040work rw shared:1 - fuse.sshfs x rw\n\
                      31 30 0:31 / /srv/my\\040work rw - xfs /dev/sdb rw\n";
        assert_eq!(kind_of(mounts, Path::new("/")), Some("ext4"));
        assert_eq!(kind_of(mounts, Path::new("/srv/my work")), Some("xfs"));
        assert_eq!(kind_of(mounts, Path::new("/srv")), None);
    }

    #[test]
    fn says_why_a_path_can_not_be_named() {
        assert!(matches!(check(Path::new("/no/such/folder")), Err(MountError::Missing { .. })));
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(check(folder.path()), Err(MountError::NoMountPoint { .. })));
        let kernels = check(Path::new("/proc")).unwrap_err();
        assert!(matches!(&kernels, MountError::Kind { kind, .. } if kind == "proc"), "{kernels}");
    }
}
