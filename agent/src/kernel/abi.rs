//! Twins of `ebpf/abi.h`: what the kernel programs and the agent both lay out.
//!
//! Numbers are in the machine's own byte order. A test compares sizes and offsets with the object's BTF.

#![allow(dead_code, reason = "the twin is complete, whether or not a field is read here")]

use aya::Pod;

/// Longest path in a record, in bytes.
pub(crate) const PATH_BYTES_MAX: usize = 4096;
/// Number of the first agent type beyond those that the tables can hold.
pub(crate) const AGENT_TYPES_MAX: usize = 1024;
/// Entries that one prefix of the network rules can have.
pub(crate) const NET_ENTRIES_MAX: usize = 32;
/// Words of the automaton over `binaries`.
pub(crate) const BINARY_ROWS_MAX: usize = 65536;
/// Words of the automaton over paths.
pub(crate) const FILE_ROWS_MAX: usize = 1 << 19;
/// Different sets of rules.
pub(crate) const PROFILES_MAX: usize = 256;
/// Actions on files and programs, each with a cell in a profile.
pub(crate) const FILE_ACTIONS: usize = 3;
/// Which layout of [`PolicyTables`] this is.
pub(crate) const POLICY_LAYOUT: u32 = 3;
/// Actions that rules with a condition can be about: those on files, then connecting.
pub(crate) const ACTIONS: usize = 4;
/// Rules with a condition.
pub(crate) const CONDITIONAL_MAX: usize = 64;
/// Prefixes of the network rules of all profiles together.
pub(crate) const NET_LISTS_MAX: usize = 100_000;
/// Combinations of an agent type and a class of executables that the rules tell apart.
pub(crate) const PROFILE_CELLS_MAX: usize = 4096;

// What the policy crate lets through fits.
const _: () = {
    assert!(NET_ENTRIES_MAX == tyr_policy::NET_ENTRIES_MAX);
    assert!(NET_LISTS_MAX == tyr_policy::NET_LISTS_MAX);
    assert!(PROFILE_CELLS_MAX == tyr_policy::PROFILE_CELLS_MAX);
    assert!(PROFILES_MAX == tyr_policy::PROFILES_MAX);
    assert!(BINARY_ROWS_MAX == tyr_policy::PROGRAM_WORDS_MAX);
    assert!(FILE_ROWS_MAX == tyr_policy::FILE_WORDS_MAX);
    assert!(FILE_ACTIONS == tyr_policy::FILE_ACTIONS.len());
    assert!(ACTIONS == tyr_policy::ACTIONS.len());
    assert!(CONDITIONAL_MAX == tyr_policy::CONDITIONAL_MAX);
};

/// Nanoseconds of `CLOCK_BOOTTIME` by which repeats of an open are merged.
pub(crate) const MERGE_NS: u64 = 1_000_000_000;

pub(crate) const KIND_EXEC: u8 = 1;
pub(crate) const KIND_EXIT: u8 = 2;
pub(crate) const KIND_OPEN: u8 = 3;
pub(crate) const KIND_CONNECT: u8 = 4;
pub(crate) const KIND_RUN: u8 = 5;
pub(crate) const KINDS_MAX: usize = 8;

pub(crate) const VERDICT_ALLOW: u8 = 0;
pub(crate) const VERDICT_DENY: u8 = 1;
pub(crate) const VERDICT_ALERT: u8 = 2;
pub(crate) const VERDICTS_MAX: usize = 4;

/// Why events are lost, in the order of `enum loss`.
pub(crate) const LOSSES: [&str; 4] = ["kernel_ring", "kernel_memory", "kernel_marks", "tried_limit"];

pub(crate) const PROCESS_CANDIDATE: u16 = 1;
pub(crate) const PROCESS_CANARY: u16 = 2;

pub(crate) const RECORD_ROOT: u16 = 1;
pub(crate) const RECORD_LAST: u16 = 2;
pub(crate) const RECORD_CANDIDATE: u16 = 4;
pub(crate) const RECORD_TRIED: u16 = 8;
pub(crate) const RECORD_UNJUDGED: u16 = 16;
pub(crate) const RECORD_JUDGED: u16 = 32;
pub(crate) const RECORD_GUARDED: u16 = 64;
pub(crate) const RECORD_SOCKET: u16 = 128;
pub(crate) const RECORD_FANOTIFY: u16 = 256;
pub(crate) const RECORD_REFUSED: u16 = 512;

