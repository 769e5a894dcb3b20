//! Boot, run, stop.

use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use std::{fs, io};

use jiff::Timestamp;
use sqlx::postgres::PgConnectOptions;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::app::alerts::deliver::ClientError;
use crate::app::audit;
use crate::app::auth::keys::KeyError;
use crate::app::auth::sessions::SessionKeys;
use crate::app::ingest::writer;
use crate::app::tokens::{self, CreateError};
use crate::app::{App, alerts, fleet};
use crate::config::{Config, Database};
use crate::db::migrate::{self, SchemaError};
use crate::db::{self, DbError, Pools, maintenance, partitions};
use crate::embedded::{Cluster, EmbeddedError, Settings};
use crate::pki::{Pki, PkiError};
use crate::tls::{TlsConfigs, TlsError};
use crate::{grpc, http, supervision};

/// How often partitions are looked after.
const MAINTENANCE_INTERVAL: Duration = Duration::from_hours(1);
/// How soon again when something was in the way.
const MAINTENANCE_RETRY: Duration = Duration::from_mins(1);
/// The whole stop, from the signal to the end of the process, takes at most this long. What follows are moments within it.
const STOP_MAX: Duration = Duration::from_secs(10);
/// Until then requests and streams may end.
const DOORS_UNTIL: Duration = Duration::from_secs(4);
/// Until then what waits is written.
const TASKS_UNTIL: Duration = Duration::from_secs(6);
/// Until then connections to the database are closed.
const POOL_UNTIL: Duration = Duration::from_millis(6500);
/// Until then the private database may shut down cleanly; after that it is told to quit at once.
const CLUSTER_UNTIL: Duration = Duration::from_secs(9);
/// Oldest PostgreSQL that the schema works on, as `server_version_num` says it.
const POSTGRES_MIN: i32 = 140_000;

