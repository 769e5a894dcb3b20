//! `tyr-server restore`.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sqlx::{Connection, PgConnection};

use super::archive::{DUMP, MANIFEST};
use super::dump::FILE_BYTES_MAX;
use super::{BackupError, Database, Done, FORMAT, Manifest, file_error, postgres_major, programs, rows};
use crate::args::{DatabaseArgs, RestoreArgs};
use crate::db::migrate;
use crate::serve;

/// Takes away what is in the schema `public`, extensions and what belongs to them aside; nothing if there is nothing.
const DROP_EVERYTHING: &str = r"
SET client_min_messages = warning;
DO $tyr$
DECLARE name text;
BEGIN
    FOR name IN SELECT format('%I', c.relname) FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
    LOOP EXECUTE 'DROP TABLE public.' || name || ' CASCADE'; END LOOP;
    FOR name IN SELECT format('%I', c.relname) FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'v'
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
    LOOP EXECUTE 'DROP VIEW IF EXISTS public.' || name || ' CASCADE'; END LOOP;
    FOR name IN SELECT format('%I', c.relname) FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'S'
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
    LOOP EXECUTE 'DROP SEQUENCE IF EXISTS public.' || name || ' CASCADE'; END LOOP;
    FOR name IN SELECT p.oid::regprocedure::text FROM pg_proc p
        WHERE p.pronamespace = 'public'::regnamespace
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
    LOOP EXECUTE 'DROP ROUTINE ' || name || ' CASCADE'; END LOOP;
    FOR name IN SELECT format('%I', t.typname) FROM pg_type t
        WHERE t.typnamespace = 'public'::regnamespace AND t.typtype IN ('e', 'd')
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = t.oid AND d.deptype = 'e')
    LOOP EXECUTE 'DROP TYPE IF EXISTS public.' || name || ' CASCADE'; END LOOP;
END
$tyr$;
";

/// Files that are restored beside the database, not in their place yet.
struct Staged(Vec<(String, PathBuf)>);

impl Drop for Staged {
    fn drop(&mut self) {
        for (_, path) in &self.0 {
            let _ = fs::remove_file(path);
        }
    }
}

/// Puts everything back that [`super::backup`] wrote. The server must not run. `progress` hears what is being done.
///
/// # Errors
/// The database is as before then (one transaction), and so are the files; only [`BackupError::RowsDiffer`] tells of a
/// database that was replaced.
pub async fn restore(args: RestoreArgs, progress: impl Fn(&str) + Send + Sync + 'static) -> Result<Done, BackupError> {
    let (manifest, bytes) = read_manifest(&args.file)?;
    if manifest.format > FORMAT {
        return Err(BackupError::TooNew { made_by: manifest.tyr_version, source: None });
    }
    if let Err(error) = migrate::check(manifest.schema_floor) {
        return Err(BackupError::TooNew { made_by: manifest.tyr_version, source: Some(error) });
    }
    let data_dir = &args.database.data_dir;
    serve::prepare_data_dir(data_dir).map_err(file_error("using", data_dir))?;
    if !args.force {
        let there: Vec<_> = ["ca.key", "jwt.key"].into_iter().filter(|name| data_dir.join(name).exists()).collect();
        if !there.is_empty() {
            return Err(BackupError::NotEmpty(format!("{} in {}", there.join(" and "), data_dir.display())));
        }
    }
    progress("opening the database");
    let database = Database::open(&args.database, args.pg_bin.clone(), args.pg_user.clone(), true).await?;
    let result = load(&args, &database, manifest, bytes, progress).await;
    database.close().await;
    result
}

