//! The network rules of an effective policy, in the form that the kernel looks up.
//!
//! The kernel has one trie of address prefixes, whose key begins with a generation and a profile. A *profile* is what rules
//! can tell processes apart by: the agent type, and the class of the executable among the `binaries` of all rules, found by
//! an automaton that accepts sets of patterns. The class is found at a process's first connection under a generation,
//! from the path that its exec left in the kernel, so it holds across forks and from one policy to the next.
//!
//! Publishing writes the lists under a new generation, then puts that generation in force with one update of a map in a map,
//! which returns when no program uses the one before; then the old lists go.

use std::collections::{BTreeMap, BTreeSet};

use aya::maps::Array;
use aya::maps::lpm_trie::Key;
use tyr_policy::{Action, Automaton, Cidr, Effective, Glob, NetTarget, Protocol, Verdict, What};

use super::abi::{self, BINARY_ROWS_MAX, NET_ENTRIES_MAX, NetEntryData, NetHead, NetKeyData, NetList};
use super::load::map;
use super::shared::Shared;
use super::{KernelError, abi::AGENT_TYPES_MAX};

/// Profiles, at most: agent types that rules name, times classes of executables.
const PROFILES_MAX: usize = 4096;
/// Lists, at most; the trie holds two generations of them.
const LISTS_MAX: usize = 100_000;

/// Network rules, lowered for the kernel: for each profile and each prefix of addresses the ordered rules that hold.
#[derive(Debug, Clone)]
pub struct NetTables {
    /// Agent types that rules tell apart, in the order of their profiles; profiles for all other types come first.
    types: Vec<String>,
    /// Over the executables that rules name; `None`: they name none.
    binaries: Option<Automaton>,
    lists: BTreeMap<(u16, Cidr), Vec<Entry>>,
    /// Verdict where no rule matches, by profile.
    fallbacks: Vec<Verdict>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    rule: u16,
    /// `None`: the rule does not hold for these.
    verdict: Option<Verdict>,
    first: u16,
    last: u16,
    protocol: Option<Protocol>,
}

impl Entry {
    fn is_whole(&self) -> bool {
        self.first == 0 && self.last == u16::MAX && self.protocol.is_none()
    }
}

/// A policy that the kernel can't hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NetTablesError {
    /// More rules meet at one address than the kernel looks at.
    #[error(
        "rule `{rule}` is one too many for the addresses {prefix}: {NET_ENTRIES_MAX} conditions on ports, protocols and exceptions can hold for the same address"
    )]
    Entries {
        /// The rule that crossed the limit.
        rule: String,
        /// Where.
        prefix: String,
    },
    /// The lists of `binaries` make too large an automaton.
    #[error(
        "the pattern `{pattern}` makes the `binaries` of the network rules need more than {BINARY_ROWS_MAX} table entries"
    )]
    Binaries {
        /// The pattern that crossed the limit.
        pattern: String,
    },
    /// Too many combinations of agent types and binaries.
    #[error("the network rules tell {count} kinds of processes apart; the kernel tables hold {PROFILES_MAX}")]
    Profiles {
        /// How many.
        count: usize,
    },
    /// Too many addresses.
    #[error("the network rules need {count} address lists; the kernel tables hold {LISTS_MAX}")]
    Lists {
        /// How many.
        count: usize,
    },
}

