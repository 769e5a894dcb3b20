//! The private PostgreSQL cluster: what a server without `DATABASE_URL` keeps its data in.
//!
//! Under `<data dir>/pg`: `data` is the cluster, `sock` the folder of its unix socket (0700). No TCP, no passwords (peer
//! authentication), checksums on, fsync never off. The processes belong to the server and go down cleanly with it.

mod account;
mod binaries;
mod initialize;
mod supervisor;

use std::fmt::Write;
use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};
use sha2::{Digest, Sha256};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};

use crate::embedded::account::Account;
use crate::embedded::binaries::Binaries;
use crate::embedded::supervisor::Supervisor;

/// Name of the database within the cluster.
pub const DATABASE: &str = "tyr";
/// Longest path of a unix socket, from `sun_path` of `struct sockaddr_un`, less the terminating NUL.
const SOCKET_PATH_BYTES_MAX: usize = 107;
/// PostgreSQL's name for its socket within the folder.
const SOCKET_NAME: &str = ".s.PGSQL.5432";
/// Longest wait for a start: a recovery after a power cut can take minutes.
const START_TIMEOUT: Duration = Duration::from_mins(5);
/// A cluster that an earlier server left behind gets this many tries to go away.
const START_DEATHS_MAX: u32 = 5;

/// What keeps the private cluster from running.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// No PostgreSQL on this host.
    #[error("no PostgreSQL programs found for the private database")]
    NoBinaries,
    /// The folder that the operator named has none.
    #[error("{dir} has no usable `postgres` and `initdb`")]
    ChosenBinaries {
        /// The folder.
        dir: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The data were made by another major version.
    #[error("the database in {dir} was made by PostgreSQL {data}, installed is {installed}")]
    VersionMismatch {
        /// The cluster.
        dir: PathBuf,
        /// What made it.
        data: u32,
        /// What was found.
        installed: u32,
    },
    /// There is something in the cluster's place that is no cluster.
    #[error("{dir} exists and is no PostgreSQL cluster")]
    StrangeData {
        /// The folder.
        dir: PathBuf,
    },
    /// The server is root and no other user can be found for PostgreSQL.
    #[error("PostgreSQL can't run as root, and `{name}` is no other user of this host to run it as")]
    NoUser {
        /// Who was looked for.
        name: String,
    },
    /// Peer authentication needs a name.
    #[error("the user id {uid}, as which the server runs, has no name in /etc/passwd")]
    NamelessUser {
        /// The id.
        uid: u32,
    },
    /// A folder above the data directory is closed to the cluster's user.
    #[error("the user `{user}`, as which PostgreSQL runs, can't enter {dir}")]
    ClosedParent {
        /// The folder.
        dir: PathBuf,
        /// The user.
        user: String,
    },
    /// Another server runs on this data directory.
    #[error("another tyr-server uses {dir}")]
    InUse {
        /// The data directory.
        dir: PathBuf,
    },
    /// A file or folder can't be used.
    #[error("{action} {path}")]
    File {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A program can't be started.
    #[error("{program} can't be started")]
    Start {
        /// The program.
        program: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// `initdb` failed.
    #[error("initdb failed: {said}")]
    Initdb {
        /// Its last line.
        said: String,
    },
    /// PostgreSQL ends again and again, or does not become ready.
    #[error("the private PostgreSQL does not start: {said}")]
    NotReady {
        /// Its last line.
        said: String,
    },
    /// It runs, and the database can't be made.
    #[error("the database `{DATABASE}` can't be made")]
    CreateDatabase(#[source] sqlx::Error),
}

impl EmbeddedError {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::NoBinaries => "install them with `apt-get install postgresql` (Debian, Ubuntu) or `dnf install postgresql-server` \
                                 (Fedora), name their folder with --pg-bin, or set DATABASE_URL to a PostgreSQL 14 or newer"
                .to_owned(),
            Self::ChosenBinaries { .. } => "--pg-bin (TYR_PG_BIN) names the folder that holds both programs, e.g. /usr/lib/postgresql/15/bin".to_owned(),
            Self::VersionMismatch { data, .. } => {
                format!("install PostgreSQL {data} beside it (e.g. `apt-get install postgresql-{data}`), or move the data with pg_upgrade or pg_dump")
            }
            Self::StrangeData { .. } => "move it away, or choose another --data-dir".to_owned(),
            Self::NoUser { .. } => "install the package postgresql, which makes the user `postgres`, or name one with --pg-user".to_owned(),
            Self::NamelessUser { .. } => "run the server as a user with a name".to_owned(),
            Self::ClosedParent { dir, .. } => {
                format!("choose another --data-dir, such as /var/lib/tyr, or allow it with `chmod o+x {}`", dir.display())
            }
            Self::InUse { .. } => "stop it first, or choose another --data-dir".to_owned(),
            Self::File { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                "run the server as a user who may write there, or choose another --data-dir (TYR_DATA_DIR)".to_owned()
            }
            Self::File { .. } => "see that the file system has space and is writable".to_owned(),
            Self::Start { .. } => "see that the program may be executed".to_owned(),
            Self::Initdb { .. } | Self::NotReady { .. } | Self::CreateDatabase(_) => {
                "start the server again with RUST_LOG=tyr_server=debug to see all that PostgreSQL says".to_owned()
            }
        }
    }
}

/// Where a cluster is and how it is run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The server's data directory; the cluster is in `pg` below it.
    pub data_dir: PathBuf,
    /// Folder with PostgreSQL's programs, if the operator named one.
    pub bin_dir: Option<PathBuf>,
    /// User to run as when the server is root, if the operator named one.
    pub user: Option<String>,
    /// Further settings of PostgreSQL, `name=value` each, which win over ours. Tests give up durability with them, nothing else does.
    pub postgres_settings: Vec<String>,
}

