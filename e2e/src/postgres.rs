//! A PostgreSQL that somebody else runs: what a server with `DATABASE_URL` works on.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::wait_for;

const LIMIT: Duration = Duration::from_mins(1);

/// A cluster of its own in a temporary folder, reached by a unix socket. Ends with the value.
#[derive(Debug)]
pub struct Postgres {
    folder: TempDir,
    data: PathBuf,
    bin: PathBuf,
    /// User and group to run as; PostgreSQL refuses to be root.
    account: Option<(u32, u32)>,
    process: Option<Child>,
}

impl Postgres {
    /// Makes and starts a cluster with an empty database `tyr`.
    pub fn start() -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("tyr-e2e-pg-").tempdir_in("/tmp")?;
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
        let account = if rustix::process::geteuid().is_root() { Some(account("postgres")?) } else { None };
        if let Some((uid, gid)) = account {
            chown(folder.path(), Some(uid), Some(gid))?;
        }
        let data = folder.path().join("data");
        let mut cluster = Self { folder, data, bin: programs()?, account, process: None };
        let initdb = cluster
            .command("initdb")
            .args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "-D"])
            .arg(&cluster.data)
            .output()?;
        ensure!(initdb.status.success(), "initdb: {}", String::from_utf8_lossy(&initdb.stderr));
        cluster.up()?;
        cluster.psql("postgres", "CREATE DATABASE tyr")?;
        Ok(cluster)
    }

    /// Starts a cluster that somebody else made and that is at rest, such as a server's private one.
    pub fn open(data: &Path) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("tyr-e2e-pg-").tempdir_in("/tmp")?;
        let owner = fs::metadata(data).with_context(|| data.display().to_string())?;
        let account = rustix::process::geteuid().is_root().then(|| (owner.uid(), owner.gid()));
        if let Some((uid, gid)) = account {
            chown(folder.path(), Some(uid), Some(gid))?;
        }
        let mut cluster = Self { folder, data: data.to_owned(), bin: programs()?, account, process: None };
        cluster.up()?;
        Ok(cluster)
    }

    /// Starts it (again) and waits until it answers.
    pub fn up(&mut self) -> Result<()> {
        let process = self
            .command("postgres")
            .arg("-D")
            .arg(&self.data)
            .arg("-k")
            .arg(self.folder.path())
            .args(["-c", "listen_addresses=", "-c", "fsync=off"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(self.folder.path().join("log"))?)
            .spawn()?;
        self.process = Some(process);
        wait_for("PostgreSQL", LIMIT, || self.psql("postgres", "SELECT 1").ok());
        Ok(())
    }

    /// Kills it with -9, as a crash or the kernel's out-of-memory killer would; it recovers when it is started again.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().ok();
            process.wait().ok();
        }
    }

    /// What `DATABASE_URL` has to be for a database of this cluster.
    pub fn url(&self, database: &str) -> String {
        format!("postgresql:///{database}?host={}&user=postgres", self.folder.path().display())
    }

    /// What psql prints for `sql`, unaligned and without headers.
    pub fn psql(&self, database: &str, sql: &str) -> Result<String> {
        let mut psql = Command::new("psql");
        // So that instants read the same from every cluster.
        psql.arg(self.url(database)).args(["-XAtqc", sql]).env("PGTZ", "UTC");
        let output = psql.output().context("psql")?;
        ensure!(output.status.success(), "psql: {}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8(output.stdout)?)
    }

    /// What makes the tables of a database: types, tables, indexes, triggers, functions, as SQL.
    pub fn schema(&self, database: &str) -> Result<String> {
        let mut pg_dump = Command::new(self.bin.join("pg_dump"));
        pg_dump.args(["--schema-only", "--no-owner", "--no-privileges"]).arg(self.url(database));
        let output = pg_dump.output().context("pg_dump")?;
        ensure!(output.status.success(), "pg_dump: {}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout)?;
        // Without comments, and without the random words of \restrict.
        Ok(text
            .lines()
            .filter(|line| !line.starts_with("--") && !line.starts_with('\\'))
            .collect::<Vec<_>>()
            .join("\n"))
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.bin.join(program));
        command.current_dir("/").env("LC_ALL", "C.UTF-8");
        if let Some((uid, gid)) = self.account {
            command.uid(uid).gid(gid);
        }
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let Some(mut process) = self.process.take() else { return };
        if let Some(pid) = Pid::from_raw(process.id().cast_signed()) {
            kill_process(pid, Signal::INT).ok();
        }
        process.wait().ok();
    }
}

/// The folder of the newest installed PostgreSQL's programs.
pub fn programs() -> Result<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").context("is the package postgresql installed?")?;
    let newest = versions
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter(|major| Path::new(&format!("/usr/lib/postgresql/{major}/bin/initdb")).exists())
        .max();
    Ok(format!("/usr/lib/postgresql/{}/bin", newest.context("no PostgreSQL programs")?).into())
}

fn account(name: &str) -> Result<(u32, u32)> {
    let passwd = fs::read_to_string("/etc/passwd")?;
    let line = passwd.lines().find(|line| line.starts_with(&format!("{name}:")));
    let fields: Vec<&str> = line.with_context(|| format!("no user {name}"))?.split(':').collect();
    Ok((fields[2].parse()?, fields[3].parse()?))
}
