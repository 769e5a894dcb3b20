//! The thread that owns the `postgres` process: starts it, passes on what it logs, starts it again when it dies.
//!
//! PostgreSQL gets SIGINT (fast shutdown, the cluster stays clean) when the thread that started it ends, by
//! `PR_SET_PDEATHSIG`; the signal follows the thread, not the process, so this thread lives as long as the cluster.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use std::{io, thread};

use rustix::fd::OwnedFd;
use rustix::process::{
    Pid, PidfdFlags, Signal, getpid, getppid, pidfd_open, pidfd_send_signal, set_parent_process_death_signal,
};

/// Wait before the first restart; doubled for each further one up to the longest.
const BACKOFF_FIRST: Duration = Duration::from_millis(100);
const BACKOFF_MAX: Duration = Duration::from_secs(10);
/// A process that lived this long resets the back-off.
const HEALTHY_AFTER: Duration = Duration::from_mins(1);
/// Time for a clean shutdown, and for any, where nobody says otherwise.
const CLEAN_STOP: Duration = Duration::from_secs(7);
const STOP: Duration = Duration::from_secs(8);
/// Before the last moment the process is killed.
const KILL_AHEAD: Duration = Duration::from_millis(300);
/// Last lines of the log that are kept to explain a failed start.
const LOG_LINES_KEPT: usize = 8;

/// The running process, seen from other threads.
#[derive(Debug, Default)]
struct State {
    /// A handle that can't hit another process, even after this one is gone.
    process: Option<OwnedFd>,
    stopping: bool,
    /// How often the process ended by itself.
    deaths: u32,
    log: VecDeque<String>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is valid between any two statements, so a panic elsewhere doesn't spoil it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps one `postgres` running until it is stopped or dropped.
#[derive(Debug)]
pub(crate) struct Supervisor {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Supervisor {
    /// Starts the thread; `command` makes the process's command line anew for each start.
    pub(crate) fn start(command: impl Fn() -> Command + Send + 'static) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let thread = thread::Builder::new().name("postgres-supervisor".to_owned()).spawn({
            let shared = Arc::clone(&shared);
            move || supervise(&shared, &command)
        })?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// How often the process ended by itself.
    pub(crate) fn deaths(&self) -> u32 {
        self.shared.lock().deaths
    }

    /// The last lines that it logged.
    pub(crate) fn last_words(&self) -> Vec<String> {
        self.shared.lock().log.iter().cloned().collect()
    }

    /// Stops the process and waits for it: cleanly until `clean_until`, then with recovery at the next start, killed shortly
    /// before `until`.
    pub(crate) fn stop(&mut self, clean_until: Instant, until: Instant) {
        let Some(thread) = self.thread.take() else { return };
        {
            let mut state = self.shared.lock();
            state.stopping = true;
            // What its clients are at is cut off; what they have not committed is rolled back.
            signal(&state, Signal::INT);
            self.shared.changed.notify_all();
            let mut state = self.wait_until(state, clean_until);
            if state.process.is_some() {
                tracing::warn!("PostgreSQL did not stop in time and is told to quit at once");
                signal(&state, Signal::QUIT);
                state = self.wait_until(state, until.checked_sub(KILL_AHEAD).unwrap_or(until));
            }
            if state.process.is_some() {
                tracing::warn!("PostgreSQL did not quit and is killed");
                signal(&state, Signal::KILL);
                // A process in an endless write to a broken disk can't even be killed. Nobody waits for that.
                return;
            }
        }
        let _ = thread.join();
    }

    fn wait_until<'a>(&self, state: MutexGuard<'a, State>, until: Instant) -> MutexGuard<'a, State> {
        let left = until.saturating_duration_since(Instant::now());
        let (state, _) = self
            .shared
            .changed
            .wait_timeout_while(state, left, |state| state.process.is_some())
            .unwrap_or_else(PoisonError::into_inner);
        state
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        let now = Instant::now();
        self.stop(now + CLEAN_STOP, now + STOP);
    }
}

fn signal(state: &State, signal: Signal) {
    if let Some(process) = &state.process {
        // The one possible error is that it is gone already.
        let _ = pidfd_send_signal(process, signal);
    }
}

fn supervise(shared: &Arc<Shared>, command: &impl Fn() -> Command) {
    let mut backoff = BACKOFF_FIRST;
    loop {
        let started = Instant::now();
        match spawn(shared, command()) {
            Ok(None) => return,
            Ok(Some(mut child)) => {
                let log = follow_log(shared, &mut child);
                let status = child.wait();
                let mut state = shared.lock();
                state.process = None;
                shared.changed.notify_all();
                if state.stopping {
                    drop(state);
                    let _ = log.map(JoinHandle::join);
                    return;
                }
                drop(state);
                let _ = log.map(JoinHandle::join);
                match status {
                    Ok(status) => tracing::error!(%status, "PostgreSQL ended by itself and is started again"),
                    Err(error) => tracing::error!(%error, "PostgreSQL was lost and is started again"),
                }
            }
            Err(error) => {
                let mut state = shared.lock();
                remember(&mut state, format!("starting it failed: {error}"));
                tracing::error!(%error, "PostgreSQL could not be started");
            }
        }
        if started.elapsed() > HEALTHY_AFTER {
            backoff = BACKOFF_FIRST;
        }
        let mut state = shared.lock();
        state.deaths += 1;
        let (state, _) = shared
            .changed
            .wait_timeout_while(state, backoff, |state| !state.stopping)
            .unwrap_or_else(PoisonError::into_inner);
        if state.stopping {
            return;
        }
        backoff = (backoff * 2).min(BACKOFF_MAX);
    }
}

/// Starts the process, unless it is to stop.
fn spawn(shared: &Shared, mut command: Command) -> io::Result<Option<Child>> {
    let parent = getpid();
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    // Ctrl-C in a terminal is for the server, which stops the database last.
    command.process_group(0);
    // SAFETY: between fork and exec only system calls are made, no memory is allocated and no lock is taken. The closure runs
    // after std has changed the user, which would clear the signal.
    unsafe {
        command.pre_exec(move || {
            set_parent_process_death_signal(Some(Signal::INT))?;
            // The parent may have gone before the signal was set.
            if getppid() == Some(parent) {
                Ok(())
            } else {
                Err(io::Error::from_raw_os_error(rustix::io::Errno::SRCH.raw_os_error()))
            }
        });
    }
    // Held over the start, so that a stop can't slip in between start and `process`.
    let mut state = shared.lock();
    if state.stopping {
        return Ok(None);
    }
    let mut child = command.spawn()?;
    let pidfd = i32::try_from(child.id())
        .ok()
        .and_then(Pid::from_raw)
        .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))
        .and_then(|pid| Ok(pidfd_open(pid, PidfdFlags::empty())?));
    match pidfd {
        Ok(pidfd) => state.process = Some(pidfd),
        Err(error) => {
            let _ = child.kill();
            let _ = child.wait();
            return Err(error);
        }
    }
    Ok(Some(child))
}

/// Passes the process's log lines on.
fn follow_log(shared: &Arc<Shared>, child: &mut Child) -> Option<JoinHandle<()>> {
    let stderr = child.stderr.take()?;
    let shared = Arc::clone(shared);
    thread::Builder::new()
        .name("postgres-log".to_owned())
        .spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                tracing::debug!(target: "tyr_server::embedded::postgres", "{line}");
                remember(&mut shared.lock(), line);
            }
        })
        .ok()
}

fn remember(state: &mut State, line: String) {
    if state.log.len() == LOG_LINES_KEPT {
        state.log.pop_front();
    }
    state.log.push_back(line);
}
