//! An effective policy in the form that the kernel looks up.
//!
//! What it says is settled by [`Image`]; here it becomes the contents of maps. The tables over files are one value. Of addresses
//! the kernel has one trie of prefixes, whose key begins with a generation and the number of an address table, which a profile
//! names. A process's profile follows from its agent type and the class of its executable, which is an accept of the automaton
//! over `binaries`. The class is found at a process's first judged action under a generation, from the path that its exec left in the kernel, so it holds across forks and from one policy to the next.
//!
//! Publishing writes the lists under a new generation, then puts that generation in force, files and addresses alike, with one
//! update of a map in a map, which returns when no program uses the one before; then the old lists go.

use std::os::fd::AsFd;

use aya::maps::lpm_trie::Key;
use aya::maps::{ArrayOfMaps, LpmTrie, MapData};
use tyr_policy::{
    CONDITIONAL_WORDS, Contents, Effect, FileCell, Held, Image, NetPrefix, PROFILE_WORDS, Prefix, Protocol, Verdict,
    halves,
};

use super::abi::{
    self, ConditionalData, FileCellData, NET_ENTRIES_MAX, NetEntryData, NetKeyData, NetList, POLICY_LAYOUT,
    PolicyTables, ProfileData,
};
use super::holds::Numbering;
use super::load::map;
use super::shared::Shared;
use super::slot::Slot;
use super::{KernelError, Tables};

/// What is in the trie now.
#[derive(Debug, Default)]
pub(super) struct Published {
    /// The rules with a condition of the policy in force, and its generation.
    pub(super) numbering: Numbering,
    keys: Vec<(u32, NetKeyData)>,
    /// The map that holds the tables in force, the agent types that they name, and the digest of what was written there.
    slot: Option<(Slot, Vec<String>, String)>,
}

impl Shared {
    /// See [`super::Kernel::publish`].
    pub(super) fn publish(&self, image: &Image) -> Result<u32, KernelError> {
        let mut published = self.published.lock().expect("no holder panics");
        let generation = published.numbering.generation + 1;
        let rules = image.conditional().iter().map(|rule| rule.identity).collect();
        let numbering = Numbering { generation, rules };
        let tables = {
            let mut types = self.types.lock().expect("no holder panics");
            tables(image, generation, |agent_type| types.number(agent_type))?
        };
        // Borrowed here, or a copy of all of it would lie on the stack.
        let tables: &PolicyTables = &tables;
        let lists = (0..).zip(image.net()).flat_map(|(net, table)| {
            table.prefixes.iter().map(move |prefix| (key(generation, net, prefix), prefix, table.default))
        });

        let mut maps = self.maps.lock().expect("no holder panics");
        let mut keys = Vec::new();
        let mut written = Ok(());
        for ((bits, data), prefix, default) in lists {
            written =
                maps.net_rules.insert(&Key::new(bits, data), list(prefix, default), 0).map_err(|e| map("net_rules", e));
            if written.is_err() {
                break;
            }
            keys.push((bits, data));
        }
        let written = written.and_then(|()| {
            maps.name_held_rules(&numbering)?;
            maps.carry_holds(&published.numbering, &numbering, true);
            swap(&mut maps.policies, tables)
        });
        // Of a generation that did not come into force, or of the one before: nobody looks these up any more.
        let stale = if written.is_ok() { std::mem::replace(&mut published.keys, keys) } else { keys };
        for (bits, data) in stale {
            let _ = maps.net_rules.remove(&Key::new(bits, data));
        }
        published.slot = Some((written?, image.profiles().types().to_vec(), image.contents().digest()));
        let before = std::mem::replace(&mut published.numbering, numbering);
        maps.carry_holds(&before, &published.numbering, false);
        maps.drop_idle_holds(generation);
        if let Err(error) = maps.name_generation(generation) {
            tracing::warn!(reason = %error, "the agent that takes over would know of holds under the policy before alone");
        }
        Ok(generation)
    }

