//! The token that a Prometheus shows to read `/metrics`: a file, so that scraper and server share it without a login.
//!
//! The file is read at each use. Who replaces it has changed the token: no restart, and nothing that this server keeps.

use std::path::{Path, PathBuf};
use std::{fs, io};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use sha2::{Digest, Sha256};

use crate::pki::write_private;

/// What a metrics token begins with, which tells it from a session's.
pub const PREFIX: &str = "tyr_mt_";
/// Name of the file in the data directory.
const FILE: &str = "metrics.token";
const SECRET_BYTES: usize = 32;
/// Largest file that is read.
const FILE_BYTES_MAX: u64 = 4096;

/// Where the token is.
#[derive(Debug)]
pub struct MetricsToken {
    path: PathBuf,
}

impl MetricsToken {
    /// The token of that data directory; nothing is read yet.
    pub fn new(data_dir: &Path) -> Self {
        Self { path: data_dir.join(FILE) }
    }

    /// Where the token is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the file (0600), if there is none.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn ensure(&self) -> io::Result<()> {
        let token = format!("{PREFIX}{}\n", hex::encode(rand::random::<[u8; SECRET_BYTES]>()));
        match write_private(&self.path, token.as_bytes()) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            result => result,
        }
    }

    /// Whether this is the token. A file that can't be read, or is empty, has none.
    pub fn is(&self, given: &str) -> bool {
        if !given.starts_with(PREFIX) || fs::metadata(&self.path).is_ok_and(|file| file.len() > FILE_BYTES_MAX) {
            return false;
        }
        let Ok(token) = fs::read_to_string(&self.path) else { return false };
        let token = token.trim();
        // Digests are of one length, so that comparing them tells nothing.
        token.starts_with(PREFIX)
            && token.len() > PREFIX.len()
            && verify_slices_are_equal(&Sha256::digest(token), &Sha256::digest(given)).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn is_made_once_and_read_at_each_use() {
        let dir = tempfile::tempdir().expect("a folder");
        let token = MetricsToken::new(dir.path());
        assert!(!token.is(PREFIX), "there is no file");
        token.ensure().expect("made");
        let first = fs::read_to_string(token.path()).expect("read");
        assert_eq!(fs::metadata(token.path()).expect("there").permissions().mode() & 0o777, 0o600);
        token.ensure().expect("there already");
        assert_eq!(fs::read_to_string(token.path()).expect("read"), first);
        assert!(token.is(first.trim()));
        assert!(!token.is(&first[..first.len() - 2]));
        assert!(!token.is(""));
        fs::write(token.path(), "tyr_mt_other").expect("replaced");
        assert!(!token.is(first.trim()));
        assert!(token.is("tyr_mt_other"));
        fs::write(token.path(), "").expect("emptied");
        assert!(!token.is(""));
        fs::write(token.path(), PREFIX).expect("replaced");
        assert!(!token.is(PREFIX), "a prefix without a secret lets nobody in");
    }
}
