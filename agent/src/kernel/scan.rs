//! Finding AI processes that run already.
//!
//! The programs at exec and fork are attached before this, so that nothing slips through between: what starts meanwhile is
//! marked by them, and what they could not know of is found here. Repeated until a pass finds nothing new.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::Arc;

use super::KernelError;
use super::marks::{Root, running_program};
use super::shared::Shared;
use crate::decode::{FoundBy, Program};
use crate::fingerprints::{Part, Positional, positional};

/// Passes, at most: a host where each finds more forks faster than it is read.
const PASSES_MAX: usize = 16;

/// Marks all AI processes that run, with their descendants; gives the number of those newly marked.
pub(super) fn scan(shared: &Shared) -> Result<usize, KernelError> {
    let mut found = 0;
    for _ in 0..PASSES_MAX {
        let more = pass(shared)?;
        found += more;
        if more == 0 {
            break;
        }
    }
    Ok(found)
}

fn pass(shared: &Shared) -> Result<usize, KernelError> {
    let mut found = 0;
    // Parents before children: ids wrap around, so order of start it is, which a parent is always ahead in.
    for (_, (pid, parent)) in processes() {
        if pid == std::process::id() || shared.tree_of(pid).is_some() || !shared.scope.holds(pid) {
            continue;
        }
        let result = match recognise(shared, pid) {
            Some(root) => shared.mark_tree(&root, &[pid]).map(|_| ()),
            None if shared.tree_of(parent).is_some() => {
                shared.join_tree(pid, parent).and_then(|()| shared.inherit_hold(pid, parent))
            }
            None => continue,
        };
        match result {
            Ok(()) => found += 1,
            // Gone meanwhile.
            Err(KernelError::Mark { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

/// All processes with their parents, by time of start.
fn processes() -> BTreeMap<(u64, u32), (u32, u32)> {
    let Ok(folders) = fs::read_dir("/proc") else { return BTreeMap::new() };
    let mut all = BTreeMap::new();
    let pids = folders.flatten().filter_map(|folder| folder.file_name().to_str()?.parse::<u32>().ok());
    for pid in pids {
        let Some((parent, start)) = parent_and_start(pid) else { continue };
        all.insert((start, pid), (pid, parent));
    }
    all
}

/// Fields 4 and 22 of `/proc/PID/stat`: the name before them can hold anything, blanks and parentheses too.
pub(super) fn parent_and_start(pid: u32) -> Option<(u32, u64)> {
    let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
    let behind_name = stat.iter().rposition(|&byte| byte == b')')? + 2;
    let text = std::str::from_utf8(stat.get(behind_name..)?).ok()?;
    let fields: Vec<&str> = text.split(' ').collect();
    Some((fields.get(1)?.parse().ok()?, fields.get(19)?.parse().ok()?))
}

fn recognise(shared: &Shared, pid: u32) -> Option<Root> {
    let program = running_program(pid);
    let at = matches(shared, pid, &program)?;
    let pattern = &shared.compiled.patterns[at];
    if pattern.into.is_some() && !confirm(shared, at, pid, &program) {
        return None;
    }
    Some(Root {
        agent_type: pattern.agent_type.as_str().into(),
        found_by: FoundBy::Scan,
        pattern: Arc::from(pattern.text.as_str()),
    })
}

fn matches(shared: &Shared, pid: u32, program: &Program) -> Option<usize> {
    shared.compiled.recognise(&program.exe, || match positional(&program.args)? {
        Positional::Script(script) if script.starts_with(b"/") => Some(Part::Script(script.to_vec())),
        Positional::Script(script) => {
            let cwd = fs::read_link(format!("/proc/{pid}/cwd")).ok()?;
            Some(Part::Script([cwd.as_os_str().as_bytes(), b"/", script].concat()))
        }
        Positional::Module(name) => Some(Part::Module(name)),
    })
}

/// Does the name that a candidate was recognised by lead into the package? Looked up as the process would: from its root.
pub(super) fn confirm(shared: &Shared, pattern: usize, pid: u32, program: &Program) -> bool {
    let Some(into) = &shared.compiled.patterns[pattern].into else { return true };
    let Some(Positional::Script(script)) = positional(&program.args) else { return false };
    let script = PathBuf::from(std::ffi::OsStr::from_bytes(script));
    let name = if script.is_absolute() {
        script
    } else {
        match fs::read_link(format!("/proc/{pid}/cwd")) {
            Ok(cwd) => cwd.join(script),
            Err(_) => return false,
        }
    };
    resolve(pid, &name).is_some_and(|real| into.iter().any(|glob| glob.matches(&real)))
}

/// The real path of a name within a process's root.
fn resolve(pid: u32, name: &std::path::Path) -> Option<Vec<u8>> {
    use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, open, openat2};
    let root =
        open(format!("/proc/{pid}/root"), OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).ok()?;
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let file = openat2(&root, name, flags, Mode::empty(), ResolveFlags::IN_ROOT).ok()?;
    let link = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&file));
    let real = rustix::fs::readlinkat(CWD, link, Vec::new()).ok()?;
    Some(real.into_bytes())
}

/// Real user ids by process, as `/proc` has them.
pub(super) fn uid_of(pid: u32) -> u32 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let fields: HashMap<&str, &str> = status.lines().filter_map(|line| line.split_once(':')).collect();
    fields.get("Uid").and_then(|ids| ids.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
