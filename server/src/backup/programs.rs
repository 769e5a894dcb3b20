//! `pg_dump`, `pg_restore` and `psql`: found, started, listened to.

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;

use super::{BackupError, Database};
use crate::embedded::program_dirs;

/// The program in a version that can talk to a database of that major version: the same one, or else the newest.
pub(super) fn find(program: &'static str, database: &Database, major: i32) -> Result<PathBuf, BackupError> {
    let mut found: Vec<(i32, PathBuf)> = program_dirs(database.bin_dir.as_deref())
        .into_iter()
        .map(|dir| dir.join(program))
        .filter_map(|path| Some((version(&path)?, path)))
        .filter(|(version, _)| *version >= major)
        .collect();
    // Stable: of one version the first place that was looked at wins.
    found.sort_by_key(|(version, _)| *version);
    found.into_iter().next().map(|(_, path)| path).ok_or(BackupError::NoProgram { program, major })
}

/// The major version in `pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`.
fn version(path: &PathBuf) -> Option<i32> {
    let output = Command::new(path).arg("--version").stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.split_once("(PostgreSQL) ")?.1.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// A command line for the database, with nothing of the caller's settings for libpq.
pub(super) fn command(program: &PathBuf, database: &Database) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"PG")) {
        command.env_remove(name);
    }
    command.env("LC_ALL", "C").env("PGAPPNAME", "tyr-server-backup").current_dir("/");
    if let Some(password) = &database.password {
        command.env("PGPASSWORD", password);
    }
    command
}

/// What a program says on standard error, read so that it never blocks; the last lines are kept.
pub(super) fn listen(child: &mut Child, mut each: impl FnMut(&str) + Send + 'static) -> JoinHandle<String> {
    let stderr: Box<dyn Read + Send> = match child.stderr.take() {
        Some(stderr) => Box::new(stderr),
        None => Box::new(std::io::empty()),
    };
    std::thread::spawn(move || {
        let mut said = String::new();
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            each(&line);
            if line.contains("error:") || line.contains("ERROR:") || said.is_empty() {
                said = line;
            }
        }
        said
    })
}

/// Waits for a program and turns a failure into its last words.
pub(super) fn finish(program: &'static str, mut child: Child, said: JoinHandle<String>) -> Result<(), BackupError> {
    let status = child.wait();
    let said = said.join().unwrap_or_default();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) if said.is_empty() => Err(BackupError::Program { program, said: status.to_string() }),
        Ok(_) => Err(BackupError::Program { program, said }),
        Err(error) => Err(BackupError::Program { program, said: error.to_string() }),
    }
}