/// A running private cluster. Dropping it stops it cleanly.
#[derive(Debug)]
pub struct Cluster {
    supervisor: Supervisor,
    socket_dir: PathBuf,
    /// Held while the cluster runs.
    _lock: File,
}

impl Cluster {
    /// Makes the cluster if there is none, starts it, and waits until its database can be used.
    ///
    /// # Errors
    /// See [`EmbeddedError`]; nothing is left running.
    pub async fn start(settings: &Settings) -> Result<Self, EmbeddedError> {
        let account = Account::find(settings.user.as_deref(), &settings.data_dir)?;
        let dir = settings.data_dir.join("pg");
        let data = dir.join("data");
        let lock = lock(&settings.data_dir)?;
        open_own_folder(&settings.data_dir, &account)?;
        account.check_parents(&dir)?;
        initialize::private_dir(&dir, &account)?;
        let data_major = initialize::data_major(&data)?;
        let binaries = Binaries::find(settings.bin_dir.as_deref(), data_major)?;
        match data_major {
            Some(major) if major != binaries.major => {
                return Err(EmbeddedError::VersionMismatch { dir: data, data: major, installed: binaries.major });
            }
            Some(_) => {}
            None => {
                tracing::info!(path = %data.display(), postgres.major = binaries.major, "making the private database");
                initialize::create(&dir, &binaries, &account)?;
            }
        }
        let socket_dir = socket_dir(&settings.data_dir);
        prepare_socket_dir(&socket_dir, &dir, &account)?;
        let program = binaries.dir.join("postgres");
        let supervisor = Supervisor::start({
            let (program, socket_dir, data, settings) =
                (program.clone(), socket_dir.clone(), data.clone(), settings.postgres_settings.clone());
            move || postgres(&program, &data, &socket_dir, &account, &settings)
        })
        .map_err(|source| EmbeddedError::Start { program, source })?;
        let cluster = Self { supervisor, socket_dir, _lock: lock };
        cluster.wait_until_ready(&data).await?;
        cluster.create_database().await?;
        Ok(cluster)
    }

    /// How to connect to its database.
    pub fn connect_options(&self) -> PgConnectOptions {
        connect_options(&self.socket_dir, DATABASE)
    }

    /// How to connect to the database that every cluster has.
    pub fn maintenance_options(&self) -> PgConnectOptions {
        connect_options(&self.socket_dir, "postgres")
    }

    /// Stops it cleanly and waits for the end.
    pub async fn stop(self) {
        // Waiting for a process is no work for the runtime's own threads. The supervising thread lives on by itself.
        let _ = tokio::task::spawn_blocking(move || drop(self)).await;
    }

    /// Stops it and waits for the end: cleanly until `clean_until`, then at once (it recovers at the next start, and loses
    /// nothing that was committed), and not beyond `until`.
    pub async fn stop_within(mut self, clean_until: Instant, until: Instant) {
        let stop = move || self.supervisor.stop(clean_until, until);
        let _ = tokio::task::spawn_blocking(stop).await;
    }

