//! A server, its database, agents and the operator's tools, started the way an operator starts them.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;

use crate::cgroup::Cgroup;
use crate::{binary, wait_for};

const STARTUP_LIMIT: Duration = Duration::from_mins(1);
const PASSWORD: &str = "correct horse battery staple";

/// A running `tyr-server` with an admin, and everything needed to reach it.
pub struct Stack {
    server: Process,
    folder: TempDir,
    rest_port: u16,
    grpc_port: u16,
    environment: Vec<(&'static str, String)>,
}

/// A child that is stopped with SIGTERM, and its log shown when the test fails.
struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    fn start(command: &mut Command, log: PathBuf) -> Result<Self> {
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log)?)
            .spawn()
            .with_context(|| format!("starting {}", command.get_program().display()))?;
        Ok(Self { child, log })
    }

    fn stop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.signal(Signal::TERM);
        }
        self.child.wait().ok();
    }

    fn signal(&self, signal: Signal) {
        if let Some(pid) = rustix::process::Pid::from_raw(self.child.id().cast_signed()) {
            rustix::process::kill_process(pid, signal).ok();
        }
    }

    fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop();
        if std::thread::panicking() {
            let mut stderr = std::io::stderr();
            writeln!(stderr, "--- {}\n{}", self.log.display(), self.log()).ok();
        }
    }
}

/// A running `tyrd` whose scope is a cgroup of its own.
pub struct Agent {
    process: Process,
    config: PathBuf,
    name: String,
    cgroup: Cgroup,
    folder: PathBuf,
}

