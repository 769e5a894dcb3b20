//! The private cluster: made once, the same data after a restart, gone when it is stopped, clear errors.

use std::fs;
use std::path::{Path, PathBuf};

use sqlx::{Connection, PgConnection};
use tyr_server::embedded::{self, Cluster, EmbeddedError, Settings};

fn settings(dir: &Path) -> Settings {
    Settings { data_dir: dir.to_owned(), bin_dir: None, user: None, postgres_settings: Vec::new() }
}

#[tokio::test]
async fn keeps_its_data_and_leaves_nothing_running() {
    let dir = tempfile::tempdir().expect("a folder");
    let cluster = Cluster::start(&settings(dir.path())).await.expect("started");
    let mut conn = PgConnection::connect_with(&cluster.connect_options()).await.expect("connected");
    sqlx::raw_sql("CREATE TABLE kept (n int); INSERT INTO kept VALUES (42)").execute(&mut conn).await.expect("written");
    for (setting, wanted) in
        [("fsync", "on"), ("listen_addresses", ""), ("data_checksums", "on"), ("synchronous_commit", "on")]
    {
        let value: String =
            sqlx::query_scalar("SELECT current_setting($1)").bind(setting).fetch_one(&mut conn).await.expect("read");
        assert_eq!(value, wanted, "{setting}");
    }
    conn.close().await.expect("closed");
    assert!(
        matches!(Cluster::start(&settings(dir.path())).await, Err(EmbeddedError::InUse { .. })),
        "a second server must not touch the cluster of the first"
    );
    cluster.stop().await;
    assert!(!dir.path().join("pg/data/postmaster.pid").exists(), "it went down cleanly");

    let cluster = Cluster::start(&settings(dir.path())).await.expect("started again");
    let url = embedded::url(dir.path());
    let mut conn = PgConnection::connect(&url).await.expect("the URL for psql works");
    let kept: i32 = sqlx::query_scalar("SELECT n FROM kept").fetch_one(&mut conn).await.expect("kept");
    assert_eq!(kept, 42);
    conn.close().await.expect("closed");
    cluster.stop().await;
}

#[tokio::test]
async fn says_what_is_wrong() {
    let dir = tempfile::tempdir().expect("a folder");
    let elsewhere = Settings { bin_dir: Some(PathBuf::from("/nowhere")), ..settings(dir.path()) };
    let error = Cluster::start(&elsewhere).await.expect_err("no programs there");
    assert!(matches!(error, EmbeddedError::ChosenBinaries { .. }), "{error}");

    let data = dir.path().join("pg/data");
    fs::create_dir_all(&data).expect("made");
    fs::write(data.join("something"), "else").expect("written");
    let error = Cluster::start(&settings(dir.path())).await.expect_err("no cluster");
    assert!(matches!(error, EmbeddedError::StrangeData { .. }), "{error}");

    fs::write(data.join("PG_VERSION"), "9\n").expect("written");
    let error = Cluster::start(&settings(dir.path())).await.expect_err("too old");
    assert!(matches!(error, EmbeddedError::VersionMismatch { data: 9, .. }), "{error}");
    assert!(error.hint().contains("postgresql-9"), "{}", error.hint());
    assert!(EmbeddedError::NoBinaries.hint().contains("apt-get install postgresql"));
}
