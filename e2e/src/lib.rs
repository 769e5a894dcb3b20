//! Real binaries for whole stories: a server with its embedded database, agents, `tyrctl`, governed programs.
//!
//! Everything lives in a temporary folder and a cgroup of its own, and ends with the value that started it, also when a
//! test fails. The binaries are those that `cargo build --workspace --bins` put beside the test program.

pub mod cgroup;
pub mod guest;
pub mod postgres;
pub mod screen;
pub mod stack;
pub mod svg;

use std::path::PathBuf;
use std::time::{Duration, Instant};

/// The program `name` of this workspace.
///
/// # Panics
///
/// When it was not built: `cargo test` builds only the binaries of the tested package.
pub fn binary(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a running program has a path");
    test.ancestors()
        .skip(1)
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
        .unwrap_or_else(|| panic!("no {name} near {}: run `cargo build --workspace --bins` first", test.display()))
}

/// Asks `state` until it gives a value.
///
/// # Panics
///
/// After `limit`, with what it was waiting for.
pub fn wait_for<T>(what: &str, limit: Duration, mut state: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = state() {
            return value;
        }
        assert!(start.elapsed() < limit, "{what} did not come within {limit:?}");
        // Not a fixed wait but the pace of the questions.
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

/// A program or folder that tests need and the system may lack: fetched by `./dev test` into the folder that `TYR_TOOLS` names,
/// or installed.
///
/// `None` where it is missing, which is said by name.
///
/// # Panics
///
/// In CI (`CI=true`), where a missing tool would hide a test.
pub fn tool(name: &str) -> Option<PathBuf> {
    let tools = std::env::var_os("TYR_TOOLS").map(PathBuf::from);
    let in_tools = tools.iter().flat_map(|tools| [tools.join("bin").join(name), tools.join(name)]);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = in_tools.chain(std::env::split_paths(&path).map(|folder| folder.join(name))).find(|path| path.exists());
    if found.is_none() {
        assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "{name} is missing: `./dev test` fetches it");
        let mut stderr = std::io::stderr();
        let _ = std::io::Write::write_fmt(
            &mut stderr,
            format_args!("not run: {name} is missing, `./dev test` fetches it\n"),
        );
    }
    found
}