async fn load(
    args: &RestoreArgs,
    database: &Database,
    manifest: Manifest,
    bytes: u64,
    progress: impl Fn(&str) + Send + Sync + 'static,
) -> Result<Done, BackupError> {
    let mut conn = database.connect().await?;
    let here = postgres_major(&mut conn).await?;
    if here < manifest.postgres_major {
        return Err(BackupError::OldPostgres { from: manifest.postgres_major, here });
    }
    check_free(&mut conn, args.force).await?;
    let pg_restore = programs::find("pg_restore", database, manifest.postgres_major)?;
    let psql = programs::find("psql", database, here)?;
    let mut script = programs::command(&pg_restore, database);
    script.args(["--no-owner", "--no-privileges", "--file=-"]);
    let mut run = programs::command(&psql, database);
    run.args(["--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1", "--output=/dev/null"]);
    run.arg(format!("--dbname={}", database.url));
    progress("restoring the database, in one transaction");
    let (file, database_args) = (args.file.clone(), args.database.clone());
    let staged = tokio::task::spawn_blocking(move || read(&file, &database_args, script, run)).await;
    let staged = staged.expect("reading does not panic")?;
    progress("comparing rows");
    let restored = rows(&mut conn).await?;
    conn.close().await?;
    for (table, &saved) in &manifest.rows {
        let restored = restored.get(table).copied().unwrap_or_default();
        if restored != saved {
            return Err(BackupError::RowsDiffer { table: table.clone(), saved, restored });
        }
    }
    progress("putting keys in place");
    let data_dir = &args.database.data_dir;
    let mut files = Vec::new();
    for (name, path) in &staged.0 {
        fs::rename(path, data_dir.join(name)).map_err(file_error("renaming", path))?;
        files.push(name.clone());
    }
    File::open(data_dir).and_then(|folder| folder.sync_all()).map_err(file_error("writing", data_dir))?;
    Ok(Done { manifest, files, bytes })
}

/// Nobody works on the database, and nothing of value is in it unless it may be replaced.
async fn check_free(conn: &mut PgConnection, force: bool) -> Result<(), BackupError> {
    let servers = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM pg_stat_activity
           WHERE datname = current_database() AND application_name LIKE 'tyr-server%' AND pid <> pg_backend_pid()"#
    );
    if servers.fetch_one(&mut *conn).await? > 0 {
        return Err(BackupError::ServerRuns);
    }
    let tables = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM pg_class
           WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition"#
    );
    let tables = tables.fetch_one(conn).await?;
    if tables > 0 && !force {
        return Err(BackupError::NotEmpty(format!("the database has {tables} tables")));
    }
    Ok(())
}

fn read_manifest(file: &Path) -> Result<(Manifest, u64), BackupError> {
    let opened = File::open(file).map_err(file_error("opening", file))?;
    let bytes = opened.metadata().map_err(file_error("opening", file))?.len();
    let not_ours = |why: String| BackupError::NotABackup { path: file.to_owned(), why };
    let mut archive = tar::Archive::new(opened);
    let mut entries = archive.entries().map_err(|error| not_ours(error.to_string()))?;
    let first = entries.next().ok_or_else(|| not_ours("it is empty".to_owned()))?;
    let first = first.map_err(|error| not_ours(error.to_string()))?;
    if first.path_bytes().as_ref() != MANIFEST.as_bytes() || first.size() > FILE_BYTES_MAX {
        return Err(not_ours(format!("it does not begin with {MANIFEST}")));
    }
    let manifest = serde_json::from_reader(first).map_err(|error| not_ours(format!("{MANIFEST}: {error}")))?;
    Ok((manifest, bytes))
}

