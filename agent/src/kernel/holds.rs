//! What processes are held to: rules with a condition that count for them without being asked, as their condition held before.
//!
//! The kernel has a set of bits for each such process, by process id; forks inherit it, an exec leaves it alone. A bit is the number of
//! a rule among those with a condition of the policy in force, so it is carried over from one policy to the next by what the rule says
//! ([`tyr_policy::RuleRef::identity`]): into the side of the next generation, before that comes into force.

use std::collections::BTreeSet;

use aya::maps::{Array, MapData};
use tyr_policy::{CONDITIONAL_MAX, Held};

use super::KernelError;
use super::abi::HoldData;
use super::load::{Maps, map};
use super::scan::parent_and_start;
use super::shared::Shared;
use crate::decode::TreeId;

/// Passes over processes, at most: they fork meanwhile.
const PASSES_MAX: usize = 16;
/// include/uapi/linux/bpf.h: `BPF_EXIST`. Whoever ended meanwhile is not to come back.
const EXIST: u64 = 2;

/// Which bit stands for which rule under a generation: the rules with a condition, in order.
#[derive(Debug, Clone, Default)]
pub(super) struct Numbering {
    pub(super) generation: u32,
    pub(super) rules: Vec<u64>,
}

impl Numbering {
    /// The bits of those rules that are among these.
    fn bits(&self, rules: &[u64]) -> Held {
        let positions = rules.iter().filter_map(|rule| self.rules.iter().position(|own| own == rule));
        positions.fold(Held::NONE, |held, position| held.or(Held::nth(position)))
    }

    /// What bits stand for.
    fn rules(&self, held: Held) -> Vec<u64> {
        held.positions().filter_map(|position| self.rules.get(position).copied()).collect()
    }
}

fn side(generation: u32) -> usize {
    (generation & 1) as usize
}

impl HoldData {
    /// Nothing under any policy.
    fn none() -> Self {
        Self { generations: [0; 2], rules: [0; 2] }
    }

    /// What it says under a policy.
    pub(super) fn under(&self, generation: u32) -> Held {
        let side = side(generation);
        if self.generations[side] == generation { Held::from_bits(self.rules[side]) } else { Held::NONE }
    }

    fn set(&mut self, generation: u32, held: Held) {
        (self.generations[side(generation)], self.rules[side(generation)]) = (generation, held.bits());
    }
}

/// Where `held_rules` has the generation in force: behind the names of both sides.
const IN_FORCE_AT: usize = 2 * CONDITIONAL_MAX;

fn name_at(generation: u32, position: usize) -> u32 {
    u32::try_from(side(generation) * CONDITIONAL_MAX + position).expect("a small table")
}

/// What another agent's hold stands for; `rules` is its `held_rules`.
pub(super) fn rules_of(hold: &HoldData, rules: &Array<MapData, u64>) -> Vec<u64> {
    let in_force = rules.get(&u32::try_from(IN_FORCE_AT).expect("a small table"), 0);
    let generation = in_force.ok().and_then(|generation| u32::try_from(generation).ok()).unwrap_or(0);
    let rule = |position| rules.get(&name_at(generation, position), 0).ok();
    hold.under(generation).positions().filter_map(rule).filter(|rule| *rule != 0).collect()
}

impl Shared {
    /// See [`super::Kernel::hold`].
    pub(super) fn hold(&self, pid: u32, tree: TreeId, rule: u64) -> Result<usize, KernelError> {
        // Locked to the end: bits are those of the policy in force.
        let published = self.published.lock().expect("no holder panics");
        let bit = published.numbering.bits(&[rule]);
        let mut held = 0;
        if bit.is_empty() {
            return Ok(held);
        }
        let mut maps = self.maps.lock().expect("no holder panics");
        for _ in 0..PASSES_MAX {
            let fresh = maps.hold_family(pid, tree, published.numbering.generation, bit)?;
            if fresh == 0 {
                break;
            }
            held += fresh;
        }
        Ok(held)
    }

    /// Holds a process to what it was held to by the agent before, once a policy is published.
    pub(super) fn adopt_hold(&self, pid: u32, rules: &[u64]) -> Result<(), KernelError> {
        let mut published = self.published.lock().expect("no holder panics");
        // No policy of this agent yet: bits are given out as they come.
        let own = &mut published.numbering;
        for rule in rules {
            if !own.rules.contains(rule) && own.rules.len() < CONDITIONAL_MAX {
                own.rules.push(*rule);
            }
        }
        let held = own.bits(rules);
        if held.is_empty() {
            return Ok(());
        }
        let mut maps = self.maps.lock().expect("no holder panics");
        let mut hold = HoldData::none();
        hold.set(own.generation, held);
        maps.holds.insert(pid, hold, 0).map_err(|e| map("holds", e))?;
        maps.hold_made()
    }

