//! Loading: checks first, then the object, its settings, its maps and its programs.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use aya::maps::{Array, ArrayOfMaps, HashMap, LpmTrie, Map, MapData, PerCpuArray, RingBuf};
use aya::programs::links::{CgroupAttachMode, FdLink};
use aya::programs::{BtfTracePoint, CgroupSockAddr, ProgramError};
use aya::{Btf, Ebpf, EbpfLoader};

use super::abi::{
    FINGERPRINT_AUTOMATA_MAX, FingerprintEntry, HoldData, Merge, MergeKey, NetKeyData, NetList, ProcessMark,
    ProgramPath,
};
use super::pins::Pins;
use super::shared::AgentTypes;
use super::{KernelError, Options, Posture, admit, lsm, symbols};
use crate::fingerprints::Compiled;
use crate::scope::Scope;

pub(super) static OBJECT: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/tyr.bpf.o"));

/// Tracepoints that stay attached: name of the program, of the tracepoint, of the hook.
const TRACEPOINTS: [(&str, &str, &str); 3] = [
    ("tyr_fork", "sched_process_fork", "tp_btf/sched_process_fork"),
    ("tyr_exit", "sched_process_exit", "tp_btf/sched_process_exit"),
    ("tyr_exec", "sched_process_exec", "tp_btf/sched_process_exec"),
];
/// Lines of the verifier's log that an error carries: the last one is the reason.
const VERIFIER_LINES: usize = 4;
const OPENS: (&str, &str, &str) = ("tyr_sys_exit", "sys_exit", "tp_btf/sys_exit");
const CONNECTS: [(&str, &str); 4] = [
    ("tyr_connect4", "cgroup/connect4"),
    ("tyr_connect6", "cgroup/connect6"),
    ("tyr_sendmsg4", "cgroup/sendmsg4"),
    ("tyr_sendmsg6", "cgroup/sendmsg6"),
];

/// What came out of loading.
pub(super) struct Loaded {
    pub(super) maps: Maps,
    pub(super) types: AgentTypes,
    pub(super) rings: Rings,
    pub(super) hooks: Hooks,
    pub(super) scope: Scope,
    pub(super) compiled: Compiled,
    pub(super) posture: (Posture, String),
}

/// The maps that the agent reads and writes.
pub(super) struct Maps {
    pub(super) processes: HashMap<MapData, u32, ProcessMark>,
    pub(super) trees: HashMap<MapData, u64, u64>,
    pub(super) holds: HashMap<MapData, u32, HoldData>,
    pub(super) holds_made: Array<MapData, u32>,
    pub(super) held_rules: Array<MapData, u64>,
    pub(super) programs: HashMap<MapData, u64, ProgramPath>,
    pub(super) merges: HashMap<MapData, MergeKey, Merge>,
    pub(super) losses: PerCpuArray<MapData, u64>,
    pub(super) fingerprints: Array<MapData, FingerprintEntry>,
    pub(super) policies: ArrayOfMaps<MapData>,
    /// The same map, to be read by hand.
    pub(super) policies_fd: OwnedFd,
    pub(super) net_rules: LpmTrie<MapData, NetKeyData, NetList>,
    /// Those that a judge outside of the kernel programs reads, to be opened again, by name.
    pub(super) again: Vec<(&'static str, OwnedFd)>,
}

impl std::fmt::Debug for Maps {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Maps")
    }
}

/// The rings that the reader takes.
pub(super) struct Rings {
    pub(super) urgent: RingBuf<MapData>,
    pub(super) regular: RingBuf<MapData>,
}

/// The programs and what they are attached to. Dropping it detaches them.
#[derive(Debug)]
pub(super) struct Hooks {
    pub(super) object: Ebpf,
    /// By program; those that stay attached.
    pub(super) links: Vec<(&'static str, FdLink)>,
    /// Where they are kept beyond the agent's end, once they are.
    pins: Option<Pins>,
    kept: bool,
    opens: Option<aya::programs::tp_btf::BtfTracePointLinkId>,
    /// Attach points of LSM in use.
    pub(super) lsm: Vec<&'static str>,
}

impl Hooks {
    /// Attaches the observer of opens, if it isn't and opens are not judged. It costs every system call of the host about 0.1 µs.
    pub(super) fn attach_opens(&mut self) -> Result<(), KernelError> {
        if self.opens.is_none() && !self.lsm.contains(&lsm::OPEN) {
            let program = tracepoint(&mut self.object, OPENS.0);
            self.opens = Some(program.attach().map_err(|e| refused(OPENS.0, e))?);
        }
        Ok(())
    }