impl NetTables {
    /// Lowers the `net_connect` rules of a policy.
    ///
    /// # Errors
    /// The policy needs more than the kernel's tables hold; the error names the rule.
    pub fn lower(effective: &Effective) -> Result<Self, NetTablesError> {
        let rules: Vec<_> = effective
            .rules()
            .filter(|r| r.rule.action == Action::NetConnect)
            .filter_map(|r| if let What::Net(net) = &r.rule.what { Some((r, net)) } else { None })
            .collect();
        let types: BTreeSet<&String> = rules
            .iter()
            .flat_map(|(r, _)| r.rule.agent_types.iter())
            .chain(effective.layers().iter().filter_map(|layer| layer.agent_type.as_ref()))
            .collect();
        let types: Vec<String> = types.into_iter().cloned().collect();

        let globs: Vec<Glob> = rules.iter().flat_map(|(r, _)| r.rule.binaries.iter().cloned()).collect();
        let binaries = if globs.is_empty() { None } else { Some(binaries(&globs)?) };
        let classes = binaries.as_ref().map_or(1, Automaton::accepts);
        let count = (types.len() + 1) * classes;
        if count > PROFILES_MAX {
            return Err(NetTablesError::Profiles { count });
        }

        let mut tables = Self { types, binaries, lists: BTreeMap::new(), fallbacks: Vec::new() };
        let mut first_glob = Vec::new();
        let mut next = 0_u32;
        for (r, _) in &rules {
            first_glob.push(next);
            next += u32::try_from(r.rule.binaries.len()).expect("a policy is bounded");
        }
        for group in 0..=tables.types.len() {
            let agent_type = group.checked_sub(1).map(|at| tables.types[at].clone());
            for class in 0..classes {
                let profile = u16::try_from(group * classes + class).expect("bounded above");
                let matched: &[u32] = match &tables.binaries {
                    Some(automaton) => automaton.set(u32::try_from(class).expect("bounded above")),
                    None => &[],
                };
                let applies = |at: usize| {
                    let (r, _) = &rules[at];
                    let own = first_glob[at]..first_glob[at] + u32::try_from(r.rule.binaries.len()).expect("bounded");
                    r.layer.is_for(agent_type.as_deref())
                        && (r.rule.agent_types.is_empty()
                            || agent_type.as_ref().is_some_and(|t| r.rule.agent_types.contains(t)))
                        && (own.is_empty() || matched.iter().any(|glob| own.contains(glob)))
                };
                let applying: Vec<_> = (0..rules.len()).filter(|at| applies(*at)).map(|at| rules[at]).collect();
                tables.fallbacks.push(effective.default(Action::NetConnect, agent_type.as_deref()).verdict);
                for prefix in prefixes(applying.iter().map(|(_, net)| *net)) {
                    let list = list(prefix, &applying)?;
                    tables.lists.insert((profile, prefix), list);
                }
            }
        }
        if tables.lists.len() > LISTS_MAX {
            return Err(NetTablesError::Lists { count: tables.lists.len() });
        }
        Ok(tables)
    }
}

fn binaries(globs: &[Glob]) -> Result<Automaton, NetTablesError> {
    let too_large = |at: usize| NetTablesError::Binaries { pattern: globs[at].as_str().to_owned() };
    let automaton = Automaton::all(globs, BINARY_ROWS_MAX / 2).map_err(|e| too_large(e.pattern))?;
    if automaton.table().len() > BINARY_ROWS_MAX {
        return Err(too_large(globs.len() - 1));
    }
    Ok(automaton)
}

/// Every prefix that a rule names, and those of all addresses of either family: an IPv6 block never holds IPv4 addresses,
/// though as bits it might, so that the IPv4 addresses always have a list of their own.
fn prefixes<'a>(nets: impl Iterator<Item = &'a tyr_policy::NetMatch>) -> BTreeSet<Cidr> {
    let all = ["::".parse().map(|a| Cidr::new(a, 0)), "0.0.0.0".parse().map(|a| Cidr::new(a, 0))];
    nets.flat_map(|net| net.allow.iter().chain(&net.deny))
        .filter_map(|target| target.cidr)
        .chain(all.into_iter().flatten().flatten())
        .collect()
}

