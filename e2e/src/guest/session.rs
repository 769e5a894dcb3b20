//! An attacker that stays: it is asked one attempt after the other, whatever becomes of its guard meanwhile.

use std::time::Duration;

use super::{Guest, Running};
use crate::wait_for;

/// Longest wait for an answer.
const LIMIT: Duration = Duration::from_mins(1);

/// A running `tyr-attacker` that reads its lines from a pipe in the guest.
#[derive(Debug)]
pub struct Session<'g> {
    guest: &'g Guest,
    running: Running,
    pipe: String,
    answered: usize,
}

impl<'g> Session<'g> {
    /// Starts `tyr-attacker MODE` as `program`, by `before`, commands that each start the next. `name` is the pipe's.
    pub fn start(guest: &'g Guest, name: &str, before: &[&str], program: &str, mode: &str) -> Self {
        let pipe = format!("/tmp/{name}");
        guest.shell(&format!("mkfifo {pipe}")).expect("a pipe");
        // Open for writing too, so that its input does not end with the first who writes.
        let script = "exec 9<>\"$0\"; exec \"$@\" <&9";
        let mut command: Vec<&str> = before.to_vec();
        command.extend(["/bin/sh", "-euc", script, &pipe, program, mode]);
        let running = guest.start(&command, &[], &[]).expect("it starts");
        Self { guest, running, pipe, answered: 0 }
    }

    /// Writes a line to it.
    pub fn tell(&self, line: &str) {
        self.guest.shell(&format!("echo '{line}' >{}", self.pipe)).expect("it reads");
    }

    /// What it says next.
    pub fn hear(&mut self) -> String {
        let line = wait_for("an answer", LIMIT, || {
            let said = self.running.so_far();
            // A line is there when it is whole.
            let whole = said.stdout.rsplit_once('\n').map_or("", |(whole, _)| whole);
            whole.lines().nth(self.answered).map(str::to_owned)
        });
        self.answered += 1;
        line
    }

    /// The outcome of one attempt.
    pub fn ask(&mut self, line: &str) -> String {
        self.tell(line);
        self.hear()
    }

    /// Its process id in the guest.
    pub fn pid(&self) -> i32 {
        self.running.pid()
    }

    /// All that it says until its end.
    pub fn finish(self) -> String {
        self.running.finish().expect("it ends").stdout
    }
}
