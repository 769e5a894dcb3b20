//! `tyr-server backup` and `tyr-server restore`: the database and the keys, in one archive.
//!
//! The archive is a tar file (0600) of `manifest.json`, the files of the data directory (`ca.key`, `ca.pem`, `jwt.key`, …) and
//! `database.dump`, which `pg_dump` made in its own format. It is taken from one snapshot of the database while the server
//! runs. A restore happens in one transaction, compares the number of rows of every table with the manifest, and puts the
//! files in place after that.

mod archive;
mod dump;
mod programs;
mod restore;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};

use crate::args::DatabaseArgs;
use crate::db::DbError;
use crate::db::migrate::SchemaError;
use crate::embedded::{self, Cluster, EmbeddedError, Settings};

pub use self::dump::backup;
pub use self::restore::restore;

/// Format of the archive.
const FORMAT: u32 = 1;
/// Longest wait for a database that should be running.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// What an archive says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Format of the archive, at present 1.
    pub format: u32,
    /// Version of the server that made it.
    pub tyr_version: String,
    /// When.
    pub created_at: Timestamp,
    /// Major version of the PostgreSQL that it comes from.
    pub postgres_major: i32,
    /// Newest migration that the schema has seen.
    pub schema_newest: i64,
    /// Newest migration that a server must know to work on it.
    pub schema_floor: i64,
    /// Rows of each table.
    pub rows: BTreeMap<String, i64>,
}

/// What was done.
#[derive(Clone, Debug)]
pub struct Done {
    /// What the archive says of itself.
    pub manifest: Manifest,
    /// Names of the files beside the database.
    pub files: Vec<String>,
    /// Size of the archive, in bytes.
    pub bytes: u64,
}

/// Why it failed.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// There is a file already. It is left as it is.
    #[error("{0} exists")]
    Exists(PathBuf),
    /// A file can't be used.
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
    /// That is no archive of ours, or it is damaged.
    #[error("{path} is not a whole backup: {why}")]
    NotABackup {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The archive was made by a newer server. Nothing was changed.
    #[error("the backup was made by tyr-server {made_by}, which this one can't read")]
    TooNew {
        /// Its version.
        made_by: String,
        /// Why not.
        #[source]
        source: Option<SchemaError>,
    },
    /// The PostgreSQL is older than the one that the backup comes from. Nothing was changed.
    #[error("the backup comes from PostgreSQL {from}, and here is {here}")]
    OldPostgres {
        /// Major version of the origin.
        from: i32,
        /// Major version of the target.
        here: i32,
    },
    /// There is no schema of ours in the database.
    #[error("the database holds nothing of Tyr")]
    NoSchema,
    /// The place to restore to is in use by data. Nothing was changed.
    #[error("there is something already: {0}")]
    NotEmpty(String),
    /// A server works on the database. Nothing was changed.
    #[error("a tyr-server works on this database")]
    ServerRuns,
    /// The database can't be reached, or refused something.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    /// The schema can't be read.
    #[error("the schema can't be read")]
    Schema(#[from] DbError),
    /// `DATABASE_URL` is no URL.
    #[error("DATABASE_URL is not a PostgreSQL URL")]
    DatabaseUrl,
    /// The private cluster does not run.
    #[error(transparent)]
    Embedded(#[from] EmbeddedError),
    /// PostgreSQL's client programs are missing or too old.
    #[error("no `{program}` of PostgreSQL {major} or newer was found")]
    NoProgram {
        /// Which.
        program: &'static str,
        /// Version of the database.
        major: i32,
    },
    /// One of PostgreSQL's programs failed; what it had begun is rolled back.
    #[error("{program} failed: {said}")]
    Program {
        /// Which.
        program: &'static str,
        /// Its last words.
        said: String,
    },
    /// After the restore a table has another number of rows than before.
    #[error("the table `{table}` has {restored} rows after the restore, and had {saved}")]
    RowsDiffer {
        /// Which.
        table: String,
        /// In the backup.
        saved: i64,
        /// Now.
        restored: i64,
    },
}

impl BackupError {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Exists(_) => "choose another name, or add --force to replace it".to_owned(),
            Self::File { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                "run it as root or as the server's user".to_owned()
            }
            Self::File { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                "make room, or write to another file system".to_owned()
            }
            Self::File { .. } => "see that the path is right".to_owned(),
            Self::NotABackup { .. } => "name a file that `tyr-server backup` wrote, unchanged".to_owned(),
            Self::TooNew { made_by, .. } => format!("restore it with tyr-server {made_by} or newer"),
            Self::OldPostgres { from, .. } => format!("restore it into PostgreSQL {from} or newer"),
            Self::NoSchema => {
                "is this the right --data-dir or DATABASE_URL? A server makes its tables at its first start".to_owned()
            }
            Self::NotEmpty(_) => {
                "restore to an empty --data-dir and database, or add --force, which replaces what is there".to_owned()
            }
            Self::ServerRuns => "stop it first (`systemctl stop tyr-server`)".to_owned(),
            Self::Database(_) | Self::Schema(_) => {
                "see that PostgreSQL runs, and that DATABASE_URL names a user who owns the tables".to_owned()
            }
            Self::DatabaseUrl => "it looks like postgres://USER:PASSWORD@HOST:5432/DATABASE".to_owned(),
            Self::Embedded(error) => error.hint(),
            Self::NoProgram { major, .. } => {
                format!(
                    "install them with `apt-get install postgresql-client-{major}`, or name their folder with --pg-bin"
                )
            }
            Self::Program { .. } => "nothing was changed; see what the program said".to_owned(),
            Self::RowsDiffer { .. } => "keep the backup, restore it again with --force, and report this".to_owned(),
        }
    }
}