impl Stack {
    /// Starts a server with an embedded database, and makes the admin. `settings` are further environment variables.
    pub fn start(settings: &[(&'static str, &str)]) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("tyr-e2e-").tempdir_in("/tmp")?;
        // The database runs as an unprivileged user, who must be able to pass through.
        fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
        let (rest_port, grpc_port) = (free_port()?, free_port()?);
        let data = folder.path().join("server");
        let mut environment = vec![
            ("TYR_DATA_DIR", data.display().to_string()),
            ("TYR_REST_BIND", format!("127.0.0.1:{rest_port}")),
            ("TYR_GRPC_BIND", format!("127.0.0.1:{grpc_port}")),
            ("TYR_SERVER", format!("https://localhost:{rest_port}")),
            ("TYR_CA_FILE", data.join("ca.pem").display().to_string()),
            ("XDG_CONFIG_HOME", folder.path().join("config").display().to_string()),
            ("XDG_CACHE_HOME", folder.path().join("cache").display().to_string()),
            ("XDG_STATE_HOME", folder.path().join("state").display().to_string()),
        ];
        environment.extend(settings.iter().map(|(name, value)| (*name, (*value).to_owned())));
        let server = Process::start(&mut server(&environment), folder.path().join("server.log"))?;
        let mut stack = Self { server, folder, rest_port, grpc_port, environment };
        stack.wait_until_healthy();
        stack.tyrctl_with_input(["setup", "--username", "admin", "--password-stdin"], PASSWORD)?;
        Ok(stack)
    }

    fn wait_until_healthy(&mut self) {
        wait_for("a healthy server", STARTUP_LIMIT, || {
            assert!(matches!(self.server.child.try_wait(), Ok(None)), "the server ended:\n{}", self.server.log());
            self.tyrctl(["health"]).status.success().then_some(())
        });
    }

    /// Port of REST and the stream.
    pub fn rest_port(&self) -> u16 {
        self.rest_port
    }

    /// Port of the agents' gRPC.
    pub fn grpc_port(&self) -> u16 {
        self.grpc_port
    }

    /// The certificate authority that agents and `tyrctl` trust.
    pub fn ca_file(&self) -> PathBuf {
        self.folder.path().join("server/ca.pem")
    }

    /// A fresh token to enroll one agent with.
    pub fn enrollment_token(&self, label: &str) -> Result<String> {
        let token = self.tyrctl_json(&["token", "create", "--label", label])?;
        Ok(token["token"].as_str().context("a token")?.to_owned())
    }

    /// Process id of the server.
    pub fn server_pid(&self) -> u32 {
        self.server.child.id()
    }

    /// What the server logged since its last start.
    pub fn server_log(&self) -> String {
        self.server.log()
    }

    /// The server's data directory.
    pub fn data_dir(&self) -> PathBuf {
        let dir = self.environment().find(|(name, _)| *name == "TYR_DATA_DIR").map(|(_, value)| PathBuf::from(value));
        dir.expect("set at the start")
    }

    /// Sends the server a signal.
    pub fn signal_server(&self, signal: Signal) {
        self.server.signal(signal);
    }

    /// Waits for the server's end.
    pub fn wait_for_server(&mut self) -> Result<ExitStatus> {
        Ok(self.server.child.wait()?)
    }

    /// Stops the server with SIGTERM; says how it ended and how long that took.
    pub fn stop_server(&mut self) -> Result<(ExitStatus, Duration)> {
        let begun = Instant::now();
        self.signal_server(Signal::TERM);
        Ok((self.wait_for_server()?, begun.elapsed()))
    }

    /// Starts the server again, after it has ended, with further or changed settings.
    pub fn start_server(&mut self, settings: &[(&'static str, &str)]) -> Result<()> {
        for (name, value) in settings {
            self.environment.retain(|(known, _)| known != name);
            self.environment.push((name, (*value).to_owned()));
        }
        self.server = Process::start(&mut server(&self.environment), self.folder.path().join("server.log"))?;
        self.wait_until_healthy();
        Ok(())
    }

    /// A `tyr-server` command with this stack's settings, such as `db url`.
    pub fn server_command<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Command {
        let mut command = server(&self.environment);
        command.args(arguments).stdin(Stdio::null());
        command
    }

    /// The folder that all files of this stack are in.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Variables that make `tyrctl` talk to this server as its admin.
    pub fn environment(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.environment.iter().map(|(name, value)| (*name, value.as_str()))
    }

    /// Runs `tyrctl` and waits for it.
    pub fn tyrctl<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Output {
        let mut command = Command::new(binary("tyrctl"));
        command.args(arguments).envs(self.environment()).stdin(Stdio::null());
        command.output().expect("tyrctl starts")
    }

    /// The same, with text on standard input; an error when it fails.
    pub fn tyrctl_with_input<S: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = S>,
        input: &str,
    ) -> Result<String> {
        let mut command = Command::new(binary("tyrctl"));
        command.args(arguments).envs(self.environment());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        child.stdin.take().context("a pipe")?.write_all(input.as_bytes())?;
        text(&child.wait_with_output()?)
    }

    /// What `tyrctl … -o json` says.
    pub fn tyrctl_json(&self, arguments: &[&str]) -> Result<Value> {
        let output = self.tyrctl(arguments.iter().copied().chain(["-o", "json"]));
        Ok(serde_json::from_str(&text(&output)?)?)
    }

    /// Applies a policy and assigns it to all agents.
    pub fn apply_policy(&self, yaml: &str) -> Result<()> {
        self.tyrctl_with_input(["policy", "apply", "-f", "-", "--yes"], yaml)?;
        let versions = self.tyrctl_json(&["policy", "list"])?;
        let newest = versions.as_array().into_iter().flatten().filter_map(|row| row["version"].as_u64()).max();
        let newest = newest.context("no policy versions")?.to_string();
        text(&self.tyrctl(["policy", "assign", "--version", &newest, "--all", "--yes"]))?;
        Ok(())
    }

    /// What psql prints for `sql`, unaligned and without headers.
    pub fn psql(&self, sql: &str) -> Result<String> {
        let url = self.server_command(["db", "url"]).output()?;
        let output = Command::new("psql").args([text(&url)?.trim(), "-XAtc", sql]).output().context("starting psql")?;
        text(&output)
    }

    /// A blocking answer of the REST API, with the admin's token.
    pub fn rest(&self, path: &str) -> Result<Value> {
        Ok(serde_json::from_str(&text(&self.curl(&["-sS"], path).output()?)?)?)
    }

    /// `curl` as documented: the CA file and the bearer token, then `path` below the server's address.
    pub fn curl(&self, options: &[&str], path: &str) -> Command {
        let token = fs::read_to_string(self.folder.path().join("config/tyr/token")).unwrap_or_default();
        let mut command = Command::new("curl");
        command.args(options).arg("--cacert").arg(self.ca_file());
        command.arg("-H").arg(format!("Authorization: Bearer {}", token.trim()));
        command.arg(format!("https://localhost:{}{path}", self.rest_port));
        command
    }

    /// Enrolls and starts an agent whose scope is a new cgroup, and waits until its policy is loaded.
    pub fn start_agent(&self, name: &str, settings: &str) -> Result<Agent> {
        self.start_agent_with(name, settings, &[])
    }

    /// The same, below a program such as setpriv.
    pub fn start_agent_under(&self, name: &str, below: &[&str]) -> Result<Agent> {
        self.start_agent_as(name, "", &[], below)
    }

    /// The same, with environment variables for `tyrd`.
    pub fn start_agent_with(&self, name: &str, settings: &str, environment: &[(&str, &str)]) -> Result<Agent> {
        self.start_agent_as(name, settings, environment, &[])
    }

    fn start_agent_as(
        &self,
        name: &str,
        settings: &str,
        environment: &[(&str, &str)],
        below: &[&str],
    ) -> Result<Agent> {
        let cgroup = Cgroup::new()?;
        let token = self.enrollment_token(name)?;
        let config = self.folder.path().join(format!("{name}.yaml"));
        let yaml = format!(
            "server: https://localhost:{}\nca_file: {}\nenrollment_token: {token}\nname: {name}\ndata_dir: {}\nscope:\n  cgroup: {}\n{settings}",
            self.grpc_port,
            self.ca_file().display(),
            self.folder.path().join(name).display(),
            cgroup.path().display(),
        );
        fs::write(&config, yaml)?;
        fs::set_permissions(&config, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
        let mut command = Command::new(below.first().map_or(binary("tyrd"), PathBuf::from));
        command.args(below.iter().skip(1));
        if !below.is_empty() {
            command.arg(binary("tyrd"));
        }
        command.env_remove("NOTIFY_SOCKET").envs(environment.iter().copied()).arg("--config").arg(&config);
        let process = Process::start(&mut command, self.folder.path().join(format!("{name}.log")))?;
        let mut agent = Agent { process, config, name: name.to_owned(), cgroup, folder: self.folder.path().to_owned() };
        agent.wait_for_policy();
        Ok(agent)
    }
}

impl Agent {
    /// The name that it enrolled with.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What `tyrd status --json` says.
    pub fn status(&self) -> Result<String> {
        let mut command = Command::new(binary("tyrd"));
        text(&command.arg("--config").arg(&self.config).args(["status", "--json"]).output()?)
    }

    /// A folder for files that the test needs.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Process id of `tyrd`.
    pub fn pid(&self) -> u32 {
        self.process.child.id()
    }

    /// What it logged so far.
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// Stops it with SIGTERM and waits for its end.
    pub fn stop(&mut self) {
        self.process.stop();
    }

    /// Starts it again after it was stopped, as it was enrolled, and waits until its policy is loaded.
    pub fn start_again(&mut self) -> Result<()> {
        let mut command = Command::new(binary("tyrd"));
        command.env_remove("NOTIFY_SOCKET").arg("--config").arg(&self.config);
        self.process = Process::start(&mut command, self.process.log.clone())?;
        self.wait_for_policy();
        Ok(())
    }

    fn wait_for_policy(&mut self) {
        wait_for("an agent with its policy", STARTUP_LIMIT, || {
            assert!(matches!(self.process.child.try_wait(), Ok(None)), "tyrd ended:\n{}", self.process.log());
            self.process.log().contains("policy loaded").then_some(())
        });
    }

    /// A command that will run inside the agent's scope, ungoverned until it is recognised.
    pub fn in_scope(&self, program: impl AsRef<OsStr>) -> Command {
        let procs = self.cgroup.path().join("cgroup.procs");
        let mut command = Command::new(program);
        // SAFETY: between fork and exec only open, write and close are called; the path was made before.
        unsafe {
            command.pre_exec(move || fs::write(&procs, "0"));
        }
        command
    }

    /// A command that `tyrd run` starts as a governed AI process of `agent_type`.
    pub fn governed(&self, agent_type: &str, program: impl AsRef<OsStr>) -> Command {
        let mut command = self.in_scope(binary("tyrd"));
        command.arg("--config").arg(&self.config).args(["run", "--type", agent_type, "--"]).arg(program);
        command
    }
}

fn server(environment: &[(&'static str, String)]) -> Command {
    let mut command = Command::new(binary("tyr-server"));
    command.env_remove("DATABASE_URL").env_remove("NOTIFY_SOCKET").envs(environment.iter().cloned());
    command
}

/// Standard output of a command that succeeded.
pub fn text(output: &Output) -> Result<String> {
    if !output.status.success() {
        bail!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8(output.stdout.clone())?)
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
