//! `tyr-server backup`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::archive::{DUMP, MANIFEST, Writer};
use super::{BackupError, Database, Done, FORMAT, Manifest, file_error, postgres_major, programs, rows};
use crate::VERSION;
use crate::args::BackupArgs;
use crate::db::migrate::{self, Versions};

/// Largest file of the data directory that is taken along: they are keys and certificates.
pub(super) const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Writes everything that a server needs into one file, while the server may run. `progress` hears what is being done.
///
/// # Errors
/// Nothing is left behind then, and an older file of that name is untouched.
pub async fn backup(args: BackupArgs, progress: impl Fn(&str) + Send + Sync + 'static) -> Result<Done, BackupError> {
    let progress = Arc::new(progress);
    if args.file.exists() && !args.force {
        return Err(BackupError::Exists(args.file));
    }
    progress("connecting");
    let database = Database::open(&args.database, args.pg_bin.clone(), None, false).await?;
    let result = save(&args, &database, progress).await;
    database.close().await;
    result
}

async fn save(
    args: &BackupArgs,
    database: &Database,
    progress: Arc<impl Fn(&str) + Send + Sync + 'static>,
) -> Result<Done, BackupError> {
    let mut conn = database.connect().await?;
    let postgres_major = postgres_major(&mut conn).await?;
    let program = programs::find("pg_dump", database, postgres_major)?;
    // One snapshot for the numbers and for the dump; it lasts as long as this transaction.
    let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = 0; \
                 SET LOCAL idle_in_transaction_session_timeout = 0";
    sqlx::raw_sql(begin).execute(&mut conn).await?;
    let snapshot: String = sqlx::query_scalar("SELECT pg_export_snapshot()").fetch_one(&mut conn).await?;
    let Some(Versions { newest, floor }) = migrate::versions(&mut conn).await? else {
        return Err(BackupError::NoSchema);
    };
    progress("counting rows");
    let manifest = Manifest {
        format: FORMAT,
        tyr_version: VERSION.to_owned(),
        created_at: Timestamp::now(),
        postgres_major,
        schema_newest: newest,
        schema_floor: floor,
        rows: rows(&mut conn).await?,
    };
    let mut command = programs::command(&program, database);
    command
        .args(["--format=custom", "--verbose", "--no-owner", "--no-privileges"])
        .arg(format!("--snapshot={snapshot}"))
        .arg(format!("--dbname={}", database.url));
    let (file, data_dir) = (args.file.clone(), args.database.data_dir.clone());
    let made = {
        let manifest = manifest.clone();
        tokio::task::spawn_blocking(move || write(&file, &data_dir, &manifest, command, &progress)).await
    };
    end(conn).await;
    let (files, bytes) = made.expect("writing does not panic")?;
    Ok(Done { manifest, files, bytes })
}

/// The transaction has read only, so a failure here changes nothing.
async fn end(mut conn: PgConnection) {
    let _ = sqlx::raw_sql(AssertSqlSafe("ROLLBACK")).execute(&mut conn).await;
    let _ = conn.close().await;
}

fn write(
    file: &Path,
    data_dir: &Path,
    manifest: &Manifest,
    command: Command,
    progress: &Arc<impl Fn(&str) + Send + Sync + 'static>,
) -> Result<(Vec<String>, u64), BackupError> {
    let mut name = file.as_os_str().to_owned();
    name.push(".part");
    let part = PathBuf::from(name);
    let result = write_part(&part, data_dir, manifest, command, progress);
    let result = result.and_then(|done| {
        fs::rename(&part, file).map_err(file_error("renaming", &part))?;
        // The new name is on disk once its folder is.
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(file_error("writing", folder))?;
        Ok(done)
    });
    if result.is_err() {
        let _ = fs::remove_file(&part);
    }
    result
}

fn write_part(
    part: &Path,
    data_dir: &Path,
    manifest: &Manifest,
    mut command: Command,
    progress: &Arc<impl Fn(&str) + Send + Sync + 'static>,
) -> Result<(Vec<String>, u64), BackupError> {
    let mut archive = Writer::create(part).map_err(file_error("making", part))?;
    let text = serde_json::to_vec_pretty(manifest).expect("plain data");
    archive.append(MANIFEST, &text).map_err(file_error("writing", part))?;
    let files = files(data_dir)?;
    for (name, path) in &files {
        let bytes = fs::read(path).map_err(file_error("reading", path))?;
        archive.append(name, &bytes).map_err(file_error("writing", part))?;
    }
    let started = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = started.map_err(|error| BackupError::Program { program: "pg_dump", said: error.to_string() })?;
    let written = Arc::new(AtomicU64::new(0));
    let said = programs::listen(&mut child, {
        let (progress, written, tables) = (Arc::clone(progress), Arc::clone(&written), manifest.rows.len());
        let mut table = 0;
        move |line| {
            if let Some(name) = line.split_once("dumping contents of table ").map(|(_, name)| name) {
                table += 1;
                let mib = written.load(Ordering::Relaxed) >> 20;
                progress(&format!("table {table} of {tables}, {mib} MiB written: {}", name.trim_matches('"')));
            }
        }
    });
    let mut output = child.stdout.take().expect("a pipe was asked for");
    let copied = archive.append_stream(DUMP, &mut output, |bytes| written.store(bytes, Ordering::Relaxed));
    drop(output);
    if copied.is_err() {
        let _ = child.kill();
    }
    let finished = programs::finish("pg_dump", child, said);
    copied.map_err(file_error("writing", part))?;
    finished?;
    let bytes = archive.finish().map_err(file_error("writing", part))?;
    Ok((files.into_iter().map(|(name, _)| name).collect(), bytes))
}

/// Keys, certificates and tokens: the plain files of the data directory that aren't passing.
fn files(data_dir: &Path) -> Result<Vec<(String, PathBuf)>, BackupError> {
    let mut files = Vec::new();
    for entry in fs::read_dir(data_dir).map_err(file_error("reading", data_dir))? {
        let entry = entry.map_err(file_error("reading", data_dir))?;
        let (path, meta) = (entry.path(), entry.metadata().map_err(file_error("reading", &entry.path()))?);
        let Some(name) = entry.file_name().to_str().map(str::to_owned) else { continue };
        let extension = path.extension().unwrap_or_default();
        let passing = name.starts_with('.') || extension == "lock" || extension == "new";
        if meta.is_file() && meta.len() <= FILE_BYTES_MAX && !passing && name != MANIFEST && name != DUMP {
            files.push((name, path));
        }
    }
    files.sort();
    Ok(files)
}
