//! The enrollment token in the configuration file: read, used once, and taken out again.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown};
use std::path::Path;

use serde::Deserialize;

/// An enrollment token; never shown.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct EnrollmentToken(String);

impl EnrollmentToken {
    /// A token as the server gave it out.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Whether it has the form `tyr_et_ID_SECRET`; whether it is valid, only the server knows.
    pub fn is_well_formed(&self) -> bool {
        let parts = self.0.strip_prefix("tyr_et_").and_then(|rest| rest.split_once('_'));
        parts.is_some_and(|(id, secret)| {
            [id, secret].iter().all(|part| !part.is_empty() && part.bytes().all(|c| c.is_ascii_alphanumeric()))
        })
    }

    /// The secret text, for the one request that needs it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for EnrollmentToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[enrollment token]")
    }
}

/// The token that the file holds now, if any: an operator may have put a fresh one there for a host that was revoked.
pub fn read_token(path: &Path) -> Option<EnrollmentToken> {
    super::Config::load(path).ok().and_then(|config| config.enrollment_token)
}

/// Takes the lines of the key `enrollment_token` out of the file and leaves everything else as it is, comments included.
///
/// The new text replaces the file in one step, with the owner and mode of the old one. A file without the key is left alone.
///
/// # Errors
///
/// The file can't be read or replaced; it is then unchanged.
pub fn erase(path: &Path) -> io::Result<()> {
    // A link is followed, so that the file it names loses the token, and not only the link its target.
    let path = fs::canonicalize(path)?;
    let old = fs::read_to_string(&path)?;
    let new = without_token(&old);
    if new == old {
        return Ok(());
    }
    let metadata = fs::metadata(&path)?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".tyrd-new");
    let temporary = path.with_file_name(name);
    let _ = fs::remove_file(&temporary);
    let written = (|| {
        let mut file = File::options().write(true).create_new(true).mode(metadata.mode() & 0o777).open(&temporary)?;
        fchown(&file, Some(metadata.uid()), Some(metadata.gid()))?;
        file.write_all(new.as_bytes())?;
        file.sync_all()?;
        fs::rename(&temporary, &path)
    })();
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// The text without the top-level key `enrollment_token` and the lines that its value goes on in.
fn without_token(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut inside = false;
    for line in text.split_inclusive('\n') {
        let key = line.split(':').next().unwrap_or_default();
        if ["enrollment_token", "\"enrollment_token\"", "'enrollment_token'"].contains(&key.trim_end()) {
            inside = true;
        } else if inside && line.starts_with([' ', '\t']) {
            // A value may stand on the lines below its key, indented.
        } else {
            inside = false;
            kept.push_str(line);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::{EnrollmentToken, erase, without_token};
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn takes_out_the_key_and_nothing_else() {
        let text = "# tyr\nserver: https://a:1\nenrollment_token: tyr_et_a_b # once\nname: x\n";
        assert_eq!(without_token(text), "# tyr\nserver: https://a:1\nname: x\n");
        let folded = "enrollment_token: >-\n  tyr_et_a\nname: x";
        assert_eq!(without_token(folded), "name: x");
        let none = "scope:\n  enrollment_token: no\n";
        assert_eq!(without_token(none), none);
    }

    #[test]
    fn keeps_mode_and_link() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("real.yaml");
        let link = dir.path().join("tyrd.yaml");
        fs::write(&file, "enrollment_token: secret\nname: x\n").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        symlink(&file, &link).unwrap();
        erase(&link).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "name: x\n");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    }

    #[test]
    fn is_not_shown() {
        assert!(!format!("{:?}", EnrollmentToken::new("tyr_et_a_b")).contains("tyr_et"));
    }
}
