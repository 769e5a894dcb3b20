//! From the schema of the first release to that of today, with rows in it: nothing is lost, and what the first release's server
//! says to the database still works.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use sqlx::migrate::Migrator;
use sqlx::{Connection, Executor, PgConnection, Row};
use tyr_api::stats::DriftBy;
use tyr_server::db::{Owner, maintenance, migrate, stats};

use crate::testdb::TestDb;

const FIRST_RELEASE: i64 = 20_261_122_000_000;
/// A row or more in each table of the first release, in its columns and no others; 3 events, one of them denied, one drifting.
const ROWS: &str = "
    INSERT INTO users (user_id, username, password_hash, role) VALUES (gen_random_uuid(), 'alice', '$argon2id$', 'admin');
    INSERT INTO enrollment_tokens (token_id, label, secret_hash, max_uses, uses, expires_at, created_by)
        VALUES ('t0', 'lab', 'hash', 5, 1, now() + interval '1 hour', 'alice');
    INSERT INTO policy_versions (name, rules, yaml, created_by) VALUES ('web', 1, 'kind: Policy', 'alice');
    INSERT INTO policy_assignments (assignment_id, version, target_type, target_id, assigned_by)
        VALUES (gen_random_uuid(), 1, 'all', '', 'alice');
    INSERT INTO effective_policies (policy_id, layers) VALUES (md5('1'), '[{\"version\": 1, \"name\": \"web\", \"agent_type\": null}]');
    INSERT INTO agents (agent_id, name, policy_id, client_cert, cert_serial, cert_not_after, events_lost)
        SELECT md5(n::text)::uuid, 'host-' || n, md5('1'), 'PEM', 'serial-' || n, now() + interval '7 days', n FROM generate_series(1, 2) AS n;
    INSERT INTO agent_policies (agent_id, effective_from, policy_id) SELECT agent_id, now(), policy_id FROM agents;
    INSERT INTO discovered_agents (id, daemon_agent_id, agent_type, display_name, pid, process_signature, process_exe, cmdline,
                                   found_by, first_seen)
        SELECT gen_random_uuid(), agent_id, 'claude-code', 'Claude', 7, 'x', '/usr/bin/node', 'node', 'fingerprint', now() FROM agents;
    INSERT INTO event_losses (agent_id, spool_epoch, kind, verdict, reason, events)
        SELECT agent_id, '\\x00', 'exec', 'allow', 'spool full', 3 FROM agents;
    INSERT INTO rejected_events (agent_id, reason, record) SELECT agent_id, 'no UUID', '\\x0a' FROM agents;
    DO $$ DECLARE day date := (now() AT TIME ZONE 'UTC')::date;
    BEGIN
        EXECUTE format('CREATE TABLE %I PARTITION OF events FOR VALUES FROM (%L) TO (%L)', 'events_' || to_char(day, 'YYYYMMDD'),
                       day::text || ' 00:00:00+00', (day + 1)::text || ' 00:00:00+00');
    END $$;";
/// What the first release's writer does with a batch.
const BATCH: &str = "
    INSERT INTO events (event_id, agent_id, ts, received_at, pid, kind, verdict, server_verdict, severity, drift_reason,
                        drift_detected, policy_id, rule, resource, process_exe, cmdline)
        SELECT gen_random_uuid(), md5('1')::uuid, now(), now(), 7, 'exec', v.verdict, 'deny', 'low', v.reason, v.reason IS NOT NULL,
               md5('1'), 'net', '/bin/true', '/bin/sh', 'sh'
          FROM (VALUES ('allow'::event_verdict, 'verdict_differs'::drift_reason), ('deny', NULL), ('alert', NULL)) AS v (verdict, reason);
    INSERT INTO events_minute AS m (minute, shard, verdict, kind, events, drifts)
        VALUES (date_trunc('minute', now()), 0, 'allow', 'exec', 1, 1), (date_trunc('minute', now()), 0, 'deny', 'exec', 1, 0),
               (date_trunc('minute', now()), 0, 'alert', 'exec', 1, 0)
        ON CONFLICT (minute, shard, verdict, kind) DO UPDATE SET events = m.events + excluded.events, drifts = m.drifts + excluded.drifts;";