/// The rules that hold for all addresses of a prefix, in order.
fn list(
    prefix: Cidr,
    rules: &[(tyr_policy::RuleRef<'_>, &tyr_policy::NetMatch)],
) -> Result<Vec<Entry>, NetTablesError> {
    let holds = |target: &&NetTarget| target.cidr.is_none_or(|cidr| cidr.covers(&prefix));
    let mut list = Vec::new();
    for (r, net) in rules {
        let entry = |target: &NetTarget, verdict| Entry {
            rule: r.index,
            verdict,
            first: *target.ports.start(),
            last: *target.ports.end(),
            protocol: target.protocol,
        };
        let (about, except) = net.sides(r.rule.verdict);
        let exempt: Vec<Entry> = except.iter().filter(holds).map(|target| entry(target, None)).collect();
        if exempt.iter().any(Entry::is_whole) {
            continue;
        }
        let any = NetTarget { cidr: None, ports: 0..=u16::MAX, protocol: None };
        let own: Vec<Entry> = if about.is_empty() {
            vec![entry(&any, Some(r.rule.verdict))]
        } else {
            about.iter().filter(holds).map(|target| entry(target, Some(r.rule.verdict))).collect()
        };
        if own.is_empty() {
            continue;
        }
        let ends = exempt.is_empty() && own.iter().any(Entry::is_whole);
        list.extend(exempt);
        list.extend(own);
        if list.len() > NET_ENTRIES_MAX {
            let (addr, length) = prefix.prefix();
            return Err(NetTablesError::Entries { rule: r.rule.name.clone(), prefix: format!("{addr}/{length}") });
        }
        if ends {
            break;
        }
    }
    Ok(list)
}

/// What is in the trie now.
#[derive(Debug, Default)]
pub(super) struct Published {
    generation: u32,
    keys: Vec<(u32, NetKeyData)>,
}

impl Shared {
    /// See [`super::Kernel::publish`].
    pub(super) fn publish(&self, tables: &NetTables) -> Result<u32, KernelError> {
        let mut published = self.published.lock().expect("no holder panics");
        let generation = published.generation + 1;
        let head = self.head(tables, generation)?;
        let head: &NetHead = &head;
        let keys: Vec<_> = tables.lists.keys().map(|(profile, prefix)| key(generation, *profile, prefix)).collect();

        let mut maps = self.maps.lock().expect("no holder panics");
        let mut written = Ok(());
        for ((bits, data), ((profile, _), entries)) in keys.iter().zip(&tables.lists) {
            let list = lower(entries, tables.fallbacks[usize::from(*profile)]);
            written = maps.net_rules.insert(&Key::new(*bits, *data), list, 0).map_err(|e| map("net_rules", e));
            if written.is_err() {
                break;
            }
        }
        let written = written.and_then(|()| {
            let mut slot = Array::create(1, 0).map_err(|e| map("net_policy", e))?;
            slot.set(0, head, 0).map_err(|e| map("net_policy", e))?;
            maps.net_policy.set(0, &slot, 0).map_err(|e| map("net_policy", e))
        });
        // Of a generation that did not come into force, or of the one before: nobody looks these up any more.
        let stale = if written.is_ok() { std::mem::replace(&mut published.keys, keys) } else { keys };
        for (bits, data) in stale {
            let _ = maps.net_rules.remove(&Key::new(bits, data));
        }
        written?;
        published.generation = generation;
        Ok(generation)
    }

    fn head(&self, tables: &NetTables, generation: u32) -> Result<Box<NetHead>, KernelError> {
        // SAFETY: integers alone (Pod), for which zeros are a value.
        let mut head: Box<NetHead> = unsafe { Box::new_zeroed().assume_init() };
        head.generation = generation;
        if let Some(automaton) = &tables.binaries {
            head.binary_start = automaton.starts()[0];
            head.binary_classes = *automaton.classes();
            head.binary_rows[..automaton.table().len()].copy_from_slice(automaton.table());
        }
        let classes = tables.binaries.as_ref().map_or(1, Automaton::accepts);
        let mut types = self.types.lock().expect("no holder panics");
        for (group, agent_type) in (1..).zip(&tables.types) {
            let number =
                types.number(agent_type).ok_or_else(|| KernelError::AgentTypes { agent_type: agent_type.clone() })?;
            head.profile_first[usize::from(number) % AGENT_TYPES_MAX] =
                u16::try_from(group * classes).expect("profiles are bounded");
        }
        Ok(head)
    }
}

/// A key, and how many of its bits count.
fn key(generation: u32, profile: u16, prefix: &Cidr) -> (u32, NetKeyData) {
    let (addr, length) = prefix.prefix();
    (64 + u32::from(length), NetKeyData { generation, profile: profile.into(), addr: addr.octets() })
}

fn lower(entries: &[Entry], fallback: Verdict) -> NetList {
    let none = NetEntryData { port_first: 0, port_last: 0, rule: 0, protocol: 0, verdict: 0 };
    let mut list = NetList {
        count: u32::try_from(entries.len()).expect("bounded when it was made"),
        fallback: verdict_number(fallback).into(),
        entries: [none; NET_ENTRIES_MAX],
    };
    for (slot, entry) in list.entries.iter_mut().zip(entries) {
        *slot = NetEntryData {
            port_first: entry.first,
            port_last: entry.last,
            rule: entry.rule,
            protocol: match entry.protocol {
                None => 0,
                Some(Protocol::Tcp) => abi::IPPROTO_TCP,
                Some(Protocol::Udp) => abi::IPPROTO_UDP,
            },
            verdict: entry.verdict.map_or(abi::NET_EXEMPT, verdict_number),
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
