//! `/etc/tyr/tyrd.yaml`: what it may say, read once at start.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use tyr_policy::Unregistered;

use crate::fault::Fault;

mod server;
mod token;

pub use server::{CaPin, ServerUrl};
pub use token::{EnrollmentToken, erase, read_token};

/// What to do about a file that is no configuration at all.
const FORM: &str = "it is YAML, one `key: value` per line; `server`, and `ca_file` or `ca_sha256`, are needed";
/// Largest configuration file that is read, in bytes.
const CONFIG_BYTES_MAX: u64 = 64 * 1024;
/// Largest in-memory event buffer that can be asked for, in MiB.
const BUFFER_SIZE_MB_MAX: u32 = 16 * 1024;
/// Most file systems that can be named; each has two threads.
const FANOTIFY_MOUNTS_MAX: usize = 16;

/// The configuration file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where the server listens for agents, `https://host:7700`.
    pub server: ServerUrl,
    /// PEM file with the certificate authority that the server's certificate must come from.
    pub ca_file: Option<PathBuf>,
    /// SHA-256 of that authority's certificate (DER), instead of a file.
    pub ca_sha256: Option<CaPin>,
    /// Used once, and then taken out of the file.
    pub enrollment_token: Option<EnrollmentToken>,
    /// Name of this agent; the host's name when absent.
    pub name: Option<String>,
    /// Identity, cached policy and control socket; made with mode 0700.
    #[serde(default = "default_data_dir")]
    pub data_dir: PathBuf,
    /// Seconds between heartbeats, 1 to 3600.
    #[serde(default = "default_heartbeat_interval_s")]
    pub heartbeat_interval_s: u32,
    /// Most that unacknowledged events may take, in MiB.
    #[serde(default = "default_buffer_size_mb")]
    pub buffer_size_mb: u32,
    /// What happens to AI processes of a type that nobody approved at the server, and that has no overlay assigned.
    #[serde(default)]
    pub unregistered_agents: UnregisteredAgents,
    /// Which allowed actions are reported.
    #[serde(default)]
    pub allow_events: AllowEvents,
    /// Limits everything to a part of the host.
    pub scope: Option<ScopeConfig>,
    /// File systems on which opens and programs are refused also where the kernel takes no BPF LSM programs.
    pub fanotify: Option<FanotifyConfig>,
    /// Further fingerprints of AI tools, in the form of the built-in ones.
    pub fingerprints: Option<PathBuf>,
}

/// `unregistered_agents`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UnregisteredAgents {
    /// They run, and are recorded.
    #[default]
    Audit,
    /// They run under a strict policy until their type is registered.
    Quarantine,
    /// They may not run.
    Deny,
}

impl From<UnregisteredAgents> for Unregistered {
    fn from(word: UnregisteredAgents) -> Self {
        match word {
            UnregisteredAgents::Audit => Self::Audit,
            UnregisteredAgents::Quarantine => Self::Quarantine,
            UnregisteredAgents::Deny => Self::Deny,
        }
    }
}

/// `allow_events`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AllowEvents {
    /// One event for each allowed action.
    All,
    /// Repeats within a second become one event with their count.
    #[default]
    Merged,
    /// None; denials and alerts are reported all the same.
    None,
}

/// `scope`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScopeConfig {
    /// Cgroup v2 path, as in `/proc/PID/cgroup` or below `/sys/fs/cgroup`: only processes in this subtree are governed.
    pub cgroup: PathBuf,
}

/// `fanotify`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FanotifyConfig {
    /// Where they are mounted, as absolute paths.
    pub mounts: Vec<PathBuf>,
}

fn default_data_dir() -> PathBuf {
    PathBuf::from("/var/lib/tyrd")
}

fn default_heartbeat_interval_s() -> u32 {
    30
}

fn default_buffer_size_mb() -> u32 {
    500
}