/// What else it writes in the life of a server.
const LIFE: [&str; 5] = [
    "UPDATE enrollment_tokens SET uses = uses + 1 WHERE token_id = 't0' AND uses < max_uses AND revoked_at IS NULL",
    "UPDATE agents SET last_seen = now(), posture = 'partial', spool_records = 1, cert_serial = 'renewed' WHERE name = 'host-1'",
    "UPDATE users SET password_hash = 'another' WHERE username = 'alice'",
    "UPDATE policy_assignments SET ended_at = now() WHERE ended_at IS NULL",
    "UPDATE discovered_agents SET ended_at = now() WHERE ended_at IS NULL",
];

/// Every row of these tables, with these columns of them.
async fn contents(conn: &mut PgConnection, columns: &BTreeMap<String, String>) -> BTreeMap<String, Vec<String>> {
    let mut contents = BTreeMap::new();
    for (table, columns) in columns {
        let sql = format!("SELECT t::text FROM (SELECT {columns} FROM {table}) AS t ORDER BY 1");
        let rows = sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_all(&mut *conn).await.expect("rows");
        contents.insert(table.clone(), rows);
    }
    contents
}

/// The columns of each table.
async fn columns(conn: &mut PgConnection) -> BTreeMap<String, String> {
    let sql = "SELECT c.relname::text, string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
                 FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
                  AND c.relname <> '_sqlx_migrations'
                GROUP BY 1";
    let rows = conn.fetch_all(sql).await.expect("columns");
    rows.into_iter().map(|row| (row.get(0), row.get(1))).collect()
}

#[tokio::test]
async fn the_first_release_is_migrated_without_a_loss_and_its_server_goes_on() {
    let db = TestDb::new().await;
    let mut conn = PgConnection::connect_with(&db.options()).await.expect("connected");
    conn.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public").await.expect("emptied");
    let all = Migrator::new(Path::new("../migrations")).await.expect("migrations");
    let first: Vec<_> = all.iter().filter(|migration| migration.version <= FIRST_RELEASE).cloned().collect();
    assert_eq!(first.len(), 1);
    Migrator::with_migrations(first).run(&mut conn).await.expect("the first release's schema");
    conn.execute(ROWS).await.expect("rows");
    conn.execute(BATCH).await.expect("a batch");
    let columns_then = columns(&mut conn).await;
    let before = contents(&mut conn, &columns_then).await;
    assert!(before.values().all(|rows| !rows.is_empty()), "a table without rows: {before:#?}");
    assert_eq!(before["events"].len(), 3);

    let owner = Owner::new(db.options());
    migrate::run(&owner).await.expect("migrated");
    assert_eq!(contents(&mut conn, &columns_then).await, before, "every row, in every column of the first release");
    // What was added counts what was there.
    let (events, drifts): (i64, i64) =
        sqlx::query_as("SELECT sum(events)::bigint, sum(drifts)::bigint FROM events_hour")
            .fetch_one(&mut conn)
            .await
            .expect("counted");
    assert_eq!((events, drifts), (3, 1));
    let serials: Vec<String> = sqlx::query_scalar("SELECT serial FROM agent_certificates ORDER BY 1")
        .fetch_all(&mut conn)
        .await
        .expect("asked");
    assert_eq!(serials, ["serial-1", "serial-2"]);
    migrate::run(&owner).await.expect("a second server that starts finds nothing to do");

    // The first release's server, which may still run: its statements, word by word.
    conn.execute(BATCH).await.expect("a batch of the older server");
    for sql in LIFE {
        let changed = conn.execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}")).rows_affected();
        assert!(changed > 0, "{sql}");
    }
    // Both see what it stored, and today's server works on: maintenance, the DELETE, a session's version.
    let now = Timestamp::now();
    let hour = jiff::SignedDuration::from_hours(2);
    let rates = stats::rate(&mut conn, now - hour, now).await.expect("rates");
    assert_eq!(rates.iter().map(|row| row.events).sum::<u64>(), 6);
    assert_eq!(stats::drift(&mut conn, now - hour, now, DriftBy::Agent, None).await.expect("drift")[0].drifts, 2);
    maintenance::run(&owner, now, 30).await.expect("maintained");
    let deleted = conn.execute("DELETE FROM events WHERE verdict = 'deny'").await.expect("deleted").rows_affected();
    assert_eq!(deleted, 2);
    let rates = stats::rate(&mut conn, now - hour, now).await.expect("rates");
    assert_eq!(rates.iter().map(|row| row.events).sum::<u64>(), 4);
    let version: i32 = sqlx::query_scalar("SELECT token_version FROM users").fetch_one(&mut conn).await.expect("asked");
    assert_eq!(version, 0);
    conn.close().await.expect("closed");
    db.drop().await;
}
