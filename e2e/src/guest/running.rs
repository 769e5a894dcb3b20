//! A command in a guest.

use std::io::{BufReader, Write};
use std::net::TcpStream;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use super::protocol::{Answer, Request};

/// Longest that a command may take whose end is waited for.
const COMMAND_MAX: Duration = Duration::from_mins(2);

/// A command that was started in a guest; dropping it kills it with its process group.
#[derive(Debug)]
pub struct Running {
    stream: TcpStream,
    answers: Receiver<Answer>,
    pid: i32,
    output: GuestOutput,
    ended: bool,
}

/// What a command said, and how it ended.
#[derive(Debug, Clone, Default)]
pub struct GuestOutput {
    /// How it ended; success while it runs.
    pub status: ExitStatus,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

impl GuestOutput {
    /// Standard output of a command that succeeded.
    ///
    /// # Errors
    ///
    /// It failed.
    pub fn text(self) -> Result<String> {
        ensure!(self.status.success(), "{}: {}{}", self.status, self.stdout, self.stderr);
        Ok(self.stdout)
    }
}

impl Running {
    pub(super) fn start(mut stream: TcpStream, request: &Request, stdin: &[u8]) -> Result<Self> {
        let mut bytes = serde_json::to_vec(request)?;
        bytes.push(b'\n');
        bytes.extend(stdin);
        stream.write_all(&bytes)?;
        let mut reader = BufReader::new(stream.try_clone()?);
        let (sender, answers) = channel();
        // Ends with the connection.
        std::thread::spawn(move || {
            while let Ok(answer) = Answer::read(&mut reader) {
                if sender.send(answer).is_err() {
                    return;
                }
            }
        });
        match answers.recv_timeout(COMMAND_MAX).context("no answer")? {
            Answer::Started(pid) => Ok(Self { stream, answers, pid, output: GuestOutput::default(), ended: false }),
            Answer::Failed(reason) => bail!("it can't be started: {reason}"),
            other => bail!("{other:?} came first"),
        }
    }

    /// Its process id in the guest.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Sends it and its process group a signal, by number.
    ///
    /// # Errors
    ///
    /// The guest is gone.
    pub fn signal(&mut self, signal: u8) -> Result<()> {
        Ok(self.stream.write_all(&[signal])?)
    }

    fn take(&mut self, answer: Answer) -> Result<()> {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        match answer {
            Answer::Stdout(bytes) => self.output.stdout += &text(bytes),
            Answer::Stderr(bytes) => self.output.stderr += &text(bytes),
            Answer::Ended(status) => {
                self.output.status = ExitStatus::from_raw(status);
                self.ended = true;
            }
            other => bail!("{other:?} was not expected"),
        }
        Ok(())
    }

    /// What it said until now; whether it ended is in [`Running::has_ended`].
    pub fn so_far(&mut self) -> &GuestOutput {
        while let Ok(answer) = self.answers.try_recv() {
            // What makes no sense is found out by whoever waits for the end.
            let _ = self.take(answer);
        }
        &self.output
    }

    /// Whether it ended.
    pub fn has_ended(&mut self) -> bool {
        self.so_far();
        self.ended
    }

    /// Waits for its end.
    ///
    /// # Errors
    ///
    /// It takes too long, or the guest is gone.
    pub fn finish(mut self) -> Result<GuestOutput> {
        let begun = Instant::now();
        while !self.ended {
            let left = COMMAND_MAX.saturating_sub(begun.elapsed());
            let answer =
                self.answers.recv_timeout(left).with_context(|| format!("no end; so far: {:?}", self.output))?;
            self.take(answer)?;
        }
        Ok(std::mem::take(&mut self.output))
    }
}
