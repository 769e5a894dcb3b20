//! What two policies judge differently, found by walking both at once, with an example of each difference.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::net::{IpAddr, Ipv6Addr};

use crate::automaton::Automaton;
use crate::eval::{Effective, RuleRef};
use crate::glob::Glob;
use crate::net::canonical;
use crate::net::table::NetTable;
use crate::policy::What;
use crate::profile::Profile;
use crate::survey::PATH_STATES_MAX;
use crate::words::{Action, Protocol, Verdict};

/// Most pairs of states that are looked at for one action of one kind of process.
const PAIRS_MAX: usize = 100_000;
/// Most differences that are told.
const DIFFERENCES_MAX: usize = 500;
/// Most addresses, and ports of each, that are tried.
const ADDRESSES_MAX: usize = 4_096;
const PORTS_MAX: usize = 64;

/// Actions that one policy judges differently from another: all by the same two rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What is done.
    pub action: Action,
    /// A type of agent for whose processes it is so; `None`: any that no rule names.
    pub agent_type: Option<String>,
    /// A program for whose processes it is so; `None`: any that no rule names.
    pub binary: Option<String>,
    /// What the first policy says.
    pub before: Said,
    /// What the second says.
    pub after: Said,
    /// The shortest resource for which it is so.
    pub example: String,
}

/// A verdict and the rule behind it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Said {
    /// The verdict.
    pub verdict: Verdict,
    /// `None`: the default.
    pub rule: Option<String>,
}

/// All that was found.
#[derive(Clone, Debug, Default)]
pub struct Differences {
    /// By action, then in order of length of the example.
    pub list: Vec<Difference>,
    /// Whether some may be missing: the policies are too large to be compared whole.
    pub incomplete: bool,
}

/// Compares two policies. Files, programs and addresses; what is said of server names is not compared.
pub fn differences(before: &Effective, after: &Effective) -> Differences {
    let mut found = Differences::default();
    let mut seen: HashSet<(Profile, Profile)> = HashSet::new();
    for (agent_type, binary) in processes(before, after) {
        let path = binary.as_deref().unwrap_or("/no/rule/names/it").as_bytes();
        let of = |policy: &Effective| policy.profile(agent_type.as_deref(), path);
        let (first, second) = (of(before), of(after));
        if !seen.insert((first.clone(), second.clone())) {
            continue;
        }
        for action in [Action::FileRead, Action::FileWrite, Action::Exec, Action::NetConnect] {
            let sides = [Side::new(before, &first, action), Side::new(after, &second, action)];
            let examples = if action == Action::NetConnect { addresses(&sides) } else { paths(&sides) };
            found.incomplete |= examples.incomplete;
            for (said, example) in examples.list {
                let [before, after] = said;
                let difference = Difference {
                    action,
                    agent_type: agent_type.clone(),
                    binary: binary.clone(),
                    before,
                    after,
                    example,
                };
                // What holds for processes that no rule names holds for the others too, most of the time.
                let known = |known: &Difference| {
                    (known.action, &known.before, &known.after) == (action, &difference.before, &difference.after)
                };
                if !found.list.iter().any(known) {
                    found.list.push(difference);
                }
            }
        }
    }
    found.list.sort_by_key(|difference| difference.action);
    found.incomplete |= found.list.len() > DIFFERENCES_MAX;
    found.list.truncate(DIFFERENCES_MAX);
    found
}

/// Kinds of process that the rules of either policy may tell apart: a path of each of `binaries`, each type that is named.
fn processes(before: &Effective, after: &Effective) -> Vec<(Option<String>, Option<String>)> {
    let mut types = BTreeSet::from([None]);
    let mut binaries = BTreeSet::from([None]);
    for policy in [before, after] {
        types.extend(policy.layers().iter().map(|layer| layer.agent_type.clone()));
        for r in policy.rules() {
            types.extend(r.rule.agent_types.iter().cloned().map(Some));
            binaries.extend(r.rule.binaries.iter().filter_map(shortest).map(Some));
        }
    }
    types.iter().flat_map(|kind| binaries.iter().map(|binary| (kind.clone(), binary.clone()))).collect()
}

