//! TLS towards the database: `sslmode=require` and `verify-full`, against a PostgreSQL with a certificate of its own.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use sqlx::Executor;
use sqlx::postgres::PgConnectOptions;
use tyr_server::db::{self, DbError};
use tyr_server::embedded::{Cluster, Settings};

/// A CA, and a certificate and key of its for that address. Answers the CA in PEM.
fn certificates(dir: &Path, address: &str) -> String {
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("a CA");
    let key = KeyPair::generate().expect("a key");
    let leaf = CertificateParams::new(vec![address.to_owned()]).expect("a name");
    let leaf = leaf.signed_by(&key, &ca).expect("signed");
    fs::write(dir.join("db.pem"), leaf.pem()).expect("written");
    fs::write(dir.join("db.key"), key.serialize_pem()).expect("written");
    ca.pem()
}

#[tokio::test]
async fn verifies_the_certificate_of_the_database() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let dir = tempfile::tempdir().expect("a folder");
    // PostgreSQL may run as somebody else, who has to reach its folder.
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o711)).expect("opened");
    // An own loopback address, so that the port can stay the usual one, which names the socket.
    let pid = std::process::id();
    let address = format!("127.{}.{}.{}", 64 + (pid >> 16) % 64, (pid >> 8) & 0xff, 1 + pid % 254);
    let mut settings =
        Settings { data_dir: dir.path().to_owned(), bin_dir: None, user: None, postgres_settings: Vec::new() };
    let cluster = Cluster::start(&settings).await.expect("made");
    let pool = db::connect(cluster.connect_options()).await.expect("connected");
    pool.execute("CREATE ROLE remote LOGIN PASSWORD 'secret'").await.expect("a role with a password");
    pool.close().await;
    cluster.stop().await;

    let data = dir.path().join("pg/data");
    let ca = certificates(&data, &address);
    let owner = fs::metadata(&data).expect("there");
    for file in ["db.pem", "db.key"] {
        chown(data.join(file), Some(owner.uid()), Some(owner.gid())).expect("given to PostgreSQL");
        fs::set_permissions(data.join(file), fs::Permissions::from_mode(0o600)).expect("closed to others");
    }
    let hba = data.join("pg_hba.conf");
    let rules = fs::read_to_string(&hba).expect("there");
    fs::write(&hba, format!("hostssl all remote 127.0.0.0/8 scram-sha-256\n{rules}")).expect("written");
    settings.postgres_settings = [
        format!("listen_addresses={address}"),
        "ssl=on".to_owned(),
        "ssl_cert_file=db.pem".to_owned(),
        "ssl_key_file=db.key".to_owned(),
    ]
    .into();
    let cluster = Cluster::start(&settings).await.expect("started with TLS");

    let trusted = dir.path().join("ca.pem");
    fs::write(&trusted, &ca).expect("written");
    let other = dir.path().join("other.pem");
    let elsewhere = tempfile::tempdir().expect("a folder");
    fs::write(&other, certificates(elsewhere.path(), &address)).expect("written");
    let connect = async |query: String| {
        let url = format!("postgres://remote:secret@{address}/tyr?{query}");
        let options: PgConnectOptions = url.parse().expect("a URL");
        db::server_version(&options).await
    };
    for query in ["sslmode=require".to_owned(), format!("sslmode=verify-full&sslrootcert={}", trusted.display())] {
        let version = connect(query.clone()).await.unwrap_or_else(|error| panic!("{query}: {error:?}"));
        assert!(version >= 140_000);
    }
    let wrong = connect(format!("sslmode=verify-full&sslrootcert={}", other.display())).await;
    assert!(matches!(wrong, Err(DbError::Unavailable(_))), "another authority's certificate is refused: {wrong:?}");
    let plain = connect("sslmode=disable".to_owned()).await;
    assert!(plain.is_err(), "pg_hba.conf asks for TLS: {plain:?}");
    cluster.stop().await;
}
