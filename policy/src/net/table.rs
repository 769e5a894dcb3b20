//! The address rules of one profile as a table for a longest-prefix-match trie.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::RangeInclusive;

use super::{Cidr, NetTarget, canonical};
use crate::eval::{Effective, RuleRef};
use crate::policy::What;
use crate::profile::Profile;
use crate::words::{Action, Protocol, Verdict};

/// Most entries of one prefix: the kernel walks them one by one at each connect.
pub const NET_ENTRIES_MAX: usize = 32;
/// Most prefixes of one table.
pub const NET_PREFIXES_MAX: usize = 4096;

/// Most targets that are looked at to settle all blocks: bounds the time where many blocks lie within each other.
const NET_TARGETS_SEEN_MAX: usize = 1 << 18;

/// What a profile says of connections.
///
/// Of all prefixes that hold an address only the longest is looked at; its entries are complete, in order. An entry *fits* if
/// the port is in its range and the protocol is its own. The first that fits decides, except that [`Effect::Exempt`]
/// only makes the entries of the same rule behind it not fit (they follow it directly). Where nothing decides, the
/// default holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetTable {
    /// By length, then address. `::/0` is always there, and so is `::ffff:0:0/96` unless it says the same.
    pub prefixes: Vec<NetPrefix>,
    /// Where no entry decides.
    pub default: Verdict,
}

/// A block of addresses and what holds in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetPrefix {
    /// First address, IPv4 as mapped; bits behind `length` are zero.
    pub addr: Ipv6Addr,
    /// 0 to 128; IPv4 blocks have 96 and more.
    pub length: u8,
    /// At most [`NET_ENTRIES_MAX`]. Stops behind the first that fits always.
    pub entries: Vec<NetEntry>,
}

/// A rule, or an exemption from it, within a prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetEntry {
    /// Number of the rule in [`Effective::rules`].
    pub rule: u16,
    /// What happens if it fits.
    pub effect: Effect,
    /// Both ends are in it.
    pub ports: RangeInclusive<u16>,
    /// `None`: any.
    pub protocol: Option<Protocol>,
}

/// What an entry does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Decides.
    Verdict(Verdict),
    /// The rule leaves these out: its other entries don't count.
    Exempt,
}

/// The rules are more than the kernel's tables hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetTableError {
    /// More than [`NET_ENTRIES_MAX`] for one block.
    #[error(
        "rule `{rule}` is one too many for the addresses {prefix}: more than {NET_ENTRIES_MAX} entries hold for them"
    )]
    TooManyEntries {
        /// The rule that crossed the limit.
        rule: String,
        /// Its number in [`Effective::rules`].
        index: u16,
        /// The block.
        prefix: Cidr,
    },
    /// More than [`NET_PREFIXES_MAX`] blocks.
    #[error("with rule `{rule}` the rules name more than {NET_PREFIXES_MAX} different blocks of addresses")]
    TooManyPrefixes {
        /// The rule that crossed the limit.
        rule: String,
        /// Its number in [`Effective::rules`].
        index: u16,
    },
    /// Few blocks, but too many rules over each.
    #[error("rules up to `{rule}` say too much of blocks of addresses that lie within each other")]
    TooManyNested {
        /// The last rule over the block at which the limit was crossed.
        rule: String,
        /// Its number in [`Effective::rules`].
        index: u16,
    },
}

impl NetTableError {
    /// Number in [`Effective::rules`] of the rule that crossed the limit.
    pub fn index(&self) -> u16 {
        match self {
            Self::TooManyEntries { index, .. }
            | Self::TooManyPrefixes { index, .. }
            | Self::TooManyNested { index, .. } => *index,
        }
    }
}

/// A target of a rule; by rule, exemptions first.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Candidate {
    rule: u16,
    effect: Effect,
    target: NetTarget,
}

impl Effective {
    /// Lowers the `net_connect` rules that apply to a profile.
    ///
    /// # Errors
    /// A limit of the table, with the rule that crossed it.
    pub fn network(&self, profile: &Profile) -> Result<NetTable, NetTableError> {
        let rules = self.rules_of(profile, Action::NetConnect);
        self.network_of(rules, profile.default(Action::NetConnect).0)
    }