/// The shortest path that matches a pattern.
fn shortest(glob: &Glob) -> Option<String> {
    let nothing = Side { rules: Vec::new(), default: Verdict::Allow, automaton: None, table: None };
    let automaton = Automaton::split(std::slice::from_ref(glob), PATH_STATES_MAX).ok()?;
    let one = Side { automaton: Some(automaton), ..nothing.clone() };
    walk(&[one, nothing], |accepts| accepts[0] != 0).list.pop().map(|(_, path)| path)
}

/// One policy's rules of an action for one kind of process.
#[derive(Clone)]
struct Side<'p> {
    rules: Vec<RuleRef<'p>>,
    default: Verdict,
    automaton: Option<Automaton>,
    table: Option<NetTable>,
}

/// Pairs of what is said, and a resource of which it is said.
struct Examples<K> {
    list: Vec<(K, String)>,
    incomplete: bool,
}

impl<'p> Side<'p> {
    fn new(policy: &'p Effective, profile: &Profile, action: Action) -> Self {
        let numbers = profile.rules();
        let applies = |r: &RuleRef<'_>| r.rule.action == action && numbers.binary_search(&r.index).is_ok();
        let rules: Vec<_> = policy.rules().filter(applies).collect();
        let glob = |r: &RuleRef<'_>| match &r.rule.what {
            What::Path(glob) => Some(glob.clone()),
            What::Net(_) | What::ServerName(_) => None,
        };
        let globs: Vec<Glob> = rules.iter().filter_map(glob).collect();
        let is_net = action == Action::NetConnect;
        Self {
            default: profile.default(action).0,
            automaton: (!is_net).then(|| Automaton::split(&globs, PATH_STATES_MAX).ok()).flatten(),
            table: is_net.then(|| policy.network(profile).ok()).flatten(),
            rules,
        }
    }

    fn said(&self, rule: Option<&RuleRef<'_>>) -> Said {
        Said { verdict: rule.map_or(self.default, |r| r.rule.verdict), rule: rule.map(|r| r.rule.name.clone()) }
    }

    fn by_accept(&self, accept: u32) -> Said {
        self.said(accept.checked_sub(1).and_then(|at| self.rules.get(at as usize)))
    }
}

