//! Two roles: the one that the server works as can't make or drop anything. And time-outs, which hold for each role.

use std::process::Command;

use jiff::Timestamp;
use sqlx::{ConnectOptions, Connection, Executor, PgConnection};
use tyr_server::db::{self, DbError, Owner, maintenance, migrate, stats};
use uuid::Uuid;

use crate::program::Program;
use crate::stack::{Stack, event};
use crate::testdb::TestDb;

const ROLES: &str = include_str!("../../../../packaging/sql/roles.sql");

/// The two roles of the documented file in an empty schema, under names of this test's own; and a connection that may do anything.
async fn two_roles(db: &TestDb) -> (PgConnection, String, String) {
    let mut admin = PgConnection::connect_with(&db.options()).await.expect("connected");
    // Roles are of the whole cluster: names of this test's own. The rest of the file as it is, less psql's own words.
    let id = Uuid::now_v7().simple().to_string();
    let (owner, server) = (format!("tyr_owner_{id}"), format!("tyr_server_{id}"));
    let database: String = sqlx::query_scalar("SELECT current_database()").fetch_one(&mut admin).await.expect("asked");
    let sql = ROLES
        .replace("SELECT format('GRANT CONNECT, TEMPORARY ON DATABASE %I TO tyr_owner, tyr_server', current_database()) \\gexec",
            &format!("GRANT CONNECT, TEMPORARY ON DATABASE {database} TO tyr_owner, tyr_server;"))
        .replace("tyr_owner", &owner)
        .replace("tyr_server", &server)
        .replace(":'owner_password'", "'owner'")
        .replace(":'server_password'", "'server'");
    assert!(!sql.contains("gexec") && !sql.contains(":'"), "{sql}");
    // What was made before by another role is handed over first, as the file says: here by making the schema anew.
    admin.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public").await.expect("emptied");
    admin.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(sql))).await.expect("roles.sql runs");
    (admin, owner, server)
}

/// Removes the roles and what is theirs in this database.
async fn drop_roles(mut admin: PgConnection, owner: &str, server: &str) {
    let cleanup =
        format!("DROP OWNED BY {server} CASCADE; DROP OWNED BY {owner} CASCADE; DROP ROLE {owner}; DROP ROLE {server}");
    admin.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(cleanup))).await.expect("roles removed");
    admin.close().await.expect("closed");
}

#[tokio::test]
async fn the_server_works_with_a_role_that_can_make_and_drop_nothing() {
    let db = TestDb::new().await;
    let (admin, owner, server) = two_roles(&db).await;
    // Peer authentication on the socket is for the cluster's own user: the roles are taken on by SET ROLE.
    let as_role = |role: &str| db.options().options([("role", role)]);
    let owning = Owner::new(as_role(&owner));
    migrate::run(&owning).await.expect("migrated by the owner");
    maintenance::run(&owning, Timestamp::now(), 30).await.expect("partitions by the owner");

    let reads = db::connect(as_role(&server)).await.expect("connected");
    let who: String = sqlx::query_scalar("SELECT current_user").fetch_one(&reads).await.expect("asked");
    assert_eq!(who, server);
    for forbidden in [
        "CREATE TABLE x (n int)",
        "DROP TABLE events",
        "ALTER TABLE events ADD COLUMN x int",
        "TRUNCATE events",
        "CREATE INDEX x ON agents (name)",
        "DROP FUNCTION events_uncount CASCADE",
        "ALTER TABLE events DISABLE TRIGGER ALL",
    ] {
        let error = DbError::from(sqlx::raw_sql(forbidden).execute(&reads).await.expect_err(forbidden));
        assert_eq!(error.sqlstate().as_deref(), Some("42501"), "{forbidden}: {error}");
        let text = std::error::Error::source(&error).expect("a cause").to_string();
        assert!(text.ends_with("(SQLSTATE 42501)") && !text.contains("at line"), "{text}");
    }

    // All that a server does, with that role: events (a replay too, through a temporary table), counts, the DELETE.
    let pools = db::Pools::new(reads.clone(), Some(as_role(&owner)));
    let stack = Stack::on(db, pools).await;
    let agent_id = stack.agent("one").await;
    let mut session = stack.session(agent_id).await;
    let events = vec![event(), event()];
    stack.store(&mut session, events.clone()).await;
    stack.store(&mut session, events).await;
    assert_eq!(stack.count("SELECT count(*) FROM events").await, 2);
    // A missing day is made by the owner.
    let late = crate::stack::event_at(Timestamp::now() - std::time::Duration::from_hours(24 * 15));
    stack.store(&mut session, vec![late]).await;
    assert_eq!(stack.count("SELECT count(*) FROM events").await, 3);
    let mut conn = stack.app.pool.acquire().await.expect("a connection");
    db::storage::report(&mut conn, Timestamp::now(), 30).await.expect("a report");
    drop(conn);
    let deleted = sqlx::query("DELETE FROM events").execute(&stack.app.pool).await.expect("allowed");
    assert_eq!(deleted.rows_affected(), 3);
    reads.close().await;
    stack.app.writes.close().await;
    drop_roles(admin, &owner, &server).await;
    stack.stop().await;
}