/// The database of a data directory or a URL, for as long as this is held.
struct Database {
    /// For our own questions.
    options: PgConnectOptions,
    /// For PostgreSQL's programs, without a password.
    url: String,
    /// For `PGPASSWORD`.
    password: Option<String>,
    /// The private cluster, if it was started for this.
    cluster: Option<Cluster>,
    /// Folder of PostgreSQL's programs that the operator named.
    bin_dir: Option<PathBuf>,
}

impl Database {
    /// Connects to the running database; starts the private cluster if it isn't running. With `alone` a running one is refused.
    async fn open(
        args: &DatabaseArgs,
        bin_dir: Option<PathBuf>,
        user: Option<String>,
        alone: bool,
    ) -> Result<Self, BackupError> {
        let given = |url: &'_ Option<String>| url.clone().filter(|url| !url.trim().is_empty());
        if let Some(url) = given(&args.database_url) {
            // The owner of the tables may read all and make them anew; the role of DATABASE_URL may be forbidden to.
            let text = given(&args.migrate_database_url).unwrap_or(url);
            let text = text.trim();
            let options: PgConnectOptions = text.parse().map_err(|_| BackupError::DatabaseUrl)?;
            let (url, password) = without_password(text)?;
            let options = options.application_name("tyr-server-backup").disable_statement_logging();
            return Ok(Self { options, url, password, cluster: None, bin_dir });
        }
        let options = embedded::running_options(&args.data_dir).disable_statement_logging();
        let url = embedded::url(&args.data_dir);
        if !alone && connect(&options).await.is_ok() {
            return Ok(Self { options, url, password: None, cluster: None, bin_dir });
        }
        if !alone && !args.data_dir.join("pg/data").exists() {
            return Err(BackupError::NoSchema);
        }
        let settings =
            Settings { data_dir: args.data_dir.clone(), bin_dir: bin_dir.clone(), user, postgres_settings: Vec::new() };
        let cluster = Cluster::start(&settings).await?;
        Ok(Self { options, url, password: None, cluster: Some(cluster), bin_dir })
    }