    /// Lowers these rules.
    pub(crate) fn network_of<'s>(
        &'s self,
        rules: impl Iterator<Item = RuleRef<'s>>,
        default: Verdict,
    ) -> Result<NetTable, NetTableError> {
        let mut blocks: BTreeMap<Cidr, Vec<Candidate>> = BTreeMap::new();
        blocks.insert(whole_family(Ipv6Addr::UNSPECIFIED.into()), Vec::new());
        // IPv4 has a block of its own always: what is said of IPv6 blocks doesn't hold for it.
        blocks.insert(whole_family(Ipv4Addr::UNSPECIFIED.into()), Vec::new());
        let mut everywhere = Vec::new();
        for rule in rules {
            for candidate in candidates(&rule) {
                match candidate.target.cidr {
                    None => everywhere.push(candidate),
                    Some(cidr) => blocks.entry(cidr).or_default().push(candidate),
                }
                if blocks.len() > NET_PREFIXES_MAX {
                    return Err(NetTableError::TooManyPrefixes { rule: rule.rule.name.clone(), index: rule.index });
                }
            }
        }
        let mut prefixes: Vec<NetPrefix> = Vec::with_capacity(blocks.len());
        // Blocks come in order of address, wide ones first, so the ones around a block are those still open.
        let mut open: Vec<(u128, u8, Vec<Candidate>, Vec<NetEntry>)> = Vec::new();
        let name = |index| self.rule(index).map_or_else(String::new, |r| r.rule.name.clone());
        let mut seen = 0;
        for (cidr, own) in blocks {
            let (addr, length) = cidr.prefix();
            let bits = u128::from(addr);
            while open.pop_if(|(first, length, ..)| bits & super::mask(*length) != *first).is_some() {}
            let mut here = open.last().map_or_else(|| everywhere.clone(), |(_, _, around, _)| around.clone());
            here.retain(|candidate| candidate.target.cidr.is_none_or(|around| around.covers(&cidr)));
            here.extend(own);
            here.sort_by_key(|candidate| (candidate.rule, candidate.effect != Effect::Exempt));
            seen += here.len();
            if let Some(last) = here.last().filter(|_| seen > NET_TARGETS_SEEN_MAX) {
                return Err(NetTableError::TooManyNested { rule: name(last.rule), index: last.rule });
            }
            let entries = entries(&here).map_err(|index| NetTableError::TooManyEntries {
                rule: name(index),
                index,
                prefix: cidr,
            })?;
            // A block that says what the one around it says needs no entry of its own.
            if open.last().is_none_or(|(_, _, _, around)| *around != entries) {
                prefixes.push(NetPrefix { addr, length, entries: entries.clone() });
            }
            open.push((bits, length, here, entries));
        }
        prefixes.sort_by_key(|prefix| (prefix.length, prefix.addr));
        Ok(NetTable { prefixes, default })
    }
}

fn whole_family(addr: IpAddr) -> Cidr {
    Cidr::new(addr, 0).expect("0 is a length of both families")
}

fn candidates(rule: &RuleRef<'_>) -> Vec<Candidate> {
    let What::Net(net) = &rule.rule.what else { return Vec::new() };
    let (about, except) = net.sides(rule.rule.verdict);
    let candidate = |effect| move |target: &NetTarget| Candidate { rule: rule.index, effect, target: target.clone() };
    let verdict = Effect::Verdict(rule.verdict());
    let mut list: Vec<Candidate> = except.iter().map(candidate(Effect::Exempt)).collect();
    if about.is_empty() {
        let any = NetTarget { cidr: None, ports: 0..=u16::MAX, protocol: None };
        list.push(candidate(verdict)(&any));
    }
    list.extend(about.iter().map(candidate(verdict)));
    list
}

/// The entries that `here`, all of which hold for the block, comes down to; or the rule that is one too many.
fn entries(here: &[Candidate]) -> Result<Vec<NetEntry>, u16> {
    let mut entries: Vec<NetEntry> = Vec::new();
    for rule in here.chunk_by(|a, b| a.rule == b.rule) {
        let split = rule.partition_point(|candidate| candidate.effect == Effect::Exempt);
        let (exempt, about) = rule.split_at(split);
        if about.is_empty() || exempt.iter().any(|candidate| candidate.target.is_whole()) {
            continue;
        }
        // One that holds for all ports makes the others of its rule idle.
        let whole = about.iter().find(|candidate| candidate.target.is_whole());
        for candidate in exempt.iter().chain(whole.map_or(about, std::slice::from_ref)) {
            let entry = NetEntry {
                rule: candidate.rule,
                effect: candidate.effect,
                ports: candidate.target.ports.clone(),
                protocol: candidate.target.protocol,
            };
            if entries.last() == Some(&entry) {
                continue;
            }
            if entries.len() == NET_ENTRIES_MAX {
                return Err(candidate.rule);
            }
            entries.push(entry);
        }
        if whole.is_some() && exempt.is_empty() {
            break;
        }
    }
    Ok(entries)
}

impl NetTable {
    /// Walks the table as the kernel does: the verdict, and the rule that decided.
    pub fn lookup(&self, addr: IpAddr, port: u16, protocol: Protocol) -> (Verdict, Option<u16>) {
        let addr = match canonical(addr) {
            IpAddr::V4(v4) => v4.to_ipv6_mapped(),
            IpAddr::V6(v6) => v6,
        };
        let holds = |prefix: &&NetPrefix| u128::from(addr) & super::mask(prefix.length) == u128::from(prefix.addr);
        let Some(prefix) = self.prefixes.iter().rev().find(holds) else { return (self.default, None) };
        let mut exempt_from = None;
        for entry in &prefix.entries {
            let fits = entry.ports.contains(&port) && entry.protocol.is_none_or(|own| own == protocol);
            if !fits || exempt_from == Some(entry.rule) {
                continue;
            }
            match entry.effect {
                Effect::Exempt => exempt_from = Some(entry.rule),
                Effect::Verdict(verdict) => return (verdict, Some(entry.rule)),
            }
        }
        (self.default, None)
    }
}
