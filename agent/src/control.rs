//! The control socket: how `tyrd status` and `tyrd run` speak to the running `tyrd`.
//!
//! A unix socket in the data folder, mode 0600, and only root is answered (`SO_PEERCRED`). One line of JSON is the question,
//! one line the answer, and that is all of a connection.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tracing::{info, warn};

use crate::status::Status;

pub mod client;

/// Name of the socket in the data folder.
pub const SOCKET: &str = "control.sock";
/// Longest question, in bytes.
const QUESTION_BYTES_MAX: u64 = 4096;
/// Longest that a question may take to arrive and an answer to leave.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Connections that are answered at a time; more wait.
const CONNECTIONS_MAX: usize = 16;

/// What can be asked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// How does it stand?
    Status,
    /// Make the asking process the root of a governed tree.
    Govern {
        /// Its agent type.
        agent_type: String,
    },
}

/// What is answered.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// How it stands.
    Status(Box<Status>),
    /// The asking process is governed from now on, and so is all that it starts.
    Governed,
    /// It could not be done.
    Failed {
        /// What and why.
        reason: String,
        /// What to do.
        hint: String,
    },
}

/// What answers are made of.
pub trait Host: Send + Sync + 'static {
    /// How it stands now.
    fn status(&self) -> Status;
    /// Makes a process the root of a governed tree.
    ///
    /// # Errors
    /// Reason and hint.
    fn govern(&self, pid: u32, agent_type: &str) -> Result<(), (String, String)>;
}

/// The socket, there until this is dropped.
#[derive(Debug)]
pub struct Control {
    listener: UnixListener,
    path: PathBuf,
}

impl Drop for Control {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

impl Control {
    /// Opens the socket in a folder that only root may enter, in the place of one that a killed `tyrd` left.
    pub fn open(path: &Path) -> io::Result<Self> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(path)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
        Ok(Self { listener, path: path.to_owned() })
    }

    /// Answers until the future is dropped.
    pub async fn serve(&self, host: Arc<dyn Host>) {
        let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        loop {
            let place = Arc::clone(&places).acquire_owned().await.expect("never closed");
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    let host = Arc::clone(&host);
                    tokio::spawn(async move {
                        if let Ok(Err(error)) = timeout(TIMEOUT, answer(stream, &*host)).await {
                            warn!(reason = %error, "a question on the control socket was not answered");
                        }
                        drop(place);
                    });
                }
                Err(error) => {
                    // Out of file descriptors, most likely: trying again at once would only burn a processor.
                    warn!(reason = %error, "the control socket does not accept");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }
}

async fn answer(mut stream: UnixStream, host: &dyn Host) -> io::Result<()> {
    let peer = stream.peer_cred()?;
    if peer.uid() != rustix::process::geteuid().as_raw() {
        return Err(io::Error::from(io::ErrorKind::PermissionDenied));
    }
    let (read, mut write) = stream.split();
    let mut line = String::new();
    BufReader::new(read.take(QUESTION_BYTES_MAX)).read_line(&mut line).await?;
    let failed = |reason: String, hint: &str| Answer::Failed { reason, hint: hint.to_owned() };
    let answer = match (serde_json::from_str(&line), peer.pid().and_then(|pid| u32::try_from(pid).ok())) {
        (Ok(Question::Status), _) => Answer::Status(Box::new(host.status())),
        (Ok(Question::Govern { agent_type }), Some(pid)) => match host.govern(pid, &agent_type) {
            Ok(()) => {
                info!(process.pid = pid, agent_type, "a process is governed at its own request");
                Answer::Governed
            }
            Err((reason, hint)) => Answer::Failed { reason, hint },
        },
        (Ok(Question::Govern { .. }), None) => {
            failed("the asking process is not known".to_owned(), "ask from this host")
        }
        (Err(error), _) => {
            failed(format!("the question was not understood: {error}"), "is this the tyrd that is running?")
        }
    };
    let mut text = serde_json::to_vec(&answer).expect("plain data");
    text.push(b'\n');
    write.write_all(&text).await
}

#[cfg(test)]
mod tests;