/// Stages the files and runs the dump through `pg_restore` and `psql`.
fn read(file: &Path, args: &DatabaseArgs, script: Command, run: Command) -> Result<Staged, BackupError> {
    let not_ours = |why: String| BackupError::NotABackup { path: file.to_owned(), why };
    let opened = File::open(file).map_err(file_error("opening", file))?;
    let mut archive = tar::Archive::new(opened);
    let mut staged = Staged(Vec::new());
    let owner = fs::metadata(&args.data_dir).map_err(file_error("reading", &args.data_dir))?;
    let mut pipeline = Some((script, run));
    for entry in archive.entries().map_err(|error| not_ours(error.to_string()))? {
        let mut entry = entry.map_err(|error| not_ours(error.to_string()))?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if name == MANIFEST {
            continue;
        }
        if name == DUMP {
            let (script, run) = pipeline.take().ok_or_else(|| not_ours(format!("it has two entries {DUMP}")))?;
            restore_dump(&mut entry, script, run)?;
            continue;
        }
        // A name is a plain one, so that no archive writes anywhere else.
        if name.contains('/') || name.starts_with('.') || entry.size() > FILE_BYTES_MAX {
            return Err(not_ours(format!("it has an entry `{}`", name.escape_default())));
        }
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(|error| not_ours(error.to_string()))?;
        let path = args.data_dir.join(format!("{name}.new"));
        let _ = fs::remove_file(&path);
        let new = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        let mut new = new.map_err(file_error("making", &path))?;
        staged.0.push((name, path.clone()));
        new.write_all(&bytes).and_then(|()| new.sync_all()).map_err(file_error("writing", &path))?;
        // Root restores for the service's user, whom the folder belongs to.
        if rustix::process::geteuid().is_root() {
            chown(&path, Some(owner.uid()), Some(owner.gid())).map_err(file_error("changing the owner of", &path))?;
        }
    }
    if pipeline.is_some() {
        return Err(not_ours(format!("it has no entry {DUMP}")));
    }
    Ok(staged)
}

fn restore_dump(dump: &mut impl Read, mut script: Command, mut run: Command) -> Result<(), BackupError> {
    let spawn = |command: &mut Command, program: &'static str| {
        let started = command.stdin(Stdio::piped()).stderr(Stdio::piped()).stdout(Stdio::piped()).spawn();
        started.map_err(|error| BackupError::Program { program, said: error.to_string() })
    };
    let mut psql = spawn(&mut run, "psql")?;
    let psql_said = programs::listen(&mut psql, |_| {});
    let mut psql_in = psql.stdin.take().expect("a pipe was asked for");
    let mut pg_restore = match spawn(&mut script, "pg_restore") {
        Ok(child) => child,
        Err(error) => {
            let _ = psql.kill();
            let _ = psql.wait();
            return Err(error);
        }
    };
    let pg_restore_said = programs::listen(&mut pg_restore, |_| {});
    let mut sql = pg_restore.stdout.take().expect("a pipe was asked for");
    let mut dump_in = pg_restore.stdin.take().expect("a pipe was asked for");
    // One thread passes the script on, this one feeds the dump.
    let (pumped, fed) = std::thread::scope(|scope| {
        let pump = scope.spawn(move || {
            psql_in.write_all(DROP_EVERYTHING.as_bytes())?;
            std::io::copy(&mut sql, &mut psql_in)?;
            Ok::<_, std::io::Error>(psql_in)
        });
        let fed = std::io::copy(dump, &mut dump_in);
        drop(dump_in);
        (pump.join().expect("copying does not panic"), fed)
    });
    let restored = programs::finish("pg_restore", pg_restore, pg_restore_said);
    // A script that is cut off must not be committed: psql commits at the end of its input.
    if restored.is_err() || fed.is_err() || pumped.is_err() {
        let refused = if pumped.is_err() { Some(psql_said.join().unwrap_or_default()) } else { None };
        let _ = psql.kill();
        let _ = psql.wait();
        if let Some(said) = refused.filter(|said| !said.is_empty()) {
            return Err(BackupError::Program { program: "psql", said });
        }
        restored?;
        let error = fed.err().map_or_else(|| "the script was cut off".to_owned(), |error| error.to_string());
        return Err(BackupError::Program { program: "pg_restore", said: error });
    }
    drop(pumped);
    programs::finish("psql", psql, psql_said)
}