    /// To be called before a process is marked from outside.
    pub(super) fn admit(&mut self, pid: u32) -> Result<(), KernelError> {
        admit::admit(&mut self.object, pid)
    }

    /// Takes the observer of opens off.
    pub(super) fn detach_opens(&mut self) -> Result<(), KernelError> {
        if let Some(link) = self.opens.take() {
            tracepoint(&mut self.object, OPENS.0).detach(link).map_err(|e| refused(OPENS.0, e))?;
        }
        Ok(())
    }

    /// Keeps the links beyond the agent's end, and takes those of the agents before off. Without a folder for them: nothing.
    pub(super) fn keep(&mut self) -> Result<(), KernelError> {
        let Some(pins) = &self.pins else { return Ok(()) };
        if !self.kept {
            for (name, link) in std::mem::take(&mut self.links) {
                let path = pins.folder.join(format!("link_{name}"));
                let pinned = link.pin(&path).map_err(|e| KernelError::Pin { path, source: chain(&e) })?;
                self.links.push((name, pinned.into()));
            }
            self.kept = true;
        }
        pins.remove_others().map_err(|source| KernelError::Pin { path: pins.folder.clone(), source })
    }

    /// Gives up the folder that would keep them.
    pub(super) fn keep_none(&mut self) {
        if let Some(pins) = self.pins.take() {
            pins.remove_own();
        }
    }

    pub(super) fn pins(&self) -> Option<&Pins> {
        self.pins.as_ref()
    }

    /// The folder that keeps them.
    pub(super) fn kept(&self) -> Option<PathBuf> {
        self.pins.as_ref().filter(|_| self.kept).map(|pins| pins.folder.clone())
    }

    pub(super) fn attached(&self) -> Vec<&'static str> {
        let opens = self.opens.is_some().then_some(OPENS.2);
        let connects = CONNECTS.iter().map(|c| c.1);
        TRACEPOINTS.iter().map(|t| t.2).chain(connects).chain(self.lsm.iter().copied()).chain(opens).collect()
    }
}

impl Drop for Hooks {
    fn drop(&mut self) {
        // Maps alone are of no use to anybody.
        if !self.kept {
            self.keep_none();
        }
    }
}

