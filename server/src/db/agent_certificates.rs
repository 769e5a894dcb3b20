//! Certificates that agents were given: which exist, and since when each is in use.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::db::DbError;

/// A certificate to be recorded.
#[derive(Debug)]
pub struct NewCertificate<'a> {
    /// Whose.
    pub agent_id: Uuid,
    /// PEM.
    pub pem: &'a str,
    /// Serial number, lower-case hex.
    pub serial: &'a str,
    /// Its end.
    pub not_after: Timestamp,
}

/// Records a renewed certificate as the agent's newest, and forgets those that ended before `forgotten_before`.
pub async fn add(
    conn: &mut PgConnection,
    certificate: &NewCertificate<'_>,
    forgotten_before: Timestamp,
) -> Result<(), DbError> {
    let NewCertificate { agent_id, pem, serial, not_after } = certificate;
    sqlx::query!(
        "UPDATE agents SET client_cert = $2, cert_serial = $3, cert_not_after = $4 WHERE agent_id = $1",
        agent_id,
        pem,
        serial,
        not_after.to_sqlx(),
    )
    .execute(&mut *conn)
    .await?;
    insert(&mut *conn, *agent_id, serial, *not_after).await?;
    sqlx::query!(
        "DELETE FROM agent_certificates WHERE agent_id = $1 AND not_after < $2",
        agent_id,
        forgotten_before.to_sqlx(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Records a certificate.
pub async fn insert(
    conn: &mut PgConnection,
    agent_id: Uuid,
    serial: &str,
    not_after: Timestamp,
) -> Result<(), DbError> {
    // One of an agent that enrolled at a server of the version before is added when it is first seen.
    sqlx::query!(
        "INSERT INTO agent_certificates (agent_id, serial, not_after) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        agent_id,
        serial,
        not_after.to_sqlx(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes that a certificate opened a stream. One that the table doesn't know yet, as a server of the version before gave it
/// out, is added.
pub async fn used(
    conn: &mut PgConnection,
    agent_id: Uuid,
    serial: &str,
    not_after: Timestamp,
    issued_at: Timestamp,
) -> Result<(), DbError> {
    sqlx::query!(
        "INSERT INTO agent_certificates AS c (agent_id, serial, not_after, issued_at, first_used_at)
         VALUES ($1, $2, $3, $4, now())
         ON CONFLICT (agent_id, serial) DO UPDATE SET first_used_at = now() WHERE c.first_used_at IS NULL",
        agent_id,
        serial,
        not_after.to_sqlx(),
        issued_at.to_sqlx(),
    )
    .execute(conn)
    .await?;
    Ok(())
}
