//! What tables say, as bytes that are the same on every host.
//!
//! A host numbers agent types and generations as they come, so the kernel's own bytes differ from host to host. These don't: they follow
//! from the policy alone, as long as [`CONTENTS_VERSION`] is the same. So a server can tell whether a host's kernel judges by the
//! policy that it should.
//!
//! Layout, all numbers little-endian: the start of the automaton over programs (u32), the two maps of classes (256 bytes each); then
//! six lists, each with its length (u32) first: rows over programs (u32), rows over paths (u32), profiles (15 u32: anchored,
//! floating, fallback, truncated of each action, then the address table, then which rules with a condition count, low half first),
//! rules with a condition (5 u32: action, anchored, floating, denial, address table or 0xffffffff), cells (u16), agent types in order of
//! name (length u32, name, first cell u16), prefixes. A prefix is its table (u32), length (u8), address (16 bytes), default (u8), and the
//! list of its entries (8 bytes each, see [`Prefix`]). Zeros at the end of a list of rows, profiles, rules or cells don't count, as the kernel's tables have a
//! fixed size.

use sha2::{Digest, Sha256};

use super::{ACTIONS, FILE_ACTIONS, Image};
use crate::net::table::{Effect, NetEntry};
use crate::words::{Protocol, Verdict};

/// Goes up whenever the same policy makes other contents; a test holds it to that.
pub const CONTENTS_VERSION: u32 = 2;
/// Words of a profile.
pub const PROFILE_WORDS: usize = 4 * FILE_ACTIONS.len() + 3;
/// Words of a rule with a condition.
pub const CONDITIONAL_WORDS: usize = 5;

/// What tables say, lent by whoever holds them.
#[derive(Debug)]
pub struct Contents<'a> {
    /// Where the walk over a program's path begins.
    pub program_start: u32,
    /// The column of each byte of such a path.
    pub program_classes: &'a [u8; 256],
    /// The automaton over programs.
    pub program_rows: &'a [u32],
    /// The column of each byte of a path.
    pub file_classes: &'a [u8; 256],
    /// The automaton over paths.
    pub file_rows: &'a [u32],
    /// Of each profile: anchored, floating, fallback, truncated of each action; the number of its address table; the low and the high
    /// half of the rules with a condition that count.
    pub profiles: Vec<[u32; PROFILE_WORDS]>,
    /// Of each rule with a condition: action (0 to 2 as in [`FILE_ACTIONS`], 3 `net_connect`, 4 none that the kernel judges), anchored,
    /// floating, denial, address table or [`u32::MAX`].
    pub conditional: Vec<[u32; CONDITIONAL_WORDS]>,
    /// Profile numbers, by agent type and class of program.
    pub cells: Vec<u16>,
    /// Agent types with their first cell, in order of name.
    pub types: Vec<(&'a str, u16)>,
    /// In order.
    pub prefixes: Vec<Prefix>,
}

/// A prefix of an address table. Ordered by table, length and address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Prefix {
    /// Number of the table.
    pub table: u32,
    /// 0 to 128.
    pub length: u8,
    /// First address, IPv4 as mapped.
    pub addr: [u8; 16],
    /// Where no entry decides: 0 allow, 1 deny, 2 alert.
    pub fallback: u8,
    /// First and last port, number of the rule (u16 each), protocol (0: any), and 0 allow, 1 deny, 2 alert, 255 exempt.
    pub entries: Vec<[u8; 8]>,
}

impl Prefix {
    /// An entry: its ports and rule, and what stands for protocol and effect.
    pub fn entry(port_first: u16, port_last: u16, rule: u16, kind: [u8; 2]) -> [u8; 8] {
        let mut bytes = [0; 8];
        for (two, number) in bytes.chunks_exact_mut(2).zip([port_first, port_last, rule]) {
            two.copy_from_slice(&number.to_le_bytes());
        }
        bytes[6..].copy_from_slice(&kind);
        bytes
    }
}

