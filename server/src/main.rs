//! `tyr-server`: the control plane. See `tyr-server --help`.

use std::error::Error;
use std::fmt::Write as _;
use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use clap::Parser;
use tokio_util::sync::CancellationToken;
use tyr_server::args::{Cli, Command, DatabaseArgs, DbCommand, LogFormat, ServeArgs, wrong_usage};
use tyr_server::backup::{self, BackupError, Done};
use tyr_server::config::{Config, Database};
use tyr_server::serve::{BootError, Server};
use tyr_server::{admin, embedded, files, signals, supervision, telemetry};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        // Help and version, which clap prints by itself.
        Err(error) if !error.use_stderr() => error.exit(),
        Err(error) => {
            let (what, hint) = wrong_usage(&error);
            return fail(&*Box::<dyn Error>::from(what), &hint, ExitCode::from(2));
        }
    };
    match cli.command {
        None => serve(cli.serve),
        Some(Command::Serve(args)) => serve(*args),
        Some(Command::Backup(args)) => archive("saved", |progress| backup::backup(*args, progress)),
        Some(Command::Restore(args)) => archive("restored", |progress| backup::restore(*args, progress)),
        Some(Command::Db { command: DbCommand::Url(args) }) => db_url(&args),
        Some(Command::Db { command }) => db(&command),
    }
}

fn db_url(args: &DatabaseArgs) -> ExitCode {
    let url = match Database::new(args, None, None) {
        Database::Url { url, .. } => url.expose().to_owned(),
        Database::Embedded { .. } => embedded::url(&args.data_dir),
    };
    match writeln!(std::io::stdout(), "{url}") {
        Ok(()) => ExitCode::SUCCESS,
        // Nobody reads on.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => fail(&error, "see that standard output can be written to", ExitCode::FAILURE),
    }
}

/// Runs a backup or a restore: what it is at goes to standard error, what was done to standard output.
fn archive<F>(verb: &str, run: impl FnOnce(Box<dyn Fn(&str) + Send + Sync>) -> F) -> ExitCode
where
    F: Future<Output = Result<Done, BackupError>>,
{
    let _ = telemetry::init(LogFormat::Text);
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error, "see the limits on threads and open files", ExitCode::FAILURE),
    };
    let terminal = std::io::stderr().is_terminal();
    // On a terminal one line that changes; in a log a line for each step.
    let progress = move |text: &str| {
        let _ =
            if terminal { write!(std::io::stderr(), "\r\x1b[K{text}") } else { writeln!(std::io::stderr(), "{text}") };
    };
    let result = runtime.block_on(run(Box::new(progress)));
    if terminal {
        let _ = write!(std::io::stderr(), "\r\x1b[K");
    }
    match result {
        Ok(Done { manifest, files, bytes }) => {
            let rows: i64 = manifest.rows.values().sum();
            let tables = manifest.rows.len();
            let _ = writeln!(
                std::io::stdout(),
                "{verb}: {rows} rows in {tables} tables, {} ({} KiB, made by tyr-server {} at {})",
                files.join(", "),
                bytes.div_ceil(1024),
                manifest.tyr_version,
                manifest.created_at,
            );
            ExitCode::SUCCESS
        }
        Err(error) => fail(&error, &error.hint(), ExitCode::FAILURE),
    }
}

/// Works on the database.
fn db(command: &DbCommand) -> ExitCode {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error, "see the limits on threads and open files", ExitCode::FAILURE),
    };
    let result = runtime.block_on(async {
        match command {
            DbCommand::Url(_) => Ok(()),
            DbCommand::Status(args) => admin::status(args).await,
            DbCommand::Retention(args) => admin::retention(args).await,
            DbCommand::Reindex(args) => admin::reindex(args).await,
        }
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let code = if error.is_usage() { ExitCode::from(2) } else { ExitCode::FAILURE };
            fail(&error, &error.hint(), code)
        }
    }
}

fn serve(args: ServeArgs) -> ExitCode {
    if let Err(message) = telemetry::init(args.log_format) {
        return fail(
            &*Box::<dyn Error>::from(message),
            "it looks like tyr_server=info,sqlx=warn,tower_http=info",
            ExitCode::from(2),
        );
    }
    files::raise_limit();
    // The one provider; an error means that it is installed already.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error, "see the limits on threads and open files", ExitCode::FAILURE),
    };
    match runtime.block_on(run(Config::from(args))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error, &error.hint(), ExitCode::FAILURE),
    }
}

async fn run(config: Config) -> Result<(), BootError> {
    let shutdown = CancellationToken::new();
    // Before anything is started, so that a signal during the boot stops it cleanly too.
    if let Err(error) = signals::watch(shutdown.clone()) {
        tracing::error!(%error, "signals can't be waited for; the server stops only when it is killed");
    }
    let server = tokio::select! {
        server = Server::start(config) => server?,
        () = shutdown.cancelled() => return Ok(()),
    };
    let address =
        |address: std::io::Result<std::net::SocketAddr>| address.map(|address| address.to_string()).unwrap_or_default();
    tracing::info!(
        version = tyr_server::VERSION,
        rest.address = address(server.rest_address()),
        grpc.address = address(server.grpc_address()),
        ca.sha256 = server.app().pki.ca_sha256(),
        "serving"
    );
    supervision::ready();
    server.run(shutdown).await
}

/// Says what happened, why, and what to do.
fn fail(error: &dyn Error, hint: &str, code: ExitCode) -> ExitCode {
    let mut said = error.to_string();
    let what = said.clone();
    let mut causes = Vec::new();
    let mut cause = error.source();
    while let Some(error) = cause {
        let line = error.to_string();
        // Some libraries repeat the cause in their own text.
        if !said.contains(&line) {
            causes.push(line.clone());
            said = line;
        }
        cause = error.source();
    }
    let text = if telemetry::is_json() {
        // Whoever reads the log as JSON reads its last line so too.
        let line = serde_json::json!({
            "timestamp": jiff::Timestamp::now().to_string(),
            "level": "ERROR",
            "message": what,
            "cause": causes.join(": "),
            "hint": hint,
            "target": "tyr_server",
        });
        format!("{line}\n")
    } else {
        let mut text = format!("error: {what}\n");
        for cause in causes {
            let _ = writeln!(text, "cause: {cause}");
        }
        let _ = writeln!(text, "hint: {hint}");
        text
    };
    // Nobody to tell if that fails.
    let _ = std::io::stderr().write_all(text.as_bytes());
    code
}
