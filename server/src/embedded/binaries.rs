//! Where PostgreSQL's programs are.

use std::cmp::Reverse;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

use crate::embedded::EmbeddedError;

/// Folders in which distributions and Homebrew put each major version into a folder of its own.
const VERSIONED_FOLDERS: [(&str, &str, &str); 4] = [
    ("/usr/lib/postgresql", "", "bin"),
    ("/usr", "pgsql-", "bin"),
    ("/opt/homebrew/opt", "postgresql@", "bin"),
    ("/home/linuxbrew/.linuxbrew/opt", "postgresql@", "bin"),
];

/// Oldest major version that the schema works on.
pub(crate) const MAJOR_MIN: u32 = 14;

/// An installed PostgreSQL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Binaries {
    /// Folder with `postgres` and `initdb`.
    pub(crate) dir: PathBuf,
    /// Major version.
    pub(crate) major: u32,
}

impl Binaries {
    /// Finds the programs: in `chosen` if given; else those of the version that the data were made with, or the newest.
    pub(crate) fn find(chosen: Option<&Path>, data_major: Option<u32>) -> Result<Self, EmbeddedError> {
        if let Some(dir) = chosen {
            return Self::at(dir).map_err(|source| EmbeddedError::ChosenBinaries { dir: dir.to_owned(), source });
        }
        let mut found: Vec<Self> = candidates().iter().filter_map(|dir| Self::at(dir).ok()).collect();
        found.retain(|binaries| binaries.major >= MAJOR_MIN);
        // Stable: of one version the first place that was looked at wins.
        found.sort_by_key(|binaries| Reverse(binaries.major));
        if let Some(major) = data_major
            && let Some(same) = found.iter().find(|binaries| binaries.major == major)
        {
            return Ok(same.clone());
        }
        found.into_iter().next().ok_or(EmbeddedError::NoBinaries)
    }

    /// The programs of one folder, asked for their version.
    fn at(dir: &Path) -> io::Result<Self> {
        fs::metadata(dir.join("initdb"))?;
        let output = Command::new(dir.join("postgres")).arg("--version").output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        let major = major(&text)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "`postgres --version` names no version"))?;
        Ok(Self { dir: dir.to_owned(), major })
    }
}

/// The major version in `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`.
fn major(text: &str) -> Option<u32> {
    let version = text.split_once("(PostgreSQL) ")?.1;
    version.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

pub(crate) fn candidates() -> Vec<PathBuf> {
    let mut dirs: Vec<PathBuf> = env::var_os("PG_BIN").map(PathBuf::from).into_iter().collect();
    for (parent, prefix, below) in VERSIONED_FOLDERS {
        let Ok(entries) = fs::read_dir(parent) else { continue };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let is_version = name
                .to_str()
                .and_then(|name| name.strip_prefix(prefix))
                .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
            if is_version {
                dirs.push(entry.path().join(below));
            }
        }
    }
    dirs.extend(env::var_os("PATH").iter().flat_map(env::split_paths));
    dirs
}

#[cfg(test)]
mod tests {
    use super::major;

    #[test]
    fn reads_versions() {
        assert_eq!(major("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"), Some(15));
        assert_eq!(major("postgres (PostgreSQL) 18beta1\n"), Some(18));
        assert_eq!(major("something else"), None);
    }
}