impl Contents<'_> {
    /// [`CONTENTS_VERSION`], `-`, and SHA-256 of the contents in lower-case hex. Digests of different versions say nothing of each other.
    pub fn digest(&self) -> String {
        let mut hasher = Sha256::new();
        self.feed(|bytes| hasher.update(bytes));
        format!("{CONTENTS_VERSION}-{}", hex::encode(hasher.finalize()))
    }

    /// Hands the bytes over, piece by piece.
    fn feed(&self, mut out: impl FnMut(&[u8])) {
        out(&self.program_start.to_le_bytes());
        out(self.program_classes);
        out(self.file_classes);
        for rows in [self.program_rows, self.file_rows] {
            let rows = without_end(rows, |word| *word == 0);
            out(&length(rows.len()));
            for rows in rows.chunks(1024) {
                out(&rows.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>());
            }
        }
        words(&mut out, &self.profiles);
        words(&mut out, &self.conditional);
        let cells = without_end(&self.cells, |cell| *cell == 0);
        out(&length(cells.len()));
        for cell in cells {
            out(&cell.to_le_bytes());
        }
        out(&length(self.types.len()));
        for (name, cell) in &self.types {
            out(&length(name.len()));
            out(name.as_bytes());
            out(&cell.to_le_bytes());
        }
        out(&length(self.prefixes.len()));
        for prefix in &self.prefixes {
            out(&prefix.table.to_le_bytes());
            out(&[prefix.length]);
            out(&prefix.addr);
            out(&[prefix.fallback]);
            out(&length(prefix.entries.len()));
            for entry in &prefix.entries {
                out(entry);
            }
        }
    }
}

fn words<const N: usize>(mut out: impl FnMut(&[u8]), list: &[[u32; N]]) {
    let list = without_end(list, |item| item.iter().all(|word| *word == 0));
    out(&length(list.len()));
    for word in list.iter().flatten() {
        out(&word.to_le_bytes());
    }
}

fn length(len: usize) -> [u8; 4] {
    u32::try_from(len).expect("tables are bounded far below 2^32").to_le_bytes()
}

fn without_end<T>(list: &[T], is_end: impl Fn(&T) -> bool) -> &[T] {
    &list[..list.iter().rposition(|item| !is_end(item)).map_or(0, |last| last + 1)]
}

impl Image {
    /// What these tables say.
    pub fn contents(&self) -> Contents<'_> {
        let programs = self.profiles.programs();
        let width = programs.accepts();
        let types = self.profiles.types();
        let first = |number: usize| u16::try_from(number * width).expect("cells are bounded by PROFILE_CELLS_MAX");
        let profile = |profile: &super::ImageProfile| {
            let mut words = [0; PROFILE_WORDS];
            for (words, cell) in words.chunks_exact_mut(4).zip(&profile.files) {
                words.copy_from_slice(&[cell.starts[0], cell.starts[1], cell.fallback.bits(), cell.truncated.bits()]);
            }
            let [low, high] = halves(profile.conditional.bits());
            words[4 * FILE_ACTIONS.len()..].copy_from_slice(&[profile.net.into(), low, high]);
            words
        };
        let conditional = |rule: &super::Conditional| {
            let action = ACTIONS.iter().position(|action| *action == rule.action).unwrap_or(ACTIONS.len());
            let action = u32::try_from(action).expect("a short list");
            [action, rule.starts[0], rule.starts[1], rule.word.bits(), rule.net.map_or(u32::MAX, u32::from)]
        };
        let prefixes = (0..).zip(&self.net).flat_map(|(table, net)| {
            net.prefixes.iter().map(move |prefix| Prefix {
                table,
                length: prefix.length,
                addr: prefix.addr.octets(),
                fallback: verdict(net.default),
                entries: prefix.entries.iter().map(entry).collect(),
            })
        });
        let mut prefixes: Vec<Prefix> = prefixes.collect();
        prefixes.sort_unstable();
        Contents {
            program_start: programs.starts()[0],
            program_classes: programs.classes(),
            program_rows: programs.table(),
            file_classes: &self.classes,
            file_rows: &self.rows,
            profiles: self.list.iter().map(profile).collect(),
            conditional: self.conditional.iter().map(conditional).collect(),
            cells: (0..=types.len()).flat_map(|number| self.profiles.row(number)).copied().collect(),
            types: (1..).zip(types).map(|(number, name)| (name.as_str(), first(number))).collect(),
            prefixes,
        }
    }
}

/// The low half of a number, then the high one.
pub fn halves(bits: u64) -> [u32; 2] {
    [bits & u64::from(u32::MAX), bits >> 32].map(|half| u32::try_from(half).expect("half of 64 bits"))
}

fn entry(entry: &NetEntry) -> [u8; 8] {
    let protocol = match entry.protocol {
        None => 0,
        Some(Protocol::Tcp) => 6,
        Some(Protocol::Udp) => 17,
    };
    let effect = match entry.effect {
        Effect::Verdict(own) => verdict(own),
        Effect::Exempt => 255,
    };
    Prefix::entry(*entry.ports.start(), *entry.ports.end(), entry.rule, [protocol, effect])
}

fn verdict(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Allow => 0,
        Verdict::Deny => 1,
        Verdict::Alert => 2,
    }
}
