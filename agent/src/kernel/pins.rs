//! Enforcement that outlives the agent: links kept in a bpf file system, and what the next agent needs to take over.
//!
//! Each load has a folder of its own, `L<layout>-<id>`. The next agent loads its own programs and maps, marks what was marked, puts
//! its policy in force, and only then removes the folders of others, with which their hooks go. In between both judge, and what
//! either denies is denied: there is no moment at which nobody does.
//!
//! Kept are the links (`link_…`), which hold all else, and the maps that others read ([`MAPS`]). The layout number is that of those;
//! of another layout nothing is taken over, and the scan finds what it can.

use std::collections::HashMap as Trees;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use aya::maps::{Array, HashMap, Map, MapData};

use super::KernelError;
use super::abi::{HoldData, PROCESS_CANARY, ProcessMark, TypeName};
use super::holds;
use super::load::map;
use super::marks::Root;
use super::scan::parent_and_start;
use super::shared::Shared;
use crate::decode::{FoundBy, TreeId};

/// What the next agent reads: who is marked, what the numbers of agent types mean, what processes are held to, what that stands for.
const MAPS: [&str; 4] = ["processes", "type_names", "holds", "held_rules"];
/// Layout of these maps.
const LAYOUT: u32 = 2;
/// Passes over the marks of another, at most: processes fork meanwhile.
const PASSES_MAX: usize = 16;
/// statfs(2): `BPF_FS_MAGIC`.
const BPF_FS: i64 = 0xcafe_4a11;

/// The folder of one load.
#[derive(Debug)]
pub(super) struct Pins {
    root: PathBuf,
    pub(super) folder: PathBuf,
}

impl Pins {
    /// Makes a folder for this load, with the maps that others read, which `map` gives by name.
    pub(super) fn new<'m>(root: &Path, map: impl Fn(&str) -> Option<&'m MapData>) -> io::Result<Self> {
        fs::create_dir_all(root)?;
        if rustix::fs::statfs(root)?.f_type != BPF_FS {
            return Err(io::Error::other(format!("{} is not in a bpf file system", root.display())));
        }
        // Unlike those of all before; names there may hold no dot.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
        let folder = root.join(format!("L{LAYOUT}-{}-{now}", std::process::id()));
        fs::create_dir(&folder)?;
        let pins = Self { root: root.to_owned(), folder };
        for name in MAPS {
            let data = map(name).ok_or(io::ErrorKind::NotFound)?;
            if let Err(error) = data.pin(pins.folder.join(name)) {
                let _ = remove(&pins.folder);
                return Err(io::Error::other(error));
            }
        }
        Ok(pins)
    }

    /// The folders of those before.
    fn others(&self) -> Vec<PathBuf> {
        folders(&self.root).into_iter().filter(|folder| *folder != self.folder).collect()
    }

    /// Takes off what those before left.
    pub(super) fn remove_others(&self) -> io::Result<()> {
        self.others().iter().try_for_each(|folder| remove(folder))
    }

    pub(super) fn remove_own(&self) {
        let _ = remove(&self.folder);
    }
}

/// Takes all enforcement off that an agent left behind; gives the number of hooks.
///
/// # Errors
/// A pin could not be removed.
pub fn detach(root: &Path) -> io::Result<usize> {
    let mut links = 0;
    for folder in folders(root) {
        links += names(&folder)?.iter().filter(|name| is_link(name)).count();
        remove(&folder)?;
    }
    Ok(links)
}

fn is_link(path: &Path) -> bool {
    path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with("link_"))
}

fn folders(root: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(root) else { return Vec::new() };
    entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}

fn names(folder: &Path) -> io::Result<Vec<PathBuf>> {
    fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect()
}

fn remove(folder: &Path) -> io::Result<()> {
    for name in names(folder)? {
        fs::remove_file(name)?;
    }
    fs::remove_dir(folder)
}

impl Shared {
    /// Marks what those before had marked, with the same agent types, as trees of this agent. Gives the number of processes.
    pub(super) fn adopt(&self) -> Result<usize, KernelError> {
        let others = self.hooks.lock().expect("no holder panics").pins().map(Pins::others).unwrap_or_default();
        let mut adopted = 0;
        for folder in others {
            let layout = format!("L{LAYOUT}-");
            if folder.file_name().and_then(|name| name.to_str()).is_none_or(|name| !name.starts_with(&layout)) {
                continue;
            }
            adopted += self.adopt_folder(&folder)?;
        }
        Ok(adopted)
    }

    fn adopt_folder(&self, folder: &Path) -> Result<usize, KernelError> {
        let open = |name: &str| MapData::from_pin(folder.join(name));
        let processes = open("processes").map_err(|e| map("processes", e))?;
        let names = open("type_names").map_err(|e| map("type_names", e))?;
        let processes: HashMap<MapData, u32, ProcessMark> =
            Map::HashMap(processes).try_into().map_err(|e| map("processes", e))?;
        let names: Array<MapData, TypeName> = Map::Array(names).try_into().map_err(|e| map("type_names", e))?;
        let held = open("holds").map_err(|e| map("holds", e))?;
        let held: HashMap<MapData, u32, HoldData> = Map::HashMap(held).try_into().map_err(|e| map("holds", e))?;
        let rules = open("held_rules").map_err(|e| map("held_rules", e))?;
        let rules: Array<MapData, u64> = Map::Array(rules).try_into().map_err(|e| map("held_rules", e))?;
        let mut trees: Trees<u64, (TreeId, u32)> = Trees::new();
        let mut adopted = 0;
        for _ in 0..PASSES_MAX {
            // Parents before children: the first of a tree becomes its root.
            let mut found: Vec<(u64, u32, ProcessMark)> = processes
                .iter()
                .flatten()
                .filter(|(pid, mark)| mark.flags & PROCESS_CANARY == 0 && self.tree_of(*pid).is_none())
                .filter_map(|(pid, mark)| Some((parent_and_start(pid)?.1, pid, mark)))
                .collect();
            if found.is_empty() {
                break;
            }
            found.sort_by_key(|(start, pid, _)| (*start, *pid));
            for (_, pid, mark) in found {
                let known = trees.get(&mark.tree).filter(|(tree, first)| self.tree_of(*first) == Some(*tree)).copied();
                let done = if let Some((_, first)) = known {
                    self.join_tree(pid, first)
                } else {
                    let agent_type = names.get(&mark.agent_type.into(), 0).map_err(|e| map("type_names", e))?.text();
                    let root = Root { agent_type: Arc::from(agent_type), found_by: FoundBy::Scan, pattern: "".into() };
                    self.mark_tree(&root, &[pid]).map(|tree| {
                        trees.insert(mark.tree, (tree, pid));
                    })
                };
                match done {
                    Ok(()) => {
                        adopted += 1;
                        if let Ok(hold) = held.get(&pid, 0) {
                            self.adopt_hold(pid, &holds::rules_of(&hold, &rules))?;
                        }
                    }
                    // Gone meanwhile.
                    Err(KernelError::Mark { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(adopted)
    }
}
