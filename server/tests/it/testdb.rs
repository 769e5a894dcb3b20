//! A database per test, as a copy of one that was migrated once.
//!
//! The PostgreSQL is that of `TYR_TEST_DATABASE_URL` (its user must be allowed to make databases), or a private cluster of
//! the product's own kind: a cluster with the migrated template is kept in the temporary folder, copied by each test process
//! that starts, and the copy is stopped and removed with the last database in use. So nothing is left running, and neither
//! runners that use threads nor those that use processes get in each other's way.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Weak};

use jiff::Timestamp;
use rustix::fs::{FlockOperation, flock};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};
use tokio::sync::Mutex;
use tyr_server::db::{self, Owner, maintenance, migrate};
use tyr_server::embedded::{Cluster, Settings};
use uuid::Uuid;

/// Days that tests keep events.
pub(crate) const RETENTION_DAYS: u32 = 30;
/// Advisory lock around making the template, on a server that others use too: "tyrtest".
const TEMPLATE_LOCK: i64 = 0x0074_7972_7465_7374;

/// The PostgreSQL of this process, while a test uses it.
static SERVER: Mutex<Weak<TestServer>> = Mutex::const_new(Weak::new());

/// A database with the whole schema and today's partitions.
pub(crate) struct TestDb {
    pub(crate) pool: PgPool,
    name: String,
    server: Arc<TestServer>,
}

impl TestDb {
    /// A new database.
    pub(crate) async fn new() -> Self {
        let server = TestServer::get().await;
        let name = format!("tyr_test_{}_{}", std::process::id(), Uuid::now_v7().simple());
        let template = template_name();
        let mut admin = PgConnection::connect_with(&server.admin).await.expect("the test server answers");
        execute(&mut admin, &format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
        admin.close().await.expect("closed");
        let pool = db::connect(server.admin.clone().database(&name)).await.expect("the new database answers");
        maintenance::run(&Owner::from(&pool), Timestamp::now(), RETENTION_DAYS).await.expect("partitions");
        Self { pool, name, server }
    }

    /// How to connect to it with every right.
    pub(crate) fn options(&self) -> PgConnectOptions {
        self.server.admin.clone().database(&self.name)
    }

    /// Removes the database. One that a failed test leaves is swept by a later run.
    pub(crate) async fn drop(self) {
        self.pool.close().await;
        let mut admin = PgConnection::connect_with(&self.server.admin).await.expect("the test server answers");
        execute(&mut admin, &format!("DROP DATABASE {} WITH (FORCE)", self.name)).await;
    }
}

struct TestServer {
    admin: PgConnectOptions,
    /// Stopped, then removed, with the last user.
    private: Option<(Option<Cluster>, PathBuf)>,
}

impl TestServer {
    async fn get() -> Arc<Self> {
        let mut current = SERVER.lock().await;
        if let Some(server) = current.upgrade() {
            return server;
        }
        let server = Arc::new(match std::env::var("TYR_TEST_DATABASE_URL") {
            Ok(url) => Self::shared(&url).await,
            Err(_) => Self::private().await,
        });
        *current = Arc::downgrade(&server);
        server
    }

    /// A server that was given.
    async fn shared(url: &str) -> Self {
        let admin: PgConnectOptions = url.parse().expect("TYR_TEST_DATABASE_URL is a URL");
        let mut conn = PgConnection::connect_with(&admin).await.expect("TYR_TEST_DATABASE_URL answers");
        sqlx::query("SELECT pg_advisory_lock($1)").bind(TEMPLATE_LOCK).execute(&mut conn).await.expect("locked");
        sweep_databases(&mut conn).await;
        make_template(&mut conn, &admin).await;
        conn.close().await.expect("closed");
        Self { admin, private: None }
    }