    /// Holds a process to what another one is held to.
    pub(super) fn inherit_hold(&self, pid: u32, parent: u32) -> Result<(), KernelError> {
        let mut maps = self.maps.lock().expect("no holder panics");
        let Ok(hold) = maps.holds.get(&parent, 0) else { return Ok(()) };
        maps.holds.insert(pid, hold, 0).map_err(|e| map("holds", e))
    }
}

impl Maps {
    /// Holds a process and its descendants to rules; gives the number of those that were not before.
    fn hold_family(&mut self, pid: u32, tree: TreeId, generation: u32, rules: Held) -> Result<usize, KernelError> {
        let own = self.processes.iter().flatten().filter(|(_, mark)| mark.tree == tree.0).map(|(pid, _)| pid);
        let own: BTreeSet<u32> = own.collect();
        if !own.contains(&pid) {
            return Ok(0);
        }
        let parents: Vec<(u32, u32)> = own.iter().filter_map(|pid| Some((*pid, parent_and_start(*pid)?.0))).collect();
        let mut family = BTreeSet::from([pid]);
        loop {
            let children = parents.iter().filter(|(pid, parent)| family.contains(parent) && !family.contains(pid));
            let children: Vec<u32> = children.map(|(pid, _)| *pid).collect();
            if children.is_empty() {
                break;
            }
            family.extend(children);
        }
        let mut fresh = 0;
        for pid in family {
            let mut hold = self.holds.get(&pid, 0).unwrap_or(HoldData::none());
            let before = hold.under(generation);
            if before.or(rules) == before {
                continue;
            }
            hold.set(generation, before.or(rules));
            self.holds.insert(pid, hold, 0).map_err(|e| map("holds", e))?;
            fresh += 1;
        }
        if fresh > 0 {
            self.hold_made()?;
        }
        Ok(fresh)
    }

    /// To be called when a hold is in the table: what was allowed before counts no more.
    fn hold_made(&mut self) -> Result<(), KernelError> {
        let made: u32 = self.holds_made.get(&0, 0).map_err(|e| map("holds_made", e))?;
        // Never 0 again, which says that there is none.
        self.holds_made.set(0, made.wrapping_add(1).max(1), 0).map_err(|e| map("holds_made", e))
    }

    /// Notes for the agent that takes over what the bits of a generation stand for.
    pub(super) fn name_held_rules(&mut self, new: &Numbering) -> Result<(), KernelError> {
        for position in 0..CONDITIONAL_MAX {
            let rule = new.rules.get(position).copied().unwrap_or(0);
            self.held_rules.set(name_at(new.generation, position), rule, 0).map_err(|e| map("held_rules", e))?;
        }
        Ok(())
    }

    /// Notes for the agent that takes over which generation is in force: until then the side of the one before counts.
    pub(super) fn name_generation(&mut self, generation: u32) -> Result<(), KernelError> {
        let index = u32::try_from(IN_FORCE_AT).expect("a small table");
        self.held_rules.set(index, u64::from(generation), 0).map_err(|e| map("held_rules", e))
    }

    /// Fills in what processes are held to under the next policy: of `all` before it is in force, and once more after that of those that
    /// were being forked.
    pub(super) fn carry_holds(&mut self, old: &Numbering, new: &Numbering, mut all: bool) {
        for _ in 0..PASSES_MAX {
            let lacks = |hold: &HoldData| hold.generations[side(new.generation)] != new.generation;
            let pending: Vec<(u32, HoldData)> =
                self.holds.iter().flatten().filter(|(_, hold)| all || lacks(hold)).collect();
            if pending.is_empty() {
                break;
            }
            for (pid, mut hold) in pending {
                hold.set(new.generation, new.bits(&old.rules(hold.under(old.generation))));
                // It may have ended.
                let _ = self.holds.insert(pid, hold, EXIST);
            }
            all = false;
        }
    }

    /// Forgets those that ended while they were being held.
    pub(super) fn drop_stale_holds(&mut self) {
        let held: Vec<u32> = self.holds.keys().flatten().collect();
        for pid in held.into_iter().filter(|pid| self.processes.get(pid, 0).is_err()).collect::<Vec<_>>() {
            let _ = self.holds.remove(&pid);
        }
    }

    /// Forgets those that are held to nothing under the policy in force.
    pub(super) fn drop_idle_holds(&mut self, generation: u32) {
        let idle: Vec<u32> = self
            .holds
            .iter()
            .flatten()
            .filter(|(_, hold)| hold.under(generation).is_empty())
            .map(|(pid, _)| pid)
            .collect();
        for pid in idle {
            let _ = self.holds.remove(&pid);
        }
    }
}