    async fn connect(&self) -> Result<PgConnection, sqlx::Error> {
        connect(&self.options).await
    }

    async fn close(self) {
        if let Some(cluster) = self.cluster {
            cluster.stop().await;
        }
    }
}

async fn connect(options: &PgConnectOptions) -> Result<PgConnection, sqlx::Error> {
    let timed_out = |_| sqlx::Error::Io(io::Error::from(io::ErrorKind::TimedOut));
    tokio::time::timeout(CONNECT_TIMEOUT, PgConnection::connect_with(options)).await.map_err(timed_out)?
}

/// Command lines can be read by every user of a host, so the password goes into the environment.
fn without_password(text: &str) -> Result<(String, Option<String>), BackupError> {
    let mut url = url::Url::parse(text).map_err(|_| BackupError::DatabaseUrl)?;
    let decode = |text: &str| {
        let bytes = url::form_urlencoded::parse(format!("x={}", text.replace('+', "%2B")).as_bytes())
            .next()
            .map(|(_, value)| value.into_owned());
        bytes.unwrap_or_default()
    };
    let mut password = url.password().map(decode);
    if password.is_some() {
        url.set_password(None).map_err(|()| BackupError::DatabaseUrl)?;
    }
    // Settings of sqlx's own that libpq doesn't know; a password may stand among them too.
    let pairs: Vec<(String, String)> = url.query_pairs().map(|(k, v)| (k.into_owned(), v.into_owned())).collect();
    if pairs.iter().any(|(key, _)| key == "password" || key == "statement-cache-capacity") {
        password = pairs.iter().find(|(key, _)| key == "password").map(|(_, value)| value.clone()).or(password);
        let kept = pairs.iter().filter(|(key, _)| key != "password" && key != "statement-cache-capacity");
        url.query_pairs_mut().clear().extend_pairs(kept);
    }
    Ok((url.into(), password))
}

/// Rows of every table of the schema `public`, the partitions each by itself.
async fn rows(conn: &mut PgConnection) -> Result<BTreeMap<String, i64>, sqlx::Error> {
    let tables = sqlx::query_scalar!(
        r#"SELECT quote_ident(c.relname) AS "name!" FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
           WHERE n.nspname = 'public' AND c.relkind = 'r' ORDER BY 1"#
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut rows = BTreeMap::new();
    for table in tables {
        // Not a checked query: the name of a table can't be a parameter. It was quoted by the database itself.
        let sql = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM public.{table}"));
        let count: i64 = sqlx::query_scalar(sql).fetch_one(&mut *conn).await?;
        rows.insert(table, count);
    }
    Ok(rows)
}

async fn postgres_major(conn: &mut PgConnection) -> Result<i32, sqlx::Error> {
    let version = sqlx::query_scalar!(r#"SELECT current_setting('server_version_num')::int AS "version!""#);
    Ok(version.fetch_one(conn).await? / 10_000)
}

fn file_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> BackupError {
    let path = path.to_owned();
    move |source| BackupError::File { action, path, source }
}

#[cfg(test)]
mod tests {
    use super::without_password;

    #[test]
    fn no_password_reaches_a_command_line() {
        let (url, password) = without_password("postgres://tyr:p%40ss+w@db:5432/tyr?sslmode=require").expect("a URL");
        assert_eq!((url.as_str(), password.as_deref()), ("postgres://tyr@db:5432/tyr?sslmode=require", Some("p@ss+w")));
        let (url, password) =
            without_password("postgresql:///tyr?host=/run/x&password=secret&user=tyr").expect("a URL");
        assert_eq!(password.as_deref(), Some("secret"));
        assert!(!url.contains("secret") && url.contains("user=tyr") && url.contains("host="), "{url}");
        let (url, password) = without_password("postgres:///tyr?host=/tmp&user=postgres").expect("a URL");
        assert_eq!((url.as_str(), password), ("postgres:///tyr?host=/tmp&user=postgres", None));
    }
}