    /// Writes what is dirty in memory to disk, which can take seconds.
    ///
    /// Before a stop: the checkpoint of the shutdown itself then has little to do. A failure is no harm, only time.
    pub fn checkpoint(&self) -> impl Future<Output = ()> + Send + 'static {
        // Slow by nature, which is no news.
        let options = self.connect_options().disable_statement_logging();
        async move {
            let checkpoint = async {
                let mut connection = PgConnection::connect_with(&options).await?;
                sqlx::raw_sql("CHECKPOINT").execute(&mut connection).await?;
                connection.close().await
            };
            if let Err(error) = checkpoint.await {
                tracing::debug!(error = &error as &dyn std::error::Error, "no checkpoint before the stop");
            }
        }
    }

    /// Asks only once the cluster says that it is ready: each refused connection would be a line in its log.
    async fn wait_until_ready(&self, data: &Path) -> Result<(), EmbeddedError> {
        let options = self.maintenance_options();
        let begun = Instant::now();
        let mut ticks = tokio::time::interval(Duration::from_millis(10));
        loop {
            ticks.tick().await;
            // A file that a crash left behind may say so too early; then the connection is refused.
            if says_ready(data)
                && let Ok(connection) = PgConnection::connect_with(&options).await
            {
                let _ = connection.close().await;
                return Ok(());
            }
            if self.supervisor.deaths() >= START_DEATHS_MAX || begun.elapsed() > START_TIMEOUT {
                let said = self.supervisor.last_words();
                let fatal = said.iter().rev().find(|line| line.contains("FATAL") || line.contains("ERROR"));
                let said = fatal.or(said.last()).cloned().unwrap_or_else(|| "nothing".to_owned());
                return Err(EmbeddedError::NotReady { said });
            }
        }
    }

    async fn create_database(&self) -> Result<(), EmbeddedError> {
        let create = async {
            let mut connection = PgConnection::connect_with(&self.maintenance_options()).await?;
            let exists = sqlx::query_scalar!(
                r#"SELECT count(*) > 0 AS "exists!" FROM pg_database WHERE datname = $1"#,
                DATABASE
            )
            .fetch_one(&mut connection)
            .await?;
            if !exists {
                // Not a checked query: CREATE DATABASE can't be prepared with parameters.
                sqlx::raw_sql("CREATE DATABASE tyr").execute(&mut connection).await?;
            }
            connection.close().await
        };
        create.await.map_err(EmbeddedError::CreateDatabase)
    }
}

/// URL of the private database for psql, whether it runs or not: `psql "$(tyr-server db url)"`.
pub fn url(data_dir: &Path) -> String {
    let socket_dir = socket_dir(data_dir);
    let mut host = String::new();
    for &byte in socket_dir.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte) {
            host.push(char::from(byte));
        } else {
            write!(host, "%{byte:02X}").expect("writing to a String");
        }
    }
    format!("postgresql:///{DATABASE}?host={host}&user=postgres")
}

/// How to connect to the private database of a data directory while a server runs it.
pub fn running_options(data_dir: &Path) -> PgConnectOptions {
    connect_options(&socket_dir(data_dir), DATABASE)
}

/// Folders that may hold PostgreSQL's programs: the one that the operator named, or all that are known.
pub fn program_dirs(chosen: Option<&Path>) -> Vec<PathBuf> {
    chosen.map_or_else(binaries::candidates, |dir| vec![dir.to_owned()])
}

fn connect_options(socket_dir: &Path, database: &str) -> PgConnectOptions {
    PgConnectOptions::new_without_pgpass().socket(socket_dir).port(5432).username("postgres").database(database)
}

/// One server per data directory.
fn lock(data_dir: &Path) -> Result<File, EmbeddedError> {
    let path = data_dir.join("server.lock");
    let file = fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|source| EmbeddedError::File { action: "opening", path: path.clone(), source })?;
    // Root restores for the service's user, whom the folder belongs to and who has to be able to lock it too.
    if rustix::process::geteuid().is_root() {
        fs::metadata(data_dir)
            .and_then(|folder| fchown(&file, Some(folder.uid()), Some(folder.gid())))
            .map_err(|source| EmbeddedError::File { action: "changing the owner of", path, source })?;
    }
    flock(&file, FlockOperation::NonBlockingLockExclusive)
        .map_err(|_| EmbeddedError::InUse { dir: data_dir.to_owned() })?;
    Ok(file)
}

/// Lets the cluster's user pass through the data directory, which is the server's own: what is secret in it is 0600 by itself.
fn open_own_folder(data_dir: &Path, account: &Account) -> Result<(), EmbeddedError> {
    let file = |source| EmbeddedError::File { action: "preparing", path: data_dir.to_owned(), source };
    let meta = fs::metadata(data_dir).map_err(file)?;
    let mode = meta.permissions().mode();
    if account.switch && meta.uid() == 0 && mode & 0o001 == 0 {
        fs::set_permissions(data_dir, fs::Permissions::from_mode(mode | 0o001)).map_err(file)?;
    }
    Ok(())
}

