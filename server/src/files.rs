//! How many files this process may have open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the soft limit on open files to the hard one. Each connection is a file, and the usual soft limit of 1,024 (kept for
/// programs that use `select`) would be reached by a thousand readers of the stream.
pub fn raise_limit() {
    let limit = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }) {
        tracing::warn!(%error, files_max = limit.current, "the limit on open files could not be raised");
    }
}