pub(super) fn load(options: &Options) -> Result<Loaded, KernelError> {
    if !rustix::process::geteuid().is_root() {
        return Err(KernelError::NotRoot);
    }
    if !Path::new("/sys/kernel/btf/vmlinux").exists() {
        return Err(KernelError::NoBtf);
    }
    let scope = Scope::open(options.scope.as_deref()).map_err(|source| KernelError::Scope {
        path: options.scope.clone().unwrap_or_else(|| "/sys/fs/cgroup".into()),
        source,
    })?;
    let compiled = Compiled::new(&options.fingerprints).map_err(KernelError::Fingerprints)?;
    let btf = Btf::from_sys_fs().map_err(|e| KernelError::Object(io::Error::other(e)))?;

    let tables = fingerprint_tables(&compiled);
    let rows = u32::try_from(tables.rows.len()).expect("the automata are bounded");
    let meanings = u32::try_from(compiled.meanings.len()).expect("the data is bounded");
    let [rename_lock, mount_lock] = symbols::addresses(["rename_lock", "mount_lock"]);
    let (merge, merge_allowed) = (u32::from(options.merge_opens), u32::from(options.merge_allowed));
    let mut object = EbpfLoader::new()
        .btf(Some(&btf))
        .allow_unsupported_maps()
        .override_global("scope_cgroup", &scope.id, true)
        .override_global("scope_level", &scope.level, true)
        .override_global("guard_tgid", &std::process::id(), true)
        .override_global("merge_opens", &merge, true)
        .override_global("merge_allowed", &merge_allowed, true)
        .override_global("rename_lock", &rename_lock, true)
        .override_global("mount_lock", &mount_lock, true)
        .override_global("fingerprint_starts", &tables.starts, true)
        .override_global("fingerprint_first", &tables.first, true)
        .override_global("fingerprint_classes", &tables.classes, true)
        .map_max_entries("fingerprint_rows", rows.max(1))
        .map_max_entries("fingerprints", meanings.max(1))
        .load(OBJECT)
        .map_err(|e| KernelError::Object(chain(&e)))?;

    for (name, point, _) in TRACEPOINTS.iter().chain([&OPENS]) {
        tracepoint(&mut object, name).load(point, &btf).map_err(|e| refused(name, e))?;
    }
    for (name, _) in &CONNECTS {
        connect(&mut object, name).load().map_err(|e| refused(name, e))?;
    }

    admit::load(&mut object)?;

    let mut row: Array<_, u32> = take(&mut object, "fingerprint_rows")?;
    for (index, word) in (0..).zip(&tables.rows) {
        row.set(index, word, 0).map_err(|e| map("fingerprint_rows", e))?;
    }
    let policies_fd = match object.map("policies") {
        Some(Map::ArrayOfMaps(data)) => data.fd().as_fd().try_clone_to_owned(),
        _ => Err(io::ErrorKind::NotFound.into()),
    };
    let again = again(&object)?;
    let enforcing = lsm::load(&mut object, &btf, &options.without);
    let pins = match (&options.pins, &enforcing) {
        (Some(root), Ok(_)) => make_pins(&object, root),
        _ => None,
    };
    let types = AgentTypes::new(take(&mut object, "type_names")?, take(&mut object, "refused_types")?);
    let maps = Maps {
        policies_fd: policies_fd.map_err(|source| KernelError::Map { map: "policies", source })?,
        processes: take(&mut object, "processes")?,
        trees: take(&mut object, "trees")?,
        holds: take(&mut object, "holds")?,
        holds_made: take(&mut object, "holds_made")?,
        held_rules: take(&mut object, "held_rules")?,
        programs: take(&mut object, "programs")?,
        merges: take(&mut object, "merges")?,
        losses: take(&mut object, "losses")?,
        fingerprints: take(&mut object, "fingerprints")?,
        policies: take(&mut object, "policies")?,
        net_rules: take(&mut object, "net_rules")?,
        again,
    };
    let rings = Rings { urgent: take(&mut object, "urgent")?, regular: take(&mut object, "regular")? };
    let mut hooks = Hooks { object, links: Vec::new(), pins, kept: false, opens: None, lsm: Vec::new() };
    // Inheritance before recognition: no child of a recognised process may slip through.
    for (name, _, _) in TRACEPOINTS {
        let program = tracepoint(&mut hooks.object, name);
        let link = program.attach().and_then(|id| program.take_link(id)).map_err(|e| refused(name, e))?;
        hooks.links.push((name, link.into()));
    }
    attach_connects(&mut hooks, &scope.folder)?;
    let posture = lsm::attach(&mut hooks, enforcing);
    Ok(Loaded { maps, types, rings, hooks, scope, compiled, posture })
}

/// The fingerprint automata, one behind the other.
struct FingerprintTables {
    starts: [u32; FINGERPRINT_AUTOMATA_MAX],
    first: [u32; FINGERPRINT_AUTOMATA_MAX],
    classes: [u8; FINGERPRINT_AUTOMATA_MAX * 256],
    rows: Vec<u32>,
}

fn fingerprint_tables(compiled: &Compiled) -> FingerprintTables {
    let mut tables = FingerprintTables {
        starts: [0; FINGERPRINT_AUTOMATA_MAX],
        first: [0; FINGERPRINT_AUTOMATA_MAX],
        classes: [0; FINGERPRINT_AUTOMATA_MAX * 256],
        rows: Vec::new(),
    };
    for (number, (automaton, first)) in compiled.automata.iter().enumerate() {
        // States are offsets of rows, so behind another automaton each moves by what lies before. State 0 stays dead.
        let base = u32::try_from(tables.rows.len()).expect("the automata are bounded");
        let moved = |state: u32| if state == 0 { 0 } else { state + base };
        for row in automaton.table().chunks_exact(automaton.columns() as usize) {
            let (accept, next) = row.split_first().expect("column 0 is the accept");
            tables.rows.push(*accept);
            tables.rows.extend(next.iter().map(|state| moved(*state)));
        }
        tables.starts[number] = moved(automaton.starts().first().copied().unwrap_or(0));
        tables.first[number] = u32::try_from(*first).expect("the data is bounded");
        tables.classes[number * 256..][..256].copy_from_slice(automaton.classes());
    }
    tables
}