impl Config {
    /// Reads and checks the file.
    ///
    /// # Errors
    ///
    /// A file that can't be read, isn't YAML, has an unknown key or a value out of range; with line and column where
    /// there is one.
    pub fn load(path: &Path) -> Result<Self, Fault> {
        let fail = |error: &io::Error| {
            let fault = Fault::new(format!("can't read the configuration `{}`", path.display())).because(error);
            match error.kind() {
                io::ErrorKind::NotFound => fault.hint(
                    "write at least `server: https://HOST:7700`, `ca_file: FILE` and `enrollment_token: TOKEN` into it, \
                     or name another file with --config",
                ),
                io::ErrorKind::PermissionDenied => fault.hint("run it as root"),
                _ => fault,
            }
        };
        let size = fs::metadata(path).map_err(|error| fail(&error))?.len();
        if size > CONFIG_BYTES_MAX {
            return Err(fail(&io::Error::other(format!("{size} bytes are more than {CONFIG_BYTES_MAX}"))));
        }
        let text = fs::read_to_string(path).map_err(|error| fail(&error))?;
        Self::from_text(&text, path)
    }

    /// Checks the text of a file.
    ///
    /// # Errors
    ///
    /// As [`Config::load`].
    pub fn from_text(text: &str, path: &Path) -> Result<Self, Fault> {
        Self::parse(text).map_err(|problem| problem.into_fault(path))
    }

    /// Whether the file holds an enrollment token that every user of this host may read.
    pub fn exposes_token(&self, path: &Path) -> bool {
        self.enrollment_token.is_some() && fs::metadata(path).is_ok_and(|metadata| metadata.mode() & 0o004 != 0)
    }

    fn parse(text: &str) -> Result<Self, Problem> {
        let config: Self = serde_saphyr::from_str(text).map_err(|error| Problem::from_yaml(&error))?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), Problem> {
        match (&self.ca_file, &self.ca_sha256) {
            (Some(_), Some(_)) => {
                return Err(Problem::at_key("`ca_file` and `ca_sha256` are both given", "keep one of them"));
            }
            (None, None) => {
                return Err(Problem::at_key(
                    "neither `ca_file` nor `ca_sha256` says which certificate authority to trust",
                    "fetch the server's: `curl -k https://SERVER:7701/api/v1/ca.pem`, compare it with the server's \
                     own copy, and name the file as `ca_file`",
                ));
            }
            _ => {}
        }
        if self.enrollment_token.as_ref().is_some_and(|token| !token.is_well_formed()) {
            return Err(Problem::at_key(
                "`enrollment_token` does not look like an enrollment token",
                "it looks like tyr_et_ID_SECRET; make one with `tyrctl token create`",
            ));
        }
        if !(1..=3600).contains(&self.heartbeat_interval_s) {
            return Err(Problem::at_key("`heartbeat_interval_s` is out of range", "it can be 1 to 3600"));
        }
        if !(1..=BUFFER_SIZE_MB_MAX).contains(&self.buffer_size_mb) {
            return Err(Problem::at_key(
                "`buffer_size_mb` is out of range",
                &format!("it can be 1 to {BUFFER_SIZE_MB_MAX}"),
            ));
        }
        if let Some(fanotify) = &self.fanotify {
            fanotify.check()?;
        }
        if let Some(name) = &self.name
            && !is_agent_name(name)
        {
            return Err(Problem::at_key(
                "`name` is no agent name",
                "it has 1 to 253 letters, digits, `.`, `_` or `-`, and begins with a letter or digit",
            ));
        }
        Ok(())
    }

    /// The agent's name: the configured one, or the host's.
    pub fn agent_name(&self) -> String {
        if let Some(name) = &self.name {
            return name.clone();
        }
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        if is_agent_name(&host) { host } else { "unnamed-host".to_owned() }
    }

    /// Time between heartbeats.
    pub fn heartbeat_interval(&self) -> Duration {
        Duration::from_secs(self.heartbeat_interval_s.into())
    }

    /// Most that unacknowledged events may take, in bytes.
    pub fn buffer_bytes_max(&self) -> usize {
        usize::try_from(u64::from(self.buffer_size_mb) * 1024 * 1024).unwrap_or(usize::MAX)
    }
}

