//! How AI processes are recognised: data, read from `agent/fingerprints.yaml` and from the operator's own file.
//!
//! A fingerprint names where the *package* of a tool lies, never just the name of a program: many programs are called
//! `copilot`, `goose` or `agent`. Patterns are globs as in policies. Three forms, of which each entry has at least one:
//!
//! - `exe`: real path of the executable, for tools that are native programs.
//! - `script`, `module`: a program run by an interpreter (`by`, a name of `interpreters`), told by its first argument
//!   that is no option, or by the argument after `-m`. A relative script counts from the working directory.
//! - `links`: as `script`, but only a candidate: what the name leads to must lie in `into`, which tyrd looks up once.

mod compiled;

pub(crate) use compiled::{Compiled, Meaning, Part, Positional, positional};

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// The fingerprints that the agent brings along.
const BUILT_IN: &str = include_str!("../fingerprints.yaml");

/// Longest fingerprint file that is read, in bytes.
pub const FINGERPRINTS_BYTES_MAX: u64 = 1 << 20;

/// All fingerprints in force.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fingerprints {
    /// Globs of the real paths of interpreters, by the name that `by` uses.
    #[serde(default)]
    pub interpreters: BTreeMap<String, Vec<String>>,
    /// One entry per tool, or per layout of a tool.
    #[serde(default)]
    pub fingerprints: Vec<Fingerprint>,
}

/// What one tool looks like.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fingerprint {
    /// The class that its processes get.
    pub agent_type: String,
    /// A tool of agents rather than an agent: inside the tree of another agent it stays a part of that tree.
    #[serde(default)]
    pub tool: bool,
    /// Globs of real paths of executables.
    #[serde(default)]
    pub exe: Vec<String>,
    /// Globs of scripts.
    #[serde(default)]
    pub script: Vec<RunBy>,
    /// Names of modules (Python's `-m`).
    #[serde(default)]
    pub module: Vec<RunBy>,
    /// Globs of names that are common, and prove something only by where they lead to.
    #[serde(default)]
    pub links: Vec<Link>,
}

/// Programs that an interpreter runs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunBy {
    /// Name of an interpreter in [`Fingerprints::interpreters`].
    pub by: String,
    /// Globs.
    pub paths: Vec<String>,
}

/// Names that lead into a package.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// Name of an interpreter in [`Fingerprints::interpreters`].
    pub by: String,
    /// Globs of the names.
    pub paths: Vec<String>,
    /// Globs, of which one must match the real path behind the name.
    pub into: Vec<String>,
}

/// Why fingerprints can't be used.
#[derive(Debug, thiserror::Error)]
pub enum FingerprintsError {
    /// The file can't be read.
    #[error("the fingerprints {} can't be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The file is no document of this form.
    #[error("the fingerprints {name}: {message}")]
    Syntax {
        /// The file, or `built in`.
        name: String,
        /// Line, column and reason.
        message: String,
    },
    /// An entry says nothing sensible.
    #[error("the fingerprint of `{agent_type}`: {problem}")]
    Entry {
        /// Its agent type.
        agent_type: String,
        /// What is wrong with it.
        problem: String,
    },
}

impl Fingerprints {
    /// The built-in ones, and those of the operator's file behind them.
    ///
    /// # Errors
    /// The file can't be read or understood.
    pub fn load(extra: Option<&Path>) -> Result<Self, FingerprintsError> {
        let mut all = Self::parse("built in", BUILT_IN)?;
        if let Some(path) = extra {
            let read = |source| FingerprintsError::Read { path: path.to_owned(), source };
            if std::fs::metadata(path).map_err(read)?.len() > FINGERPRINTS_BYTES_MAX {
                return Err(read(io::Error::other(format!("it is larger than {FINGERPRINTS_BYTES_MAX} bytes"))));
            }
            let text = std::fs::read_to_string(path).map_err(read)?;
            let own = Self::parse(&path.display().to_string(), &text)?;
            all.interpreters.extend(own.interpreters);
            // The operator's come first: where both match, the first pattern wins.
            all.fingerprints.splice(0..0, own.fingerprints);
        }
        Ok(all)
    }

    /// Reads a document.
    ///
    /// # Errors
    /// It is no document of this form. Patterns are checked when they are compiled.
    pub fn parse(name: &str, yaml: &str) -> Result<Self, FingerprintsError> {
        serde_saphyr::from_str(yaml)
            .map_err(|e| FingerprintsError::Syntax { name: name.to_owned(), message: e.without_snippet().to_string() })
    }
}