pub(crate) const PATH_DELETED: u32 = 1;
pub(crate) const PATH_PSEUDO: u32 = 2;
pub(crate) const PATH_TRUNCATED: u32 = 4;

pub(crate) const FINGERPRINT_WEAK: u16 = 1;
pub(crate) const FINGERPRINT_TOOL: u16 = 2;
pub(crate) const FINGERPRINT_INTERPRETER: u16 = 4;
pub(crate) const FINGERPRINT_AUTOMATA_MAX: usize = 8;

pub(crate) const NET_EXEMPT: u8 = 255;
/// include/uapi/linux/in.h.
pub(crate) const IPPROTO_TCP: u8 = 6;
/// The same.
pub(crate) const IPPROTO_UDP: u8 = 17;

/// Bytes of the buffer that paths are walked in: a path ends at [`PATH_BYTES_MAX`].
pub(crate) const WALK_BYTES: usize = PATH_BYTES_MAX + 256;
const CELLS_AT: usize = 528 + 2 * AGENT_TYPES_MAX;
const CONDITIONAL_OF_AT: usize = CELLS_AT + 2 * PROFILE_CELLS_MAX + 64 * PROFILES_MAX;
const BINARY_ROWS_AT: usize = CONDITIONAL_OF_AT + 8 * ACTIONS + 24 * CONDITIONAL_MAX;

