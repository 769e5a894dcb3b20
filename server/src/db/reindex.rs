//! Indexes of closed days built anew: under late events a b-tree holds much air, and nothing fills it any more.

use sqlx::{AssertSqlSafe, PgConnection};

use crate::db::{DbError, partitions};

/// Removes half-built indexes that a rebuild left which was cut short. Answers their names.
pub async fn clean_up(conn: &mut PgConnection) -> Result<Vec<String>, DbError> {
    let rows = sqlx::query!(
        r#"SELECT i.relname AS "index!", t.relname AS "table!"
             FROM pg_index x
             JOIN pg_class i ON i.oid = x.indexrelid
             JOIN pg_class t ON t.oid = x.indrelid
             JOIN pg_inherits h ON h.inhrelid = t.oid AND h.inhparent = 'events'::regclass
            WHERE NOT x.indisvalid AND i.relname ~ '_cc(new|old)[0-9]*$'"#
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut removed = Vec::new();
    for row in rows.into_iter().filter(|row| partitions::parse(&row.table).is_some()) {
        execute(conn, format!("DROP INDEX CONCURRENTLY {}", quoted(&row.index))).await?;
        removed.push(row.index);
    }
    Ok(removed)
}

/// Builds an index anew while the table is read and written. Answers its new size in bytes.
pub async fn rebuild(conn: &mut PgConnection, index: &str) -> Result<u64, DbError> {
    // It waits for transactions that are older, as long as they take; nobody waits for it.
    execute(conn, "SET lock_timeout = 0".to_owned()).await?;
    execute(conn, format!("REINDEX INDEX CONCURRENTLY {}", quoted(index))).await?;
    let bytes = sqlx::query_scalar!(r#"SELECT pg_relation_size(to_regclass(quote_ident($1))) AS "bytes?""#, index)
        .fetch_one(conn)
        .await?;
    Ok(u64::try_from(bytes.unwrap_or(0)).unwrap_or(0))
}

/// Sent as it is: these statements can't run in a transaction.
async fn execute(conn: &mut PgConnection, sql: String) -> Result<(), DbError> {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(conn).await?;
    Ok(())
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
