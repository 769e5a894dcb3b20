//! SIGTERM and SIGINT: the first stops the server in order, the second at once.

use std::io;
use std::process;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Exit statuses as shells give them: 128 and the signal's number.
const KILLED_BY_INT: i32 = 130;
const KILLED_BY_TERM: i32 = 143;

/// Waits for signals and acts on them, from now on.
///
/// The second signal ends the process where it stands. That loses nothing: what is not committed is not acknowledged, and the
/// private database is told to stop by the kernel when the server is gone.
///
/// # Errors
/// When the process may not handle signals.
pub fn watch(shutdown: CancellationToken) -> io::Result<()> {
    let mut term = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        either(&mut term, &mut interrupt).await;
        shutdown.cancel();
        let status = either(&mut term, &mut interrupt).await;
        tracing::warn!("told to stop a second time: stopping at once");
        process::exit(status);
    });
    Ok(())
}

async fn either(term: &mut Signal, interrupt: &mut Signal) -> i32 {
    tokio::select! {
        _ = term.recv() => KILLED_BY_TERM,
        _ = interrupt.recv() => KILLED_BY_INT,
    }
}