    /// See [`super::Kernel::tables`].
    pub(super) fn tables(&self) -> Result<Option<Tables>, KernelError> {
        let published = self.published.lock().expect("no holder panics");
        let Some((slot, names, written)) = &published.slot else { return Ok(None) };
        let failed = |source| KernelError::Map { map: "policies", source };
        let tables = slot.read().map_err(failed)?;
        let mut types = self.types.lock().expect("no holder panics");
        let numbers = names.iter().map(|name| types.number(name).map_or(0, usize::from));
        let types: Vec<(&str, u16)> =
            names.iter().zip(numbers).map(|(name, number)| (name.as_str(), tables.type_cells[number])).collect();
        let maps = self.maps.lock().expect("no holder panics");
        let generation = published.numbering.generation;
        let prefixes = prefixes(&maps.net_rules, generation)?;
        let digest = contents(&tables, types, prefixes).digest();
        // Of types that the policy doesn't name there is nothing, and nothing else is beside the contents.
        let others = tables.type_cells.iter().filter(|cell| **cell != 0).count();
        let whole = tables.layout == POLICY_LAYOUT && tables.generation == generation && others == names.len();
        let intact = whole && slot.is_in(maps.policies_fd.as_fd()).map_err(failed)? && digest == *written;
        Ok(Some(Tables { generation, digest, intact }))
    }
}