/// The folder of the socket: beside the data, or, where that path would be too long for a socket, a short one that follows
/// from it.
fn socket_dir(data_dir: &Path) -> PathBuf {
    let dir = std::path::absolute(data_dir).unwrap_or_else(|_| data_dir.to_owned()).join("pg/sock");
    if dir.as_os_str().len() + 1 + SOCKET_NAME.len() <= SOCKET_PATH_BYTES_MAX {
        return dir;
    }
    let digest = hex::encode(&Sha256::digest(dir.as_os_str().as_bytes())[..8]);
    PathBuf::from("/tmp").join(format!("tyr-{digest}"))
}

/// Makes the socket's folder. One outside the data directory is used only if it belongs to the account alone: `/tmp` is open to all.
fn prepare_socket_dir(socket_dir: &Path, dir: &Path, account: &Account) -> Result<(), EmbeddedError> {
    if let Ok(meta) = fs::symlink_metadata(socket_dir)
        && !socket_dir.starts_with(dir)
        && (!meta.is_dir() || meta.uid() != account.uid)
    {
        let source = io::Error::new(io::ErrorKind::PermissionDenied, "it belongs to somebody else");
        return Err(EmbeddedError::File { action: "preparing", path: socket_dir.to_owned(), source });
    }
    initialize::private_dir(socket_dir, account)
}

/// Whether `postmaster.pid` says so, in its eighth line (`LOCK_FILE_LINE_PM_STATUS` of src/include/utils/pidfile.h).
fn says_ready(data: &Path) -> bool {
    fs::read_to_string(data.join("postmaster.pid"))
        .is_ok_and(|text| text.lines().nth(7).is_some_and(|status| status.trim() == "ready"))
}

/// The command line of the cluster's process.
fn postgres(program: &Path, data: &Path, socket_dir: &Path, account: &Account, settings: &[String]) -> Command {
    let mut command = Command::new(program);
    command.arg("-D").arg(data).arg("-k").arg(socket_dir);
    for setting in [
        "listen_addresses=",
        "unix_socket_permissions=0700",
        "fsync=on",
        "full_page_writes=on",
        "synchronous_commit=on",
        "logging_collector=off",
        "log_destination=stderr",
        "timezone=UTC",
        "log_timezone=UTC",
        "shared_buffers=256MB",
        "max_wal_size=2GB",
        // Compiling a query takes longer than any of ours runs.
        "jit=off",
    ] {
        command.arg("-c").arg(setting);
    }
    for setting in settings {
        command.arg("-c").arg(setting);
    }
    as_account(&mut command, account, data);
    command
}

/// Makes a command run as the cluster's user, in no particular folder and with nothing of the server's environment but PATH.
fn as_account<'a>(command: &'a mut Command, account: &Account, home: &Path) -> &'a mut Command {
    command
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("LC_ALL", "C.UTF-8")
        .env("HOME", home)
        .current_dir("/");
    if account.switch {
        command.uid(account.uid).gid(account.gid);
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn url_escapes_the_path() {
        assert_eq!(url(Path::new("/var/lib/tyr")), "postgresql:///tyr?host=/var/lib/tyr/pg/sock&user=postgres");
        assert_eq!(url(Path::new("/a b&c")), "postgresql:///tyr?host=/a%20b%26c/pg/sock&user=postgres");
    }

    #[test]
    fn the_lock_belongs_to_whom_the_folder_belongs() {
        let dir = tempfile::tempdir().expect("a folder");
        if rustix::process::geteuid().is_root() {
            std::os::unix::fs::chown(dir.path(), Some(4242), Some(4242)).expect("given away");
        }
        let lock = lock(dir.path()).expect("locked").metadata().expect("a file");
        let folder = fs::metadata(dir.path()).expect("a folder");
        assert_eq!((lock.uid(), lock.gid()), (folder.uid(), folder.gid()));
    }

    #[test]
    fn long_paths_get_a_short_socket() {
        let deep = PathBuf::from("/").join("d".repeat(120));
        let dir = socket_dir(&deep);
        assert!(dir.as_os_str().len() + 1 + SOCKET_NAME.len() <= SOCKET_PATH_BYTES_MAX);
        assert_eq!(dir, socket_dir(&deep), "the same each time, so that `db url` finds it");
    }
}