    /// A cluster of this process's own, copied from the one with the template.
    async fn private() -> Self {
        let uid = rustix::process::geteuid().as_raw();
        let base = std::env::temp_dir().join(format!("tyr-test-{uid}"));
        fs::create_dir_all(&base).expect("a folder for test clusters");
        let lock = File::create(base.join("lock")).expect("a lock file");
        flock(&lock, FlockOperation::LockExclusive).expect("locked");
        sweep_folders(&base);
        let template = base.join(template_name());
        if !template.exists() {
            let new = base.join("new");
            let _ = fs::remove_dir_all(&new);
            fs::create_dir(&new).expect("a folder");
            let cluster = start(&new).await;
            let admin = cluster.maintenance_options();
            let mut conn = PgConnection::connect_with(&admin).await.expect("the cluster answers");
            make_template(&mut conn, &admin).await;
            conn.close().await.expect("closed");
            cluster.stop().await;
            fs::rename(&new, &template).expect("renamed");
        }
        let own = base.join(format!("run-{}-{}", std::process::id(), Uuid::now_v7().simple()));
        let copied =
            Command::new("cp").args(["-a", "--reflink=auto"]).args([&template, &own]).status().expect("cp runs");
        assert!(copied.success(), "the template cluster can't be copied");
        drop(lock);
        let cluster = start(&own).await;
        Self { admin: cluster.maintenance_options(), private: Some((Some(cluster), own)) }
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        if let Some((cluster, dir)) = &mut self.private {
            drop(cluster.take());
            let _ = fs::remove_dir_all(dir);
        }
    }
}

async fn start(data_dir: &Path) -> Cluster {
    let settings = Settings {
        data_dir: data_dir.to_owned(),
        bin_dir: None,
        user: None,
        // Nothing here has to outlive a power cut, and tests wait for the disk most of their time otherwise.
        postgres_settings: ["fsync=off", "full_page_writes=off", "shared_buffers=32MB"].map(str::to_owned).into(),
    };
    Cluster::start(&settings).await.unwrap_or_else(|error| panic!("no PostgreSQL for tests: {error}; {}", error.hint()))
}

/// One per set of migrations.
fn template_name() -> String {
    format!("tyr_template_{}", migrate::fingerprint())
}

async fn make_template(admin: &mut PgConnection, options: &PgConnectOptions) {
    let name = template_name();
    let exists: bool = sqlx::query_scalar("SELECT count(*) > 0 FROM pg_database WHERE datname = $1")
        .bind(&name)
        .fetch_one(&mut *admin)
        .await
        .expect("asked");
    if exists {
        return;
    }
    // Under another name until it is whole.
    execute(admin, &format!("DROP DATABASE IF EXISTS {name}_new WITH (FORCE)")).await;
    execute(admin, &format!("CREATE DATABASE {name}_new")).await;
    let pool = db::connect(options.clone().database(&format!("{name}_new"))).await.expect("the template answers");
    // No partitions: those of the day when the template was made would be in the way of a later day's tests.
    migrate::run(&Owner::from(&pool)).await.expect("migrated");
    pool.close().await;
    execute(admin, &format!("ALTER DATABASE {name}_new RENAME TO {name}")).await;
}

/// Removes databases of test processes that are gone.
async fn sweep_databases(admin: &mut PgConnection) {
    let names: Vec<String> = sqlx::query_scalar("SELECT datname FROM pg_database WHERE datname LIKE 'tyr\\_test\\_%'")
        .fetch_all(&mut *admin)
        .await
        .expect("asked");
    for name in names.iter().filter(|name| is_orphan(name.trim_start_matches("tyr_test_"), '_')) {
        execute(admin, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
    }
}

/// Removes folders of test processes that are gone.
fn sweep_folders(base: &Path) {
    for entry in fs::read_dir(base).expect("readable").flatten() {
        let name = entry.file_name();
        if let Some(rest) = name.to_str().and_then(|name| name.strip_prefix("run-"))
            && is_orphan(rest, '-')
        {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Whether the process whose number a name begins with has ended.
fn is_orphan(name: &str, separator: char) -> bool {
    name.split(separator).next().is_some_and(|pid| !Path::new("/proc").join(pid).exists())
}

async fn execute(conn: &mut PgConnection, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(conn).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
}