fn paths(sides: &[Side<'_>; 2]) -> Examples<[Said; 2]> {
    if sides.iter().any(|side| side.automaton.is_none()) {
        return Examples { list: Vec::new(), incomplete: true };
    }
    let said = |accepts: [u32; 2]| [sides[0].by_accept(accepts[0]), sides[1].by_accept(accepts[1])];
    let differ = |accepts: [u32; 2]| {
        let [before, after] = said(accepts);
        before.verdict != after.verdict
    };
    let Examples { list, incomplete } = walk(sides, differ);
    Examples { list: list.into_iter().map(|(accepts, path)| (said(accepts), path)).collect(), incomplete }
}

/// Where both automata are, and whether a name has just begun.
type Place = (Vec<u32>, bool);

/// Walks both automata at once over all paths, short ones first: each pair of accepts that is wanted, with its first path.
fn walk(sides: &[Side<'_>; 2], wanted: impl Fn([u32; 2]) -> bool) -> Examples<[u32; 2]> {
    let automata: Vec<&Automaton> = sides.iter().filter_map(|side| side.automaton.as_ref()).collect();
    let bytes = samples(&automata);
    let start: Place = (automata.iter().flat_map(|automaton| automaton.starts().to_vec()).collect(), false);
    let accepts = |states: &[u32]| {
        let mut accepts = [0; 2];
        let mut at = 0;
        for (side, accept) in sides.iter().zip(&mut accepts) {
            let Some(automaton) = &side.automaton else { continue };
            let own = &states[at..at + automaton.starts().len()];
            at += own.len();
            let matched = own.iter().map(|state| automaton.table()[*state as usize]).filter(|accept| *accept != 0);
            *accept = matched.min().unwrap_or(0);
        }
        accepts
    };
    let step = |states: &[u32], byte: u8| -> Vec<u32> {
        let tables = automata.iter().flat_map(|automaton| automaton.starts().iter().map(move |_| automaton));
        let class = |automaton: &Automaton| usize::from(automaton.classes()[usize::from(byte)]);
        tables.zip(states).map(|(automaton, state)| automaton.table()[*state as usize + class(automaton)]).collect()
    };
    // Each place with the one before it, and the byte between.
    let mut places: Vec<(Place, usize, u8)> = vec![(start, 0, 0)];
    // Not the start, which is no path: another may lead there and be one.
    let mut known: HashSet<Place> = HashSet::new();
    let mut found: HashMap<[u32; 2], usize> = HashMap::new();
    let mut list = Vec::new();
    let mut at = 0;
    while at < places.len() {
        let ((states, after_slash), ..) = places[at].clone();
        // Real paths begin with `/`, have no empty names, and don't end in `/`.
        let possible =
            bytes.iter().filter(|byte| if at == 0 { **byte == b'/' } else { !after_slash || **byte != b'/' });
        for &byte in possible {
            let place = (step(&states, byte), byte == b'/');
            if place.0.iter().all(|state| *state == 0) && !wanted([0, 0]) || known.contains(&place) {
                continue;
            }
            if places.len() == PAIRS_MAX {
                return Examples { list, incomplete: true };
            }
            let both = accepts(&place.0);
            known.insert(place.clone());
            places.push((place, at, byte));
            if byte != b'/' && wanted(both) && found.insert(both, places.len()).is_none() {
                list.push((both, path_to(&places, places.len() - 1)));
            }
        }
        at += 1;
    }
    Examples { list, incomplete: false }
}

fn path_to(places: &[(Place, usize, u8)], mut at: usize) -> String {
    let mut path = Vec::new();
    while at != 0 {
        path.push(places[at].2);
        at = places[at].1;
    }
    path.reverse();
    String::from_utf8_lossy(&path).into_owned()
}

/// One byte of each set that the automata don't tell apart, such as people like to read.
fn samples(automata: &[&Automaton]) -> Vec<u8> {
    let readable = |byte: &u8| match byte {
        b'a'..=b'z' => 0,
        b'0'..=b'9' => 1,
        b'A'..=b'Z' => 2,
        b'_' | b'-' | b'.' | b'/' => 3,
        b' '..=b'~' => 4,
        _ => 5,
    };
    let mut bytes: Vec<u8> = (1..=255).collect();
    bytes.sort_by_key(readable);
    let mut seen: HashSet<Vec<u8>> = HashSet::new();
    bytes.retain(|byte| {
        *byte == b'/' || seen.insert(automata.iter().map(|automaton| automaton.classes()[usize::from(*byte)]).collect())
    });
    bytes
}

/// Tries each address and port at which either table may change.
fn addresses(sides: &[Side<'_>; 2]) -> Examples<[Said; 2]> {
    let [Some(first), Some(second)] = [&sides[0].table, &sides[1].table] else {
        return Examples { list: Vec::new(), incomplete: true };
    };
    let mut bits: BTreeSet<u128> = BTreeSet::new();
    let mut ports: BTreeSet<u16> = BTreeSet::from([443]);
    for prefix in first.prefixes.iter().chain(&second.prefixes) {
        let from = u128::from(prefix.addr);
        let size = 1u128.checked_shl(128 - u32::from(prefix.length)).unwrap_or(0);
        bits.insert(from);
        bits.extend(from.checked_add(size));
        for entry in &prefix.entries {
            ports.insert(*entry.ports.start());
            ports.extend(entry.ports.end().checked_add(1));
        }
    }
    let incomplete = bits.len() > ADDRESSES_MAX || ports.len() > PORTS_MAX;
    let mut found: HashSet<[Said; 2]> = HashSet::new();
    let mut list = Vec::new();
    for bits in bits.into_iter().take(ADDRESSES_MAX) {
        let addr: IpAddr = canonical(Ipv6Addr::from(bits).into());
        for &port in ports.iter().take(PORTS_MAX) {
            for protocol in [Protocol::Tcp, Protocol::Udp] {
                let said = |side: &Side<'_>, table: &NetTable| {
                    let (_, rule) = table.lookup(addr, port, protocol);
                    side.said(rule.and_then(|index| side.rules.iter().find(|r| r.index == index)))
                };
                let both = [said(&sides[0], first), said(&sides[1], second)];
                if both[0].verdict != both[1].verdict && found.insert(both.clone()) {
                    let to = std::net::SocketAddr::new(addr, port);
                    let udp = if protocol == Protocol::Udp { "/udp" } else { "" };
                    list.push((both, format!("{to}{udp}")));
                }
            }
        }
    }
    Examples { list, incomplete }
}

#[cfg(test)]
mod tests;