#[tokio::test]
async fn a_server_with_two_urls_works_as_one_that_can_make_nothing() {
    let db = TestDb::new().await;
    let (admin, owner, server) = two_roles(&db).await;
    let url = |role: &str| {
        let mut url = db.options().to_url_lossy();
        url.query_pairs_mut().append_pair("options[role]", role);
        url.to_string()
    };
    let (working, owning) = (url(&server), url(&owner));
    let environment = [("DATABASE_URL", working.as_str()), ("TYR_MIGRATE_DATABASE_URL", owning.as_str())];
    let program = Program::start(&db, "unused", &environment).await;
    program.set_up("correct horse battery").await;
    // The tables are the owner's, what is in them came from the other, and that one can make nothing.
    let whose = "SELECT tableowner::text FROM pg_tables WHERE schemaname = 'public' GROUP BY 1";
    let owners: Vec<String> = sqlx::query_scalar(whose).fetch_all(&db.pool).await.expect("asked");
    assert_eq!(owners, [owner.as_str()]);
    let users: i64 = sqlx::query_scalar("SELECT count(*) FROM users").fetch_one(&db.pool).await.expect("counted");
    assert_eq!(users, 1);
    let mut worker = PgConnection::connect(&working).await.expect("connected");
    let (who, may): (String, bool) =
        sqlx::query_as("SELECT current_user::text, has_schema_privilege(current_user, 'public', 'CREATE')")
            .fetch_one(&mut worker)
            .await
            .expect("asked");
    assert_eq!((who, may), (server.clone(), false));
    worker.close().await.expect("closed");
    program.stop().await;
    drop_roles(admin, &owner, &server).await;
    db.drop().await;
}

#[tokio::test]
async fn statements_and_transactions_that_take_too_long_are_ended() {
    let stack = Stack::start().await;
    let timeout = std::time::Duration::from_secs(1);
    let pool = db::connect_for_reads(stack.db.options(), timeout).await.expect("connected");
    let error = DbError::from(sqlx::query("SELECT pg_sleep(60)").execute(&pool).await.expect_err("cut off"));
    assert!(matches!(error, DbError::TimedOut(_)), "{error:?}");
    let mut tx = pool.begin().await.expect("begun");
    sqlx::query("SELECT 1").execute(&mut *tx).await.expect("quick");
    // PostgreSQL ends the connection of one who forgets a transaction.
    let mut conn = stack.app.pool.acquire().await.expect("a connection");
    let gone = tokio::time::timeout(crate::stack::LIMIT, async {
        let open = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'";
        while sqlx::query_scalar::<_, i64>(open).fetch_one(&mut *conn).await.expect("asked") > 0 {
            tokio::task::yield_now().await;
        }
    });
    gone.await.expect("ended");
    stats::drifts_since(&mut conn, Timestamp::now()).await.expect("others go on");
    drop(conn);
    drop(tx);
    pool.close().await;
    stack.stop().await;
}

#[test]
fn the_command_for_the_database_says_what_is_wrong() {
    let dir = tempfile::tempdir().expect("a folder");
    let run = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_tyr-server"))
            .args(arguments)
            .env("DATABASE_URL", "postgres://nobody@127.0.0.1:1/none")
            .env("TYR_DATA_DIR", dir.path())
            .env_remove("TYR_RETENTION_DAYS")
            .output()
            .expect("it runs");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, text) = run(&["db", "status"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.starts_with("error: the database can't be used\n") && text.contains("hint: "), "{text}");
    let (code, text) = run(&["db", "retention", "--days", "0"]);
    assert_eq!(code, Some(2), "{text}");
    assert_eq!(run(&["db", "retention", "--yes", "--dry-run"]).0, Some(2));
}
