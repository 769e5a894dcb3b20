//! What the handle and the reader share: maps, attachments, agent types, ids.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use aya::maps::{Array, MapData};
use tokio::sync::mpsc;

use super::abi::{AGENT_TYPES_MAX, FingerprintEntry, KINDS_MAX, LOSSES, OpenRecord, TypeName, VERDICTS_MAX};
use super::abi::{FINGERPRINT_INTERPRETER, FINGERPRINT_TOOL, FINGERPRINT_WEAK};
use super::load::{Hooks, Maps, map};
use super::policy::Published;
use super::register::Tally;
use super::{Governed, KernelError, Loss, LossKind};
use crate::decode::{FoundBy, Program, TreeId};
use crate::fingerprints::{Compiled, Meaning};
use crate::scope::Scope;

/// Set in the ids that the agent gives out; the kernel programs count up from 1.
const OWN_IDS: u64 = 1 << 63;

/// News for the reader from outside the rings.
#[derive(Debug)]
pub(super) enum Note {
    /// A tree whose root ran already.
    Tree { tree: TreeId, agent_type: Arc<str>, pid: u32, program: u64, found_by: FoundBy, pattern: Arc<str> },
    /// A program that ran already.
    Program { id: u64, program: Arc<Program> },
    /// What was judged outside of the kernel programs; `observed`: its call makes a record too when it ends.
    Judged { record: Box<OpenRecord>, path: Vec<u8>, observed: bool },
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) maps: Mutex<Maps>,
    pub(super) hooks: Mutex<Hooks>,
    pub(super) types: Mutex<AgentTypes>,
    pub(super) published: Mutex<Published>,
    pub(super) scope: Scope,
    pub(super) compiled: Compiled,
    pub(super) notes: mpsc::UnboundedSender<Note>,
    pub(super) tally: Arc<Tally>,
    ids: AtomicU64,
}

impl Shared {
    pub(super) fn new(
        maps: Maps,
        types: AgentTypes,
        hooks: Hooks,
        scope: Scope,
        compiled: Compiled,
        notes: mpsc::UnboundedSender<Note>,
    ) -> Result<Self, KernelError> {
        let shared = Self {
            maps: Mutex::new(maps),
            hooks: Mutex::new(hooks),
            types: Mutex::new(types),
            published: Mutex::new(Published::default()),
            scope,
            compiled,
            notes,
            tally: Arc::default(),
            ids: AtomicU64::new(1),
        };
        shared.fill_fingerprints()?;
        Ok(shared)
    }

    /// The pattern behind the number that a record carries; `None` for 0.
    pub(super) fn pattern(&self, number: u32) -> Option<usize> {
        match self.compiled.meanings.get((number as usize).checked_sub(1)?)? {
            Meaning::Pattern(at) => Some(*at),
            Meaning::Interpreter(_) => None,
        }
    }

    /// An id for a tree or program that the agent names itself.
    pub(super) fn next_id(&self) -> u64 {
        OWN_IDS | self.ids.fetch_add(1, Ordering::Relaxed)
    }

    fn fill_fingerprints(&self) -> Result<(), KernelError> {
        let mut types = self.types.lock().expect("no holder panics");
        let mut maps = self.maps.lock().expect("no holder panics");
        for (index, meaning) in (0..).zip(&self.compiled.meanings) {
            let entry = match *meaning {
                Meaning::Interpreter(number) => FingerprintEntry {
                    agent_type: u16::try_from(number).expect("interpreters are few"),
                    flags: FINGERPRINT_INTERPRETER,
                },
                Meaning::Pattern(at) => {
                    let pattern = &self.compiled.patterns[at];
                    let agent_type = types
                        .number(&pattern.agent_type)
                        .ok_or_else(|| KernelError::AgentTypes { agent_type: pattern.agent_type.clone() })?;
                    let weak = if pattern.into.is_some() { FINGERPRINT_WEAK } else { 0 };
                    let tool = if pattern.tool { FINGERPRINT_TOOL } else { 0 };
                    FingerprintEntry { agent_type, flags: weak | tool }
                }
            };
            maps.fingerprints.set(index, entry, 0).map_err(|e| map("fingerprints", e))?;
        }
        Ok(())
    }