macro_rules! twins {
    ($($(#[$doc:meta])* $name:ident ($c_name:literal, $bytes:expr) { $($field:ident: $kind:ty = $offset:expr,)* })*) => {
        $(
            $(#[$doc])*
            #[repr(C)]
            #[derive(Debug, Clone, Copy)]
            pub(crate) struct $name { $(pub(crate) $field: $kind,)* }

            const _: () = {
                assert!(size_of::<$name>() == $bytes);
                $(assert!(std::mem::offset_of!($name, $field) == $offset);)*
            };

            // SAFETY: `repr(C)`, integers alone, and no padding: the fields' ends are the next one's beginnings (the test
            // against the BTF checks the C side of the same).
            unsafe impl Pod for $name {}
        )*

        /// Name in C, size, and the fields with their offsets, of each twin.
        #[cfg(test)]
        pub(crate) const TWINS: &[(&str, usize, &[(&str, usize)])] =
            &[$(($c_name, $bytes, &[$((stringify!($field), $offset),)*]),)*];
    };
}

twins! {
    /// The mark of a governed process.
    ProcessMark("process", 40) {
        tree: u64 = 0, program: u64 = 8, tried_second: u64 = 16, tried: u32 = 24, agent_type: u16 = 28, flags: u16 = 30,
        binary_class: u64 = 32,
    }
    /// Name of an agent type.
    TypeName("type_name", 64) { text: [u8; 64] = 0, }
    /// The executable of a program.
    ProgramPath("program", 16 + PATH_BYTES_MAX) {
        processes: u32 = 0, path_flags: u32 = 4, path_bytes: u32 = 8, _pad: u32 = 12, path: [u8; PATH_BYTES_MAX] = 16,
    }
    /// What a pattern stands for.
    FingerprintEntry("fingerprint", 4) { agent_type: u16 = 0, flags: u16 = 2, }
    /// First part of every record.
    RecordHead("record", 48) {
        boot_ns: u64 = 0, tree: u64 = 8, program: u64 = 16, pid: u32 = 24, tid: u32 = 28, ppid: u32 = 32, uid: u32 = 36,
        agent_type: u16 = 40, kind: u8 = 42, verdict: u8 = 43, flags: u16 = 44, _pad: u16 = 46,
    }
    /// An exec; path, arguments and name follow.
    ExecRecord("exec_record", 88) {
        head: RecordHead = 0, pattern: u32 = 48, path_flags: u32 = 52, path_bytes: u32 = 56, args_bytes: u32 = 60,
        filename_bytes: u32 = 64, judged: u32 = 68, generation: u32 = 72, caller_type: u16 = 76, _pad: u16 = 78,
        caller: u64 = 80,
    }
    /// What makes two opens the same.
    MergeKey("merge_key", 56) {
        dentry: u64 = 0, mount: u64 = 8, inode: u64 = 16, program: u64 = 24, pid: u32 = 32, generation: u16 = 36,
        access: u16 = 38, second: u32 = 40, moves: u32 = 44, name_hash: u32 = 48, holds: u32 = 52,
    }
    /// Repeats of an open.
    Merge("merge", 24) { first_ns: u64 = 0, last_ns: u64 = 8, count: u64 = 16, }
    /// An open; the path follows.
    OpenRecord("open_record", 144) {
        head: RecordHead = 0, merge: MergeKey = 48, device: u32 = 104, open_flags: u32 = 108, path_bytes: u32 = 112,
        view_at: u32 = 116, path_flags: u32 = 120, errnum: u16 = 124, access: u16 = 126, judged: u32 = 128,
        generation: u32 = 132, action: u16 = 136, operation: u16 = 138, _pad: u32 = 140,
    }
    /// A connection.
    ConnectRecord("connect_record", 80) {
        head: RecordHead = 0, addr: [u8; 16] = 48, generation: u32 = 64, port: u16 = 68, rule: u16 = 70, protocol: u8 = 72,
        family: u8 = 73, kind: u8 = 74, _pad: u8 = 75, socket_protocol: u32 = 76,
    }
    /// What the trie compares.
    NetKeyData("net_key_data", 24) { generation: u32 = 0, profile: u32 = 4, addr: [u8; 16] = 8, }
    /// One rule for one prefix.
    NetEntryData("net_entry", 8) {
        port_first: u16 = 0, port_last: u16 = 2, rule: u16 = 4, protocol: u8 = 6, verdict: u8 = 7,
    }
    /// All rules for one prefix.
    NetList("net_list", 8 + 8 * NET_ENTRIES_MAX) {
        count: u32 = 0, fallback: u32 = 4, entries: [NetEntryData; NET_ENTRIES_MAX] = 8,
    }
    /// What a profile says of an action on files.
    FileCellData("file_cell", 16) { anchored: u32 = 0, floating: u32 = 4, fallback: u32 = 8, truncated: u32 = 12, }
    /// What a profile says.
    ProfileData("profile", 64) {
        files: [FileCellData; FILE_ACTIONS] = 0, net: u32 = 48, any_address: u32 = 52, conditional: u64 = 56,
    }
    /// What a rule with a condition says of a process that is held to it.
    ConditionalData("conditional", 24) { files: FileCellData = 0, net: u32 = 16, _pad: u32 = 20, }
    /// What a process is held to, under one of two generations by each side.
    HoldData("hold", 24) { generations: [u32; 2] = 0, rules: [u64; 2] = 8, }
    /// A policy.
    PolicyTables("policy", BINARY_ROWS_AT + 4 * BINARY_ROWS_MAX + 4 * FILE_ROWS_MAX) {
        layout: u32 = 0, generation: u32 = 4, binary_start: u32 = 8, _pad: u32 = 12, binary_classes: [u8; 256] = 16,
        file_classes: [u8; 256] = 272, type_cells: [u16; AGENT_TYPES_MAX] = 528, cells: [u16; PROFILE_CELLS_MAX] = CELLS_AT,
        profiles: [ProfileData; PROFILES_MAX] = CELLS_AT + 2 * PROFILE_CELLS_MAX,
        conditional_of: [u64; ACTIONS] = CONDITIONAL_OF_AT,
        conditional: [ConditionalData; CONDITIONAL_MAX] = CONDITIONAL_OF_AT + 8 * ACTIONS,
        binary_rows: [u32; BINARY_ROWS_MAX] = BINARY_ROWS_AT,
        file_rows: [u32; FILE_ROWS_MAX] = BINARY_ROWS_AT + 4 * BINARY_ROWS_MAX,
    }
    /// A question to the policy in force, and its answer.
    Rehearsal("rehearsal", WALK_BYTES + 32) {
        path: [u8; WALK_BYTES] = 0, profile: u32 = WALK_BYTES, action: u32 = WALK_BYTES + 4, at: u32 = WALK_BYTES + 8,
        path_flags: u32 = WALK_BYTES + 12, held: u64 = WALK_BYTES + 16, answer: u32 = WALK_BYTES + 24,
        generation: u32 = WALK_BYTES + 28,
    }
    /// What a walk found.
    Walked("walked", 12) { at: u32 = 0, view_at: u32 = 4, flags: u32 = 8, }
    /// The walk beside the kernel's own.
    Comparison("comparison", WALK_BYTES + PATH_BYTES_MAX + 28) {
        walk: [u8; WALK_BYTES] = 0, said: [u8; PATH_BYTES_MAX] = WALK_BYTES, tid: u32 = WALK_BYTES + PATH_BYTES_MAX,
        wanted: u32 = WALK_BYTES + PATH_BYTES_MAX + 4, opens: u32 = WALK_BYTES + PATH_BYTES_MAX + 8,
        said_bytes: i32 = WALK_BYTES + PATH_BYTES_MAX + 12, walked: Walked = WALK_BYTES + PATH_BYTES_MAX + 16,
    }
}

impl TypeName {
    /// Longer names are cut.
    pub(crate) fn new(name: &str) -> Self {
        let mut text = [0; 64];
        let bytes = &name.as_bytes()[..name.floor_char_boundary(text.len())];
        text[..bytes.len()].copy_from_slice(bytes);
        Self { text }
    }

    pub(crate) fn text(&self) -> String {
        let end = self.text.iter().position(|byte| *byte == 0).unwrap_or(self.text.len());
        String::from_utf8_lossy(&self.text[..end]).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;
    use std::process::Command;

    use super::{
        AGENT_TYPES_MAX, BINARY_ROWS_MAX, FILE_ACTIONS, FILE_ROWS_MAX, NET_ENTRIES_MAX, NET_LISTS_MAX, POLICY_LAYOUT,
        PROFILE_CELLS_MAX, PROFILES_MAX, TWINS,
    };

    /// Clang itself says whether C agrees, about each size and each offset.
    #[test]
    fn c_and_rust_lay_out_the_same() {
        let mut c = String::from("#include \"rehearsal.bpf.c\"\n#include \"compare.bpf.c\"\n");
        for (name, limit) in [
            ("AGENT_TYPES_MAX", AGENT_TYPES_MAX),
            ("NET_ENTRIES_MAX", NET_ENTRIES_MAX),
            ("NET_LISTS_MAX", NET_LISTS_MAX),
            ("PROFILE_CELLS_MAX", PROFILE_CELLS_MAX),
            ("BINARY_ROWS_MAX", BINARY_ROWS_MAX),
            ("FILE_ROWS_MAX", FILE_ROWS_MAX),
            ("PROFILES_MAX", PROFILES_MAX),
            ("FILE_ACTIONS", FILE_ACTIONS),
            ("POLICY_LAYOUT", POLICY_LAYOUT as usize),
        ] {
            writeln!(c, "_Static_assert({name} == {limit}, \"{name}\");").unwrap();
        }
        for (name, bytes, fields) in TWINS {
            // aya has the prefix length apart, which is the first member in C.
            let (name, skip) = if *name == "net_key_data" { ("net_key", 4) } else { (*name, 0) };
            writeln!(c, "_Static_assert(sizeof(struct {name}) == {}, \"{name}\");", bytes + skip).unwrap();
            for (field, offset) in *fields {
                let offset = offset + skip;
                let field = if (name, *field) == ("rehearsal", "path") { "walk" } else { *field };
                writeln!(
                    c,
                    "_Static_assert(__builtin_offsetof(struct {name}, {field}) == {offset}, \"{name}.{field}\");"
                )
                .unwrap();
            }
        }
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("twins.c");
        std::fs::write(&source, c).unwrap();
        let clang = std::env::var("CLANG").ok().into_iter().chain((14..=19).rev().map(|v| format!("clang-{v}")));
        let output = clang
            .chain(["clang".to_owned()])
            .find_map(|clang| {
                Command::new(clang)
                    .args(["-target", "bpf", "-D__TARGET_ARCH_x86", "-fsyntax-only", "-I/usr/include/x86_64-linux-gnu"])
                    .arg(concat!("-I", env!("CARGO_MANIFEST_DIR"), "/../ebpf"))
                    .arg(&source)
                    .output()
                    .ok()
            })
            .expect("the build needs clang too");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}