/// What the kernel's tables say.
fn contents<'a>(tables: &'a PolicyTables, types: Vec<(&'a str, u16)>, prefixes: Vec<Prefix>) -> Contents<'a> {
    let profile = |profile: &ProfileData| {
        let mut words = [0; PROFILE_WORDS];
        for (words, cell) in words.chunks_exact_mut(4).zip(&profile.files) {
            words.copy_from_slice(&[cell.anchored, cell.floating, cell.fallback, cell.truncated]);
        }
        let [low, high] = halves(profile.conditional);
        words[4 * abi::FILE_ACTIONS..].copy_from_slice(&[profile.net, low, high]);
        words
    };
    let conditional = |(position, rule): (usize, &ConditionalData)| {
        let about = |rules: &u64| !Held::from_bits(*rules).and(Held::nth(position)).is_empty();
        let action = tables.conditional_of.iter().position(about).unwrap_or(abi::ACTIONS);
        let cell = &rule.files;
        // What is behind the rules that there are is zeros, which name no rule.
        let action = if cell.truncated == 0 { 0 } else { u32::try_from(action).expect("a short list") };
        let words: [u32; CONDITIONAL_WORDS] = [action, cell.anchored, cell.floating, cell.truncated, rule.net];
        words
    };
    Contents {
        program_start: tables.binary_start,
        program_classes: &tables.binary_classes,
        program_rows: &tables.binary_rows,
        file_classes: &tables.file_classes,
        file_rows: &tables.file_rows,
        profiles: tables.profiles.iter().map(profile).collect(),
        conditional: tables.conditional.iter().enumerate().map(conditional).collect(),
        cells: tables.cells.to_vec(),
        types,
        prefixes,
    }
}

/// All that the trie holds under a generation, in order.
fn prefixes(trie: &LpmTrie<MapData, NetKeyData, NetList>, generation: u32) -> Result<Vec<Prefix>, KernelError> {
    let failed = |error| map("net_rules", error);
    let mut prefixes = Vec::new();
    for key in trie.keys() {
        let key = key.map_err(failed)?;
        let NetKeyData { generation: own, profile: table, addr } = key.data();
        // What is shorter holds for more than one generation or table: nothing of ours.
        if own != generation && key.prefix_len() >= 64 {
            continue;
        }
        let list = trie.get(&key, 0).map_err(failed)?;
        let entries =
            list.entries.iter().take(list.count as usize).map(|entry| {
                Prefix::entry(entry.port_first, entry.port_last, entry.rule, [entry.protocol, entry.verdict])
            });
        prefixes.push(Prefix {
            table,
            length: u8::try_from(key.prefix_len().saturating_sub(64)).unwrap_or(u8::MAX),
            addr,
            fallback: u8::try_from(list.fallback).unwrap_or(u8::MAX),
            entries: entries.collect(),
        });
    }
    prefixes.sort_unstable();
    Ok(prefixes)
}

/// A policy as the kernel programs read it. `number` gives the number of an agent type.
pub(super) fn tables(
    image: &Image,
    generation: u32,
    mut number: impl FnMut(&str) -> Option<u16>,
) -> Result<Box<PolicyTables>, KernelError> {
    let profiles = image.profiles();
    let programs = profiles.programs();
    // SAFETY: integers alone (Pod), for which zeros are a value.
    let mut tables: Box<PolicyTables> = unsafe { Box::new_zeroed().assume_init() };
    tables.layout = POLICY_LAYOUT;
    tables.generation = generation;
    tables.binary_start = programs.starts()[0];
    tables.binary_classes = *programs.classes();
    tables.binary_rows[..programs.table().len()].copy_from_slice(programs.table());
    tables.file_classes = *image.classes();
    tables.file_rows[..image.rows().len()].copy_from_slice(image.rows());
    for (slot, profile) in tables.profiles.iter_mut().zip(image.list()) {
        let cell = |cell: &FileCell| FileCellData {
            anchored: cell.starts[0],
            floating: cell.starts[1],
            fallback: cell.fallback.bits(),
            truncated: cell.truncated.bits(),
        };
        let any_address = profile.any_address.bits();
        let conditional = profile.conditional.bits();
        let files = profile.files.each_ref().map(cell);
        *slot = ProfileData { files, net: profile.net.into(), any_address, conditional };
    }
    for (position, (slot, rule)) in tables.conditional.iter_mut().zip(image.conditional()).enumerate() {
        let [anchored, floating] = rule.starts;
        let files = FileCellData { anchored, floating, fallback: 0, truncated: rule.word.bits() };
        *slot = ConditionalData { files, net: rule.net.map_or(u32::MAX, u32::from), _pad: 0 };
        if let Some(action) = tyr_policy::ACTIONS.iter().position(|action| *action == rule.action) {
            tables.conditional_of[action] |= Held::nth(position).bits();
        }
    }

    let width = programs.accepts();
    let rows = (0..=profiles.types().len()).map(|type_number| profiles.row(type_number));
    for (cells, row) in tables.cells.chunks_exact_mut(width).zip(rows) {
        cells.copy_from_slice(row);
    }
    // The first row is that of all other types, which is what zero stands for.
    for (type_number, agent_type) in (1..).zip(profiles.types()) {
        let number = number(agent_type).ok_or_else(|| KernelError::AgentTypes { agent_type: agent_type.clone() })?;
        tables.type_cells[usize::from(number)] =
            u16::try_from(type_number * width).expect("cells are bounded by PROFILE_CELLS_MAX");
    }
    Ok(tables)
}

/// Puts tables in force; returns when no program uses those before. The map that holds them.
pub(super) fn swap(policies: &mut ArrayOfMaps<MapData>, tables: &PolicyTables) -> Result<Slot, KernelError> {
    let failed = |source| KernelError::Map { map: "policies", source };
    let slot = Slot::new(tables).map_err(failed)?;
    policies.set(0, &slot.map_data().map_err(failed)?, 0).map_err(|e| map("policies", e))?;
    Ok(slot)
}

/// A key, and how many of its bits count.
fn key(generation: u32, net: u32, prefix: &NetPrefix) -> (u32, NetKeyData) {
    (64 + u32::from(prefix.length), NetKeyData { generation, profile: net, addr: prefix.addr.octets() })
}

fn list(prefix: &NetPrefix, default: Verdict) -> NetList {
    let none = NetEntryData { port_first: 0, port_last: 0, rule: 0, protocol: 0, verdict: 0 };
    let mut list = NetList {
        count: u32::try_from(prefix.entries.len()).expect("bounded by NET_ENTRIES_MAX"),
        fallback: verdict_number(default).into(),
        entries: [none; NET_ENTRIES_MAX],
    };
    for (slot, entry) in list.entries.iter_mut().zip(&prefix.entries) {
        *slot = NetEntryData {
            port_first: *entry.ports.start(),
            port_last: *entry.ports.end(),
            rule: entry.rule,
            protocol: match entry.protocol {
                None => 0,
                Some(Protocol::Tcp) => abi::IPPROTO_TCP,
                Some(Protocol::Udp) => abi::IPPROTO_UDP,
            },
            verdict: match entry.effect {
                Effect::Verdict(verdict) => verdict_number(verdict),
                Effect::Exempt => abi::NET_EXEMPT,
            },
        };
    }
    list
}

fn verdict_number(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Allow => abi::VERDICT_ALLOW,
        Verdict::Deny => abi::VERDICT_DENY,
        Verdict::Alert => abi::VERDICT_ALERT,
    }
}
