//! The user that the private cluster runs as: PostgreSQL refuses to run as root.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use crate::embedded::EmbeddedError;

/// Users tried in this order when none was chosen.
const UNPRIVILEGED: [&str; 2] = ["postgres", "nobody"];

/// A user of this host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    /// Whether programs have to be started as this user: the server itself is root.
    pub(crate) switch: bool,
}

impl Account {
    /// The user to run the cluster in `data_dir` as: this process's own, or if that is root, `chosen`, the one whom the
    /// cluster or its folder belongs to already (root looks after a service that runs as somebody else), `postgres`, or `nobody`.
    pub(crate) fn find(chosen: Option<&str>, data_dir: &Path) -> Result<Self, EmbeddedError> {
        let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
        let uid = rustix::process::geteuid().as_raw();
        if uid != 0 {
            let gid = rustix::process::getegid().as_raw();
            let name = entries(&passwd).find(|entry| entry.1 == uid).map(|entry| entry.0.to_owned());
            let name = name.ok_or(EmbeddedError::NamelessUser { uid })?;
            return Ok(Self { name, uid, gid, switch: false });
        }
        let by_name = |wanted: &str| entries(&passwd).find(|entry| entry.0 == wanted && entry.1 != 0);
        let found = match chosen {
            Some(name) => by_name(name),
            None => owner(data_dir)
                .and_then(|uid| entries(&passwd).find(|entry| entry.1 == uid))
                .or_else(|| UNPRIVILEGED.iter().find_map(|name| by_name(name))),
        };
        let (name, uid, gid) =
            found.ok_or_else(|| EmbeddedError::NoUser { name: chosen.unwrap_or("postgres").to_owned() })?;
        Ok(Self { name: name.to_owned(), uid, gid, switch: true })
    }

    /// Makes sure that this user can enter all folders above `dir`. Those that aren't ours are never changed.
    pub(crate) fn check_parents(&self, dir: &Path) -> Result<(), EmbeddedError> {
        if !self.switch {
            return Ok(());
        }
        for parent in dir.ancestors().skip(1) {
            let Ok(meta) = fs::metadata(parent) else { continue };
            let mode = meta.permissions().mode();
            let enters = if meta.uid() == self.uid {
                mode & 0o100
            } else if meta.gid() == self.gid {
                mode & 0o010
            } else {
                mode & 0o001
            };
            if enters == 0 {
                return Err(EmbeddedError::ClosedParent { dir: parent.to_owned(), user: self.name.clone() });
            }
        }
        Ok(())
    }
}

/// Whom the cluster in a data directory, or the directory itself, belongs to, unless that is root.
fn owner(data_dir: &Path) -> Option<u32> {
    [data_dir.join("pg"), data_dir.to_owned()]
        .iter()
        .filter_map(|path| fs::metadata(path).ok())
        .map(|meta| meta.uid())
        .find(|&uid| uid != 0)
}

/// Name, user id and group id of each line of a passwd file.
fn entries(passwd: &str) -> impl Iterator<Item = (&str, u32, u32)> {
    passwd.lines().filter_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        Some((name, uid, gid))
    })
}

#[cfg(test)]
mod tests {
    use super::entries;

    #[test]
    fn reads_passwd_lines() {
        let text = "root:x:0:0:root:/root:/bin/bash\nbroken line\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n";
        assert_eq!(entries(text).collect::<Vec<_>>(), [("root", 0, 0), ("nobody", 65534, 65534)]);
    }
}