impl FanotifyConfig {
    fn check(&self) -> Result<(), Problem> {
        let mounts = &self.mounts;
        if mounts.is_empty() || mounts.len() > FANOTIFY_MOUNTS_MAX {
            return Err(Problem::at_key(
                "`fanotify.mounts` names no file system, or too many",
                &format!("it can be 1 to {FANOTIFY_MOUNTS_MAX}; leave `fanotify` out to ask about none"),
            ));
        }
        let plain = |path: &PathBuf| path.is_absolute() && !path.components().any(|part| part == Component::ParentDir);
        if let Some(wrong) = mounts.iter().find(|path| !plain(path)) {
            return Err(Problem::at_key(
                &format!("`{}` in `fanotify.mounts` is no absolute path", wrong.display()),
                "write where it is mounted, such as `/home`",
            ));
        }
        if let Some(twice) = mounts.iter().enumerate().find(|(at, path)| mounts[..*at].contains(path)) {
            return Err(Problem::at_key(
                &format!("`{}` is in `fanotify.mounts` twice", twice.1.display()),
                "keep one of them",
            ));
        }
        Ok(())
    }
}

/// Whether the server would take this as an agent's name.
fn is_agent_name(name: &str) -> bool {
    (1..=253).contains(&name.len())
        && name.bytes().next().is_some_and(|c| c.is_ascii_alphanumeric())
        && name.bytes().all(|c| c.is_ascii_alphanumeric() || b"._-".contains(&c))
}

/// What is wrong with a configuration's text.
#[derive(Debug, PartialEq, Eq)]
struct Problem {
    /// Line and column, from 1.
    at: Option<(u64, u64)>,
    message: String,
    hint: Option<String>,
}

impl Problem {
    fn at_key(message: &str, hint: &str) -> Self {
        Self { at: None, message: message.to_owned(), hint: Some(hint.to_owned()) }
    }

    fn from_yaml(error: &serde_saphyr::Error) -> Self {
        let error = error.without_snippet();
        let at = error.location().map(|location| (location.line(), location.column()));
        let (message, hint) = match error {
            serde_saphyr::Error::SerdeUnknownField { field, expected, .. } => {
                (format!("unknown key `{field}`"), Some(near(field, expected)))
            }
            serde_saphyr::Error::SerdeUnknownVariant { variant, expected, .. } => {
                (format!("unknown value `{variant}`"), Some(near(variant, expected)))
            }
            serde_saphyr::Error::DuplicateMappingKey { key, .. } => {
                let key = key.as_deref().map_or_else(String::new, |key| format!(" `{key}`"));
                (format!("the key{key} is there twice"), Some("keep one of them".to_owned()))
            }
            // The one kind of scalar that isn't text is a number.
            serde_saphyr::Error::InvalidScalar { .. } => {
                ("this is not a whole number that fits".to_owned(), Some("a plain number, without a unit".to_owned()))
            }
            other => (plain(&other.to_string(), at), Some(FORM.to_owned())),
        };
        Self { at, message, hint }
    }

    fn into_fault(self, path: &Path) -> Fault {
        let cause = match self.at {
            Some((line, column)) => format!("line {line}, column {column}: {}", self.message),
            None => self.message,
        };
        let fault = Fault::new(format!("the configuration `{}` is wrong", path.display())).cause(cause);
        match self.hint {
            Some(hint) => fault.hint(hint),
            None => fault,
        }
    }
}

/// The nearest of the names that are known, or all of them.
fn near(word: &str, known: &[&'static str]) -> String {
    let close = known
        .iter()
        .map(|name| (strsim::damerau_levenshtein(word, name), name))
        .min()
        .filter(|(distance, name)| *distance <= 1 + name.len() / 4);
    match close {
        Some((_, name)) => format!("did you mean `{name}`?"),
        None => format!("known are: {}", known.join(", ")),
    }
}

/// The parser's text without what we say ourselves: its place, and a picture of the file, which may hold the token.
fn plain(text: &str, at: Option<(u64, u64)>) -> String {
    let line = text.lines().next().unwrap_or_default();
    let line = line.strip_prefix("error: ").unwrap_or(line);
    let place = at.map(|(line, column)| format!(" at line {line}, column {column}")).unwrap_or_default();
    line.strip_suffix(&place).unwrap_or(line).to_owned()
}

#[cfg(test)]
mod tests;
