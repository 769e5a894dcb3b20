//! `tyrd` in a guest, talking to a server on the host.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{Guest, Running, protocol};
use crate::stack::Stack;
use crate::wait_for;

/// Environment variable of the server's that makes its certificate good for guests.
pub const SERVER_NAMES: (&str, &str) = ("TYR_SERVER_NAMES", protocol::HOST);
/// Where its configuration is, which is also where an operator's is.
const CONFIG: &str = "/etc/tyr/tyrd.yaml";
const CA: &str = "/etc/tyr/ca.pem";
/// Longest that a start with its enrollment may take; the verifier alone works for some seconds here.
const START_MAX: Duration = Duration::from_mins(1);

/// A `tyrd` that governs a whole guest.
#[derive(Debug)]
pub struct GuestAgent<'g> {
    guest: &'g Guest,
    tyrd: Running,
}

impl<'g> GuestAgent<'g> {
    /// Enrolls one and waits until its policy is loaded. The server must have been started with [`SERVER_NAMES`].
    ///
    /// # Errors
    ///
    /// The guest or the server can't.
    pub fn start(guest: &'g Guest, stack: &Stack, name: &str, settings: &str) -> Result<Self> {
        let token = stack.enrollment_token(name)?;
        let mut yaml = String::new();
        write!(
            yaml,
            "server: https://{}:{}\nca_file: {CA}\nenrollment_token: {token}\nname: {name}\n{settings}",
            protocol::HOST,
            stack.grpc_port(),
        )?;
        guest.write(CA, &std::fs::read(stack.ca_file())?, 0o644)?;
        guest.write(CONFIG, yaml.as_bytes(), 0o600)?;
        Self::start_again(guest)
    }

    /// Starts `tyrd` as it was enrolled before.
    ///
    /// # Errors
    ///
    /// The guest can't.
    pub fn start_again(guest: &'g Guest) -> Result<Self> {
        let tyrd = guest.start(&["tyrd", "--config", CONFIG], &[], &[])?;
        let mut agent = Self { guest, tyrd };
        wait_for("an agent in the guest with its policy", START_MAX, || {
            let ended = agent.tyrd.has_ended();
            let log = agent.log();
            assert!(!ended, "tyrd ended:\n{log}");
            log.contains("policy loaded").then_some(())
        });
        // A policy that it had before is in force before it can be asked.
        wait_for("an answer of the agent in the guest", START_MAX, || agent.status().ok());
        Ok(agent)
    }

    /// Its process id in the guest.
    pub fn pid(&self) -> i32 {
        self.tyrd.pid()
    }

    /// What it logged.
    pub fn log(&mut self) -> String {
        self.tyrd.so_far().stderr.clone()
    }

    /// How many policies it has put in force since its start.
    pub fn policies_loaded(&mut self) -> usize {
        self.log().matches("policy loaded").count()
    }

    /// Waits until it has put another one in force than those that were counted.
    ///
    /// # Panics
    ///
    /// None comes in time.
    pub fn wait_for_policy_after(&mut self, count: usize) {
        wait_for("the next policy in the guest", START_MAX, || (self.policies_loaded() > count).then_some(()));
    }

    /// What `tyrd status --json` says.
    ///
    /// # Errors
    ///
    /// It doesn't answer.
    pub fn status(&self) -> Result<Value> {
        let text = self.guest.output(&["tyrd", "--config", CONFIG, "status", "--json"])?.text()?;
        serde_json::from_str(&text).context(text)
    }

    /// Sends `tyrd` a signal, by number.
    ///
    /// # Errors
    ///
    /// The guest is gone.
    pub fn signal(&mut self, signal: u8) -> Result<()> {
        self.tyrd.signal(signal)
    }

    /// Kills it with SIGKILL, as the kernel's out-of-memory killer would, and waits for its end.
    ///
    /// # Errors
    ///
    /// It ended otherwise.
    pub fn kill(mut self) -> Result<()> {
        self.tyrd.signal(9)?;
        let output = self.tyrd.finish()?;
        ensure!(std::os::unix::process::ExitStatusExt::signal(&output.status) == Some(9), "{}", output.status);
        Ok(())
    }

    /// What makes a command an AI process of this type.
    pub fn governed<'c>(&self, agent_type: &'c str, command: &[&'c str]) -> Vec<&'c str> {
        let mut all = vec!["tyrd", "--config", CONFIG, "run", "--type", agent_type, "--"];
        all.extend(command);
        all
    }
}
