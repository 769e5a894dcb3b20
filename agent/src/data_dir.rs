//! The agent's own folder: only root may look into it, only one `tyrd` works in it, and files change in one step.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Largest file that is read from it, in bytes: the cached policy, at most 16 layers of 256 KiB.
const FILE_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// The folder `data_dir`, owned by this process while it lives.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    /// Locked as long as it is open.
    _lock: File,
}

/// The folder can't be used; nothing in it was changed.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// It could not be made or opened.
    #[error("can't use the data folder `{}`", path.display())]
    Unusable {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Someone else owns it, and could replace the identity or read it.
    #[error("the data folder `{}` belongs to user {owner}, not to the user of tyrd", path.display())]
    Foreign {
        /// The folder.
        path: PathBuf,
        /// Who owns it.
        owner: u32,
    },
    /// Another `tyrd` runs with it.
    #[error("another tyrd works in the data folder `{}`", path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
    },
}

impl DataDirError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Unusable { .. } => "see `data_dir` in the configuration",
            Self::Foreign { .. } => "give it back with chown, or name another folder as `data_dir`",
            Self::InUse { .. } => "ask it with `tyrd status`, or stop it first",
        }
    }
}

impl DataDir {
    /// Opens the folder, makes it when it isn't there, takes away what others may do in it, and locks it.
    pub fn open(path: &Path) -> Result<Self, DataDirError> {
        let unusable = |source| DataDirError::Unusable { path: path.to_owned(), source };
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(unusable)?;
        let metadata = fs::metadata(path).map_err(unusable)?;
        if metadata.uid() != rustix::process::geteuid().as_raw() {
            return Err(DataDirError::Foreign { path: path.to_owned(), owner: metadata.uid() });
        }
        fs::set_permissions(path, fs::Permissions::from_mode(0o700)).map_err(unusable)?;
        let lock = File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path.join("lock"))
            .map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(DataDirError::InUse { path: path.to_owned() }),
            Err(TryLockError::Error(source)) => Err(unusable(source)),
        }
    }

    /// Where a file of this name stands.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The file's bytes, `None` when there is no such file.
    pub fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        let file = match File::open(self.file(name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        let mut bytes = Vec::new();
        file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > FILE_BYTES_MAX {
            return Err(io::Error::other(format!("{name} is longer than {FILE_BYTES_MAX} bytes")));
        }
        Ok(Some(bytes))
    }

    /// Replaces the file in one step, on disk when this returns; made with mode 0600, never wider for a moment.
    pub fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let temporary = self.file(&format!("{name}.new"));
        match fs::remove_file(&temporary) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = File::options().write(true).create_new(true).mode(0o600).open(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, self.file(name))?;
        File::open(&self.path)?.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::{DataDir, DataDirError};
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    fn mode(path: &std::path::Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn is_closed_to_others_and_used_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a/b");
        let data = DataDir::open(&path).unwrap();
        assert_eq!(mode(&path), 0o700);
        assert!(matches!(DataDir::open(&path), Err(DataDirError::InUse { .. })));
        drop(data);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        DataDir::open(&path).unwrap();
        assert_eq!(mode(&path), 0o700);
    }

    #[test]
    fn replaces_files_with_mode_0600() {
        let dir = tempfile::tempdir().unwrap();
        let data = DataDir::open(dir.path()).unwrap();
        assert_eq!(data.read("x").unwrap(), None);
        data.write("x", b"1").unwrap();
        data.write("x", b"2").unwrap();
        assert_eq!(data.read("x").unwrap().as_deref(), Some(&b"2"[..]));
        assert_eq!(mode(&data.file("x")), 0o600);
        assert!(!data.file("x.new").exists());
    }
}