/// What keeps the server from starting. Nothing is left running.
#[derive(Debug, thiserror::Error)]
pub enum BootError {
    /// The data directory can't be used.
    #[error("the data directory {dir} can't be used")]
    DataDir {
        /// Which.
        dir: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// `DATABASE_URL` is no URL of a PostgreSQL. The URL isn't shown: it may hold a password.
    #[error("DATABASE_URL is not a PostgreSQL URL")]
    DatabaseUrl(#[source] Option<sqlx::Error>),
    /// The database doesn't let us in, or isn't there.
    #[error("the database can't be used")]
    Database(#[source] DbError),
    /// The database is too old.
    #[error("the database is PostgreSQL {major}, 14 or newer is needed")]
    OldDatabase {
        /// Its major version.
        major: i32,
    },
    /// The private cluster doesn't run.
    #[error(transparent)]
    Embedded(#[from] EmbeddedError),
    /// The schema can't be brought up to date.
    #[error("the database schema can't be brought up to date")]
    Schema(#[source] SchemaError),
    /// A query at the start failed.
    #[error("the database failed")]
    Query(#[from] DbError),
    /// Keys or certificates can't be used.
    #[error(transparent)]
    Pki(#[from] PkiError),
    /// rustls refuses them.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The key for session tokens can't be used.
    #[error(transparent)]
    SessionKeys(#[from] KeyError),
    /// The bootstrap token is no good.
    #[error("TYR_BOOTSTRAP_ENROLLMENT_TOKEN can't be used")]
    BootstrapToken(#[source] CreateError),
    /// The further authorities for webhooks can't be used.
    #[error(transparent)]
    AlertCaFile(#[from] ClientError),
    /// A port can't be had.
    #[error("can't listen on {address} ({what})")]
    Bind {
        /// For what.
        what: &'static str,
        /// Where.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A door failed while the server ran.
    #[error("serving {what} failed")]
    Door {
        /// Which.
        what: &'static str,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

impl BootError {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::DataDir { dir, .. } => format!(
                "make it writable for this user (`install -d -o \"$USER\" {}` as root), or choose another with --data-dir (TYR_DATA_DIR)",
                dir.display()
            ),
            Self::DatabaseUrl(_) => "it looks like postgres://USER:PASSWORD@HOST:5432/DATABASE; unset it to use the private database".to_owned(),
            Self::Database(_) => "see that PostgreSQL runs and that DATABASE_URL names its host, user and database; unset it to use the private database".to_owned(),
            Self::OldDatabase { .. } => "upgrade PostgreSQL, or unset DATABASE_URL to use the private database".to_owned(),
            Self::Embedded(error) => error.hint(),
            Self::Schema(SchemaError::TooNew { .. }) => "the database was used by a newer tyr-server; run that version".to_owned(),
            Self::Schema(_) => "the database user needs the right to create tables and types (it should own the database)".to_owned(),
            Self::Query(_) => "start the server again; if it stays, run it with RUST_LOG=tyr_server=debug".to_owned(),
            Self::Pki(PkiError::BadName(_)) => "TYR_SERVER_NAMES is a list like tyr.example.com,10.0.0.5".to_owned(),
            Self::Pki(PkiError::File { .. }) => "the server's user must be able to read and write ca.key and ca.pem in the data directory".to_owned(),
            Self::Pki(_) | Self::Tls(_) => "restore ca.key and ca.pem from a backup; without them, move both away and enroll all agents again".to_owned(),
            Self::SessionKeys(_) => "jwt.key in the data directory must be readable; delete it to end all sessions and make a new one".to_owned(),
            Self::BootstrapToken(_) => "it looks like tyr_et_ID_SECRET, both of letters and digits, the secret of 16 or more".to_owned(),
            Self::AlertCaFile(_) => "TYR_ALERT_CA_FILE (--alert-ca-file) names a PEM file that this user may read".to_owned(),
            Self::Bind { what, source, .. } if source.kind() == io::ErrorKind::AddrInUse => {
                format!("another program has this port; stop it, or choose another with {}", bind_flag(what))
            }
            Self::Bind { what, source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                format!("ports below 1024 need root; choose another with {}", bind_flag(what))
            }
            Self::Bind { what, .. } => format!("choose an address of this host with {}", bind_flag(what)),
            Self::Door { .. } => "start the server again".to_owned(),
        }
    }
}

fn bind_flag(what: &str) -> &'static str {
    if what == GRPC { "--grpc-bind (TYR_GRPC_BIND)" } else { "--rest-bind (TYR_REST_BIND)" }
}

const REST: &str = "REST";
const GRPC: &str = "gRPC";

/// A server whose ports are open.
#[derive(Debug)]
pub struct Server {
    app: Arc<App>,
    cluster: Option<Cluster>,
    rest: TcpListener,
    grpc: TcpListener,
}

impl Server {
    /// Boots in the documented order: database, migrations, keys, ports.
    ///
    /// # Errors
    /// See [`BootError`].
    pub async fn start(config: Config) -> Result<Self, BootError> {
        prepare_data_dir(&config.data_dir)
            .map_err(|source| BootError::DataDir { dir: config.data_dir.clone(), source })?;
        let (pools, cluster) = open_database(&config).await?;
        migrate::run(&pools.owner).await.map_err(BootError::Schema)?;
        let done = maintenance::run(&pools.owner, Timestamp::now(), config.retention_days).await?;
        tracing::info!(
            partitions.created = done.created.len(),
            partitions.dropped = done.dropped.len(),
            "database ready"
        );
        let pki = Pki::load_or_create(&config.data_dir, &config.server_names)?;
        let tls = TlsConfigs::new(&pki, config.rest_tls, config.certificates.grace)?;
        let session_keys = SessionKeys::load_or_create(&config.data_dir)?;
        if let Some(file) = &config.alerts.ca_file {
            alerts::deliver::authorities(file)?;
        }
        for key in ["ca.key", "jwt.key"] {
            close_to_others(&config.data_dir.join(key));
        }
        let (rest_bind, grpc_bind) = (config.rest_bind, config.grpc_bind);
        let bootstrap = config.bootstrap_enrollment_token.clone();
        let app = App::new(config, pools, pki, tls, session_keys);
        app.metrics_token.ensure().map_err(|source| BootError::DataDir { dir: app.config.data_dir.clone(), source })?;
        if let Some(token) = bootstrap {
            tokens::ensure_bootstrap(&app, token.expose()).await.map_err(BootError::BootstrapToken)?;
        }
        fleet::load(&app).await?;
        let rest = bind(REST, rest_bind).await?;
        let grpc = bind(GRPC, grpc_bind).await?;
        Ok(Self { app, cluster, rest, grpc })
    }

    /// The shared state.
    pub fn app(&self) -> &Arc<App> {
        &self.app
    }

    /// Where REST is served; tells the port when 0 was asked for.
    pub fn rest_address(&self) -> io::Result<SocketAddr> {
        self.rest.local_addr()
    }

    /// Where gRPC is served.
    pub fn grpc_address(&self) -> io::Result<SocketAddr> {
        self.grpc.local_addr()
    }

    /// Serves until `shutdown`, then stops in order: doors, what waits to be written, connections, the private cluster.
    ///
    /// # Errors
    /// [`BootError::Door`] when a door failed by itself; everything is stopped then too.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), BootError> {
        let Self { app, cluster, rest, grpc } = self;
        // Tasks outlive the doors, as these hand them work to the last.
        let tasks_stop = CancellationToken::new();
        let doors_stop = shutdown.child_token();
        let tasks = [
            tokio::spawn(writer::run(Arc::clone(&app), tasks_stop.clone())),
            tokio::spawn(fleet::run(Arc::clone(&app), tasks_stop.clone())),
            tokio::spawn(fleet::watch_refusals(Arc::clone(&app), tasks_stop.clone())),
            tokio::spawn(maintain(Arc::clone(&app), tasks_stop.clone())),
            tokio::spawn(alerts::engine::run(Arc::clone(&app), tasks_stop.clone())),
            tokio::spawn(alerts::engine::watch(Arc::clone(&app), tasks_stop.clone())),
            tokio::spawn(alerts::deliver::run(Arc::clone(&app), tasks_stop.clone())),
        ];
        let supervision = tokio::spawn(supervision::run(Arc::clone(&app), doors_stop.clone()));
        let mut rest = tokio::spawn(http::serve(Arc::clone(&app), rest, doors_stop.clone()));
        let mut grpc = tokio::spawn(grpc::serve(Arc::clone(&app), grpc, doors_stop.clone()));
        // In this order: at shutdown the doors end too, and that is no failure of theirs.
        let failed = tokio::select! {
            biased;
            () = shutdown.cancelled() => None,
            result = &mut rest => Some(door_error(REST, result)),
            result = &mut grpc => Some(door_error(GRPC, result)),
        };
        let begun = Instant::now();
        tracing::info!("stopping");
        supervision::stopping();
        doors_stop.cancel();
        // The private cluster writes its dirty pages now, while streams end, so that its own checkpoint at the end is short.
        let checkpoint = cluster.as_ref().map(|cluster| tokio::spawn(cluster.checkpoint()));
        if timeout_at(begun + DOORS_UNTIL, async {
            finish(&mut rest).await;
            finish(&mut grpc).await;
        })
        .await
        .is_err()
        {
            tracing::warn!("some requests did not end in time and are cut off");
            rest.abort();
            grpc.abort();
        }
        tasks_stop.cancel();
        for task in tasks {
            if timeout_at(begun + TASKS_UNTIL, task).await.is_err() {
                tracing::warn!("a background task did not end in time; what it had not committed, agents send again");
            }
        }
        let _ = supervision.await;
        let _ = timeout_at(begun + POOL_UNTIL, async {
            app.writes.close().await;
            app.pool.close().await;
        })
        .await;
        if let Some(cluster) = cluster {
            if let Some(checkpoint) = checkpoint {
                let _ = timeout_at(begun + POOL_UNTIL, checkpoint).await;
            }
            cluster.stop_within((begun + CLUSTER_UNTIL).into_std(), (begun + STOP_MAX).into_std()).await;
        }
        tracing::info!(duration_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX), "stopped");
        failed.map_or(Ok(()), Err)
    }
}

/// Waits for a door, unless it has ended already.
async fn finish(door: &mut JoinHandle<io::Result<()>>) {
    if !door.is_finished() {
        let _ = door.await;
    }
}

fn door_error(what: &'static str, result: Result<io::Result<()>, tokio::task::JoinError>) -> BootError {
    let source = match result {
        Ok(Ok(())) => io::Error::other("it ended by itself"),
        Ok(Err(error)) => error,
        Err(error) => io::Error::other(error),
    };
    BootError::Door { what, source }
}

/// Makes the data directory if it isn't there, and makes sure that it can be written to.
///
/// # Errors
/// What the system says.
pub fn prepare_data_dir(dir: &Path) -> io::Result<()> {
    // What lies above it is open to all, as ever; only itself is closed. The private cluster opens it as far as its user has to.
    if let Some(parent) = dir.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    // The one way to know that files can be made in it, on any file system and as any user.
    let probe = dir.join(".write-test");
    fs::write(&probe, b"").and_then(|()| fs::remove_file(&probe))
}

/// Takes a key away from those whom it is not for, should somebody have opened it, and says so. A group is left alone: it may
/// be there for backups.
fn close_to_others(key: &Path) {
    let Ok(mode) = fs::metadata(key).map(|meta| meta.permissions().mode() & 0o777) else { return };
    let others = mode & 0o007;
    if others == 0 {
        return;
    }
    let closed = fs::set_permissions(key, fs::Permissions::from_mode(mode & 0o770));
    tracing::warn!(
        path = %key.display(),
        mode = format!("{mode:o}"),
        closed = closed.is_ok(),
        "everybody on this host could read a key; if somebody may have, replace it"
    );
}

async fn open_database(config: &Config) -> Result<(Pools, Option<Cluster>), BootError> {
    let (options, owner, cluster) = match &config.database {
        Database::Url { url, owner } => {
            let owner = owner.as_ref().map(|url| parse_url(url.expose())).transpose()?;
            (parse_url(url.expose())?, owner, None)
        }
        Database::Embedded { bin_dir, user } => {
            let settings = Settings {
                data_dir: config.data_dir.clone(),
                bin_dir: bin_dir.clone(),
                user: user.clone(),
                postgres_settings: Vec::new(),
            };
            let cluster = Cluster::start(&settings).await?;
            (cluster.connect_options(), None, Some(cluster))
        }
    };
    let version = db::server_version(&options).await.map_err(BootError::Database)?;
    if version < POSTGRES_MIN {
        return Err(BootError::OldDatabase { major: version / 10_000 });
    }
    let reads = db::connect_for_reads(options, config.read_timeout).await.map_err(BootError::Database)?;
    Ok((Pools::new(reads, owner), cluster))
}

/// How to connect, from a URL.
pub(crate) fn parse_url(url: &str) -> Result<PgConnectOptions, BootError> {
    if !["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)) {
        return Err(BootError::DatabaseUrl(None));
    }
    PgConnectOptions::from_str(url).map_err(|error| BootError::DatabaseUrl(Some(error)))
}

async fn bind(what: &'static str, address: SocketAddr) -> Result<TcpListener, BootError> {
    TcpListener::bind(address).await.map_err(|source| BootError::Bind { what, address, source })
}

/// Partitions ahead, retention of events and of the audit log behind, once an hour.
async fn maintain(app: Arc<App>, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(MAINTENANCE_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.reset();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        match maintenance::run(&app.owner, Timestamp::now(), app.config.retention_days).await {
            Ok(done) => {
                // A query that looks at an old day now may be gone in a minute.
                let next = if done.postponed.is_empty() { MAINTENANCE_INTERVAL } else { MAINTENANCE_RETRY };
                ticks.reset_after(next);
                if done != partitions::Done::default() {
                    tracing::info!(
                        partitions.created = ?done.created,
                        partitions.dropped = ?done.dropped,
                        partitions.postponed = ?done.postponed,
                        "partitions"
                    );
                }
            }
            Err(error) => {
                ticks.reset_after(MAINTENANCE_RETRY);
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "partitions were not looked after; the next try is in a minute"
                );
            }
        }
        match audit::expire(&app.pool, app.config.audit_retention_days, Timestamp::now()).await {
            Ok(0) => {}
            Ok(removed) => tracing::info!(audit.removed = removed, "old entries of the audit log were removed"),
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "old entries of the audit log were not removed; the next try is in an hour"
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("there").permissions().mode() & 0o777
    }

    #[test]
    fn the_data_directory_is_closed_and_what_lies_above_it_is_not() {
        let base = tempfile::tempdir().expect("a folder");
        let dir = base.path().join("srv/tyr");
        prepare_data_dir(&dir).expect("made");
        assert_eq!(mode(&dir), 0o700);
        assert_eq!(mode(&base.path().join("srv")) & 0o500, 0o500);
        // One that is there is left as it is: whoever made it knows why.
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o750)).expect("opened");
        prepare_data_dir(&dir).expect("there");
        assert_eq!(mode(&dir), 0o750);
    }

    #[test]
    fn a_key_that_everybody_can_read_is_closed() {
        let dir = tempfile::tempdir().expect("a folder");
        let key = dir.path().join("ca.key");
        close_to_others(&key);
        for (before, after) in [(0o644, 0o640), (0o600, 0o600), (0o640, 0o640), (0o666, 0o660)] {
            fs::write(&key, "a key").expect("written");
            fs::set_permissions(&key, fs::Permissions::from_mode(before)).expect("opened");
            close_to_others(&key);
            assert_eq!(mode(&key), after, "{before:o}");
        }
    }
}