fn attach_connects(hooks: &mut Hooks, folder: &File) -> Result<(), KernelError> {
    for (name, _) in CONNECTS {
        let program = connect(&mut hooks.object, name);
        // `Single` is a plain link, of which a cgroup can have many; aya's `AllowMultiple` is refused for links.
        let id = program.attach(folder.as_fd(), CgroupAttachMode::Single).map_err(|e| refused(name, e))?;
        let link = program.take_link(id).map_err(|e| refused(name, e))?;
        let link = FdLink::try_from(link).map_err(|e| KernelError::Refused { program: name, source: chain(&e) })?;
        hooks.links.push((name, link));
    }
    Ok(())
}

/// A folder that the hooks can be kept in; without one they end with the agent, which is said.
fn make_pins(object: &Ebpf, root: &Path) -> Option<Pins> {
    Pins::new(root, |name| match object.map(name) {
        Some(Map::HashMap(data) | Map::Array(data)) => Some(data),
        _ => None,
    })
    .inspect_err(|error| {
        tracing::warn!(folder = %root.display(), reason = %error, "enforcement will end with this agent");
    })
    .ok()
}

/// Descriptors of the maps that [`super::Register`] opens again.
fn again(object: &Ebpf) -> Result<Vec<(&'static str, OwnedFd)>, KernelError> {
    let open = |name| {
        let data = match object.map(name) {
            Some(Map::HashMap(data) | Map::Array(data)) => data.fd().as_fd().try_clone_to_owned(),
            _ => Err(io::ErrorKind::NotFound.into()),
        };
        Ok((name, data.map_err(|source| KernelError::Map { map: name, source })?))
    };
    ["processes", "programs", "type_names", "holds"].into_iter().map(open).collect()
}

pub(super) fn take<M: TryFrom<Map, Error = aya::maps::MapError>>(
    object: &mut Ebpf,
    name: &'static str,
) -> Result<M, KernelError> {
    let found = object.take_map(name).ok_or(KernelError::Map { map: name, source: io::ErrorKind::NotFound.into() })?;
    M::try_from(found).map_err(|e| map(name, e))
}

fn tracepoint<'a>(object: &'a mut Ebpf, name: &str) -> &'a mut BtfTracePoint {
    let program = object.program_mut(name).expect("the object was built with this agent");
    program.try_into().expect("its section says so")
}

fn connect<'a>(object: &'a mut Ebpf, name: &str) -> &'a mut CgroupSockAddr {
    let program = object.program_mut(name).expect("the object was built with this agent");
    program.try_into().expect("its section says so")
}

#[expect(clippy::needless_pass_by_value, reason = "made for map_err, which hands the error over")]
pub(super) fn map(name: &'static str, error: aya::maps::MapError) -> KernelError {
    KernelError::Map { map: name, source: chain(&error) }
}

#[expect(clippy::needless_pass_by_value, reason = "made for map_err, which hands the error over")]
pub(super) fn refused(program: &'static str, error: ProgramError) -> KernelError {
    let source = match &error {
        ProgramError::LoadError { io_error, verifier_log } => {
            // The end of the log says what the verifier objects to.
            let log = verifier_log.to_string();
            let figures = ["processed ", "verification time", "stack depth", "peak_states", "mark_read"];
            let said = log.lines().filter(|line| !figures.iter().any(|figure| line.trim_start().starts_with(figure)));
            let end: Vec<&str> = said.collect::<Vec<_>>().into_iter().rev().take(VERIFIER_LINES).collect();
            io::Error::other(format!("{io_error} {}", end.into_iter().rev().collect::<Vec<_>>().join("; ")))
        }
        other => chain(other),
    };
    KernelError::Refused { program, source }
}

/// An error with its causes in one line: aya's own types stay in this module.
pub(super) fn chain(error: &dyn std::error::Error) -> io::Error {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    io::Error::other(text)
}