    /// Ends a process that turned out to be a tool which may not run: the kernel only suspected it. By then it has run for some
    /// milliseconds.
    pub(super) fn end_if_refused(&self, agent_type: u16, pid: u32) {
        let types = self.types.lock().expect("no holder panics");
        let name = types.name(agent_type);
        let Ok(pid) = libc::pid_t::try_from(pid) else { return };
        if types.is_refused(&name) {
            // SAFETY: a plain system call.
            let done = unsafe { libc::kill(pid, libc::SIGKILL) };
            tracing::warn!(agent_type = &*name, pid, ended = done == 0, "an AI tool of a type that is not registered");
        }
    }

    pub(super) fn losses(&self) -> Vec<Loss> {
        let maps = self.maps.lock().expect("no holder panics");
        let mut losses = Vec::new();
        for (reason_number, reason) in LOSSES.into_iter().enumerate() {
            for (kind_number, kind) in [
                (1, LossKind::Exec),
                (2, LossKind::Exit),
                (3, LossKind::Open),
                (4, LossKind::Connect),
                (5, LossKind::Exec),
            ] {
                for (verdict_number, verdict) in
                    [tyr_policy::Verdict::Allow, tyr_policy::Verdict::Deny, tyr_policy::Verdict::Alert]
                        .into_iter()
                        .enumerate()
                {
                    let index = (reason_number * KINDS_MAX + kind_number) * VERDICTS_MAX + verdict_number;
                    let index = u32::try_from(index).expect("a small table");
                    let count = maps.losses.get(&index, 0).map_or(0, |per_cpu| per_cpu.iter().sum());
                    if count > 0 {
                        losses.push(Loss { kind, verdict, reason, count });
                    }
                }
            }
        }
        losses.extend(self.tally.losses());
        losses
    }

    pub(super) fn governed(&self) -> Governed {
        let maps = self.maps.lock().expect("no holder panics");
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Governed {
            processes: count(maps.processes.keys().flatten().count()),
            trees: count(maps.trees.keys().flatten().count()),
        }
    }
}

/// Agent types by the number that the kernel knows them by.
pub(super) struct AgentTypes {
    list: Vec<Arc<str>>,
    /// The same for whoever takes over.
    names: Array<MapData, TypeName>,
    /// Whose tools the kernel ends.
    refused: Array<MapData, u32>,
    /// All types but these are refused; `None`: none is.
    registered: Option<BTreeSet<String>>,
}

impl std::fmt::Debug for AgentTypes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("AgentTypes").field(&self.list).finish()
    }
}

impl AgentTypes {
    pub(super) fn new(names: Array<MapData, TypeName>, refused: Array<MapData, u32>) -> Self {
        Self { list: Vec::new(), names, refused, registered: None }
    }

    /// See [`super::Kernel::refuse_types`].
    pub(super) fn refuse(&mut self, registered: Option<BTreeSet<String>>) -> Result<(), KernelError> {
        self.registered = registered;
        for at in 0..self.list.len() {
            self.set_refused(at).map_err(|e| map("refused_types", e))?;
        }
        Ok(())
    }

    /// Whether tools of this type are ended.
    pub(super) fn is_refused(&self, name: &str) -> bool {
        self.registered.as_ref().is_some_and(|registered| !registered.contains(name))
    }

    fn set_refused(&mut self, at: usize) -> Result<(), aya::maps::MapError> {
        let refused = u32::from(self.is_refused(&self.list[at]));
        self.refused.set(u32::try_from(at).expect("bounded by AGENT_TYPES_MAX"), refused, 0)
    }

    /// The number of a type, a new one if need be; `None` when there are too many.
    pub(super) fn number(&mut self, name: &str) -> Option<u16> {
        let at = self.list.iter().position(|known| **known == *name).unwrap_or(self.list.len());
        if at == AGENT_TYPES_MAX {
            return None;
        }
        if at == self.list.len() {
            if let Err(error) = self.names.set(u32::try_from(at).ok()?, TypeName::new(name), 0) {
                tracing::warn!(reason = %error, "an agent type could not be noted for the agent that takes over");
            }
            self.list.push(name.into());
            if let Err(error) = self.set_refused(at) {
                tracing::error!(agent_type = name, reason = %error, "whether an agent type may run could not be told to the kernel");
            }
        }
        u16::try_from(at).ok()
    }

    pub(super) fn name(&self, number: u16) -> Arc<str> {
        self.list.get(usize::from(number)).cloned().unwrap_or_default()
    }
}
