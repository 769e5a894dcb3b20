/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Everything that the programs and tyrd both lay out: records of the rings, keys and values of the maps, limits.
 *
 * Twin: agent/src/kernel/abi.rs. A test compares size and offsets on both sides through the object's BTF.
 * Numbers of kinds, verdicts and reasons are never reused.
 */
#pragma once

#include "core.h"

/* Longest path that the walk gives, in bytes, no NUL: PATH_MAX of include/uapi/linux/limits.h. */
#define PATH_BYTES_MAX 4096
/* NAME_MAX of the same header: longest component of a path. */
#define NAME_BYTES_MAX 255
/* Arguments of an exec that are copied; the rest is cut. */
#define ARGS_BYTES_MAX 4096
/* The name given to exec: cut behind this. */
#define FILENAME_BYTES_MAX 256
/* Governed processes (thread groups) at the same time. */
#define PROCESSES_MAX 65536
/* Process ids are below: PID_MAX_LIMIT of include/linux/threads.h on 64-bit machines. A power of two. */
#define PIDS_MAX (1 << 22)
/* Agent types known at the same time. */
#define AGENT_TYPES_MAX 1024
/* Entries that one prefix of the network rules can have. */
#define NET_ENTRIES_MAX 32
/* Prefixes of the network rules of all profiles together. */
#define NET_LISTS_MAX 100000
/* Combinations of an agent type and a class of executables that the rules tell apart. */
#define PROFILE_CELLS_MAX 4096
/* Different sets of rules that these come down to. A power of two. */
#define PROFILES_MAX 256
/* Rules with a condition: a bit for each. A power of two. */
#define CONDITIONAL_MAX 64
/* Words of the automaton over the `binaries` of the rules. */
#define BINARY_ROWS_MAX 65536
/* Words of the automaton over paths. A power of two. */
#define FILE_ROWS_MAX (1 << 19)
/* Grows with every change of struct policy and of what its numbers mean. */
#define POLICY_LAYOUT 3
/* Repeats of an open are merged by such times of CLOCK_BOOTTIME. */
#define MERGE_NS 1000000000ULL
/* Failed opens with ENOENT that a process reports in a second: more than any search path makes, less than a flood. */
#define TRIED_PER_SECOND_MAX 4096

enum kind {
	KIND_EXEC = 1,
	KIND_EXIT = 2,
	KIND_OPEN = 3,
	KIND_CONNECT = 4,
	/* A program was to run, judged before it did; in an open_record. */
	KIND_RUN = 5,
};

/* What was done to a file; of those that the hooks of LSM report. */
enum operation {
	OPERATION_OPEN = 0,
	OPERATION_CREATE = 1,
	OPERATION_UNLINK = 2,
	OPERATION_RENAME = 3,
	OPERATION_LINK = 4,
	OPERATION_SYMLINK = 5,
	OPERATION_MKDIR = 6,
	OPERATION_RMDIR = 7,
	OPERATION_TRUNCATE = 8,
	OPERATION_CHMOD = 9,
	OPERATION_CHOWN = 10,
	OPERATION_SETXATTR = 11,
	OPERATION_EXEC = 12,
	/* Mapped to be executed. */
	OPERATION_MAP = 13,
	/* A process was to be taken over. */
	OPERATION_ATTACH = 14,
	/* tyrd was to get a signal. */
	OPERATION_SIGNAL = 15,
	/* bpf(2), without a path. */
	OPERATION_BPF = 16,
};
#define KINDS_MAX 8

enum verdict {
	VERDICT_ALLOW = 0,
	VERDICT_DENY = 1,
	VERDICT_ALERT = 2,
};
#define VERDICTS_MAX 4

enum loss {
	/* The ring was full. */
	LOSS_RING = 0,
	/* No memory for the scratch buffer of the thread. */
	LOSS_SCRATCH = 1,
	/* A process could not be marked: PROCESSES_MAX reached, or no memory. */
	LOSS_MARK = 2,
	/* More failed opens than TRIED_PER_SECOND_MAX. */
	LOSS_TRIED = 3,
};
#define LOSSES_MAX 4

/* Flags of struct process. */
enum {
	/* Recognised by a weak pattern; tyrd confirms it, or takes the mark away. */
	PROCESS_CANDIDATE = 1,
	/* Made by tyrd to be denied all it does with files, which shows that denials happen. Makes no events. */
	PROCESS_CANARY = 2,
};

/* Flags of struct record. */
enum {
	/* Exec: the process begins a tree. */
	RECORD_ROOT = 1,
	/* Exit: the tree has no process left. */
	RECORD_LAST = 2,
	/* Exec: recognised by a weak pattern. */
	RECORD_CANDIDATE = 4,
	/* Open: the path is the name as the process wrote it. */
	RECORD_TRIED = 8,
	/* Could not be judged, and was denied for that. */
	RECORD_UNJUDGED = 16,
	/* Open, run and exec: the verdict is the kernel's, given before it happened. */
	RECORD_JUDGED = 32,
	/* Denied whatever the policy says: it would make the policy void. */
	RECORD_GUARDED = 64,
	/* Connect: a socket whose peers no rule can name; instead of address, port and protocol it has family, kind, socket_protocol. */
	RECORD_SOCKET = 128,
	/* Made by tyrd, which gave the verdict through fanotify. */
	RECORD_FANOTIFY = 256,
	/* Exec: an AI tool of a type that may not run; it was ended before its first instruction. */
	RECORD_REFUSED = 512,
};

/* Flags of a path. */
enum {
	PATH_DELETED = 1,
	PATH_PSEUDO = 2,
	PATH_TRUNCATED = 4,
};

/*
 * A verdict and who gives it: the number of the rule + 1 (0: the default) in the upper 24 bits, enum verdict in the lower 8. Of two
 * rules' words the smaller is that of the rule which comes first. 0 says nothing in a row, and "allowed by default" elsewhere.
 */
typedef __u32 word;
#define WORD_VERDICT(word) ((word) & 0xff)
#define WORD_RULE(word) ((word) >> 8)

/* The mark of a governed process; value of `processes`, keyed by thread group id. */
struct process {
	__u64 tree;
	/* Which exec it runs: given by the exec program, or by tyrd (highest bit set); inherited at fork. */
	__u64 program;
	/* Second of CLOCK_BOOTTIME that `tried` counts in. */
	__u64 tried_second;
	__u32 tried;
	__u16 agent_type;
	__u16 flags;
	/*
	 * Class of the executable among the `binaries` of the rules (low half), and the generation of the rules that it was
	 * found under (high half): one word, so that no reader sees one without the other. Found again when the generation moves on.
	 */
	__u64 binary_class;
};

/* Name of an agent type, NUL behind it where it is shorter; element of `type_names`, by number. */
struct type_name {
	char text[64];
};

/* The executable of a program, for rules that name binaries; value of `programs`, keyed by program. */
struct program {
	__u32 processes;
	__u32 path_flags;
	__u32 path_bytes;
	__u32 _pad;
	char path[PATH_BYTES_MAX];
};

/* What a pattern of the fingerprints stands for; element of `fingerprints`. */
struct fingerprint {
	__u16 agent_type;
	/* 1: only a candidate. 2: a tool, which is no root inside another tree. */
	__u16 flags;
};
enum {
	FINGERPRINT_WEAK = 1,
	FINGERPRINT_TOOL = 2,
	/* An interpreter: `agent_type` is the number of the automaton over what it runs. */
	FINGERPRINT_INTERPRETER = 4,
};
/* Automata of the fingerprints: number 0 is over executables, the others over what an interpreter runs. A power of two. */
#define FINGERPRINT_AUTOMATA_MAX 8

/* First part of every record. */
struct record {
	__u64 boot_ns;
	__u64 tree;
	__u64 program;
	__u32 pid;
	__u32 tid;
	__u32 ppid;
	__u32 uid;
	__u16 agent_type;
	__u8 kind;
	__u8 verdict;
	__u16 flags;
	__u16 _pad;
};

/* Behind it come the path, the arguments and the file name. */
struct exec_record {
	struct record head;
	/* 1 + index of the pattern that recognised it; 0: none. */
	__u32 pattern;
	__u32 path_flags;
	__u32 path_bytes;
	__u32 args_bytes;
	__u32 filename_bytes;
	/* Of RECORD_JUDGED: what was said, under which policy. */
	word judged;
	__u32 generation;
	/* The agent type that called exec, whose rules count: where the program is another tool, the process is of another type now. */
	__u16 caller_type;
	__u16 _pad;
	/* The program that called exec; 0: none that is known. */
	__u64 caller;
};

struct exit_record {
	struct record head;
};

/* What makes two opens the same; key of `merges`. */
struct merge_key {
	__u64 dentry;
	__u64 mount;
	__u64 inode;
	__u64 program;
	__u32 pid;
	__u16 generation;
	__u16 access;
	/* Which of the times of MERGE_NS. */
	__u32 second;
	/* What paths_moved() said before the path was looked at. */
	__u32 moves;
	/* Of the last name, salted by the kernel with the folder that it is in. */
	__u32 name_hash;
	/* How often rules had come to hold for a process. */
	__u32 holds;
};

struct merge {
	__u64 first_ns;
	__u64 last_ns;
	/* Repeats of the first. */
	__u64 count;
};

/* Behind it comes the path. */
struct open_record {
	struct record head;
	/* Under this its repeats are counted; pid 0: they are not. */
	struct merge_key merge;
	__u32 device;
	__u32 open_flags;
	__u32 path_bytes;
	/* Bytes of the path before the process's own root. */
	__u32 view_at;
	__u32 path_flags;
	__u16 errnum;
	/* 1 read, 2 write. */
	__u16 access;
	/* Of RECORD_JUDGED: what was said, under which policy, of which enum file_action; and enum operation. */
	word judged;
	__u32 generation;
	__u16 action;
	__u16 operation;
	__u32 _pad;
};

struct connect_record {
	struct record head;
	/* IPv4 as ::ffff:a.b.c.d, network byte order. */
	__u8 addr[16];
	__u32 generation;
	/* Host byte order. */
	__u16 port;
	/* 1 + index of the rule; 0: the default. */
	__u16 rule;
	__u8 protocol;
	/* Of RECORD_SOCKET, as socket(2) takes them. */
	__u8 family;
	__u8 kind;
	__u8 _pad;
	__u32 socket_protocol;
};

/* Key of `net_rules`. The trie compares from `generation` on, so prefix_bits is 64 + length in 128 bits. */
struct net_key {
	__u32 prefix_bits;
	/* Network byte order like all that a trie compares, though any fixed order would do. */
	__u32 generation;
	/* `net` of the profile. */
	__u32 profile;
	__u8 addr[16];
};

struct net_entry {
	__u16 port_first;
	__u16 port_last;
	__u16 rule;
	/* IPPROTO_TCP, IPPROTO_UDP, or 0 for both. */
	__u8 protocol;
	/* enum verdict, or NET_EXEMPT. */
	__u8 verdict;
};
/* The entry's rule does not hold for what the entry matches; later entries of that rule are skipped. */
#define NET_EXEMPT 255

/* All rules that hold for the addresses of one prefix, in order; value of `net_rules`. */
struct net_list {
	__u32 count;
	/* Verdict where no entry matches. */
	__u32 fallback;
	struct net_entry entries[NET_ENTRIES_MAX];
};

enum file_action {
	FILE_READ = 0,
	FILE_WRITE = 1,
	FILE_EXEC = 2,
	FILE_ACTIONS = 3,
};
/* Actions that rules with a condition can be about: those on files, then connecting. */
#define NET_CONNECT 3
#define ACTIONS 4

/* What a profile says of an action on files. */
struct file_cell {
	/* First states for patterns that begin at `/`, and for those that begin anywhere; 0: there are none. */
	__u32 anchored;
	__u32 floating;
	/* Where no rule matches. */
	word fallback;
	/* For a path whose beginning is missing. */
	word truncated;
};

struct profile {
	struct file_cell files[FILE_ACTIONS];
	/* Its number in the keys of `net_rules`. */
	__u32 net;
	/* What it says of a socket whose peers no rule can name. */
	word any_address;
	/* Rules with a condition that count, for a process that is held to them. */
	__u64 conditional;
};

/* What a rule with a condition says of a process that is held to it: it denies what it matches. */
struct conditional {
	/* `truncated` is its denial, `fallback` 0. */
	struct file_cell files;
	/* Its number in the keys of `net_rules`. */
	__u32 net;
	__u32 _pad;
};

/*
 * Rules with a condition that hold for a process, as their condition held for it before; value of `holds`, keyed by thread group id. What
 * a bit stands for changes with the policy, so each of two generations has a side, by the lowest bit of its number: the next one's is
 * filled in before it comes into force.
 */
struct hold {
	__u32 generations[2];
	__u64 rules[2];
};

/*
 * A policy as policy/src/image.rs makes it; the one element of the map in the one slot of `policies`. An automaton is a list of rows; a
 * state is the index of its row; column 0 of a row is what the state accepts (0: nothing), the column of a byte is the next state.
 * State 0 is dead.
 */
struct policy {
	__u32 layout;
	__u32 generation;
	/* First state of the automaton that gives the class of an executable; 0: no rule names binaries, all are of class 0. */
	__u32 binary_start;
	__u32 _pad;
	__u8 binary_classes[256];
	__u8 file_classes[256];
	/* Of each agent type, the first of its `cells`: one for each class of executables. */
	__u16 type_cells[AGENT_TYPES_MAX];
	/* Numbers of profiles. */
	__u16 cells[PROFILE_CELLS_MAX];
	struct profile profiles[PROFILES_MAX];
	/* By action, the rules with a condition that are about it. */
	__u64 conditional_of[ACTIONS];
	struct conditional conditional[CONDITIONAL_MAX];
	__u32 binary_rows[BINARY_ROWS_MAX];
	/* Column 0 has words. */
	__u32 file_rows[FILE_ROWS_MAX];
};

#define SAME_SIZE(type, bytes) _Static_assert(sizeof(type) == (bytes), #type " has another size in abi.rs")
#define SAME_OFFSET(type, field, bytes) \
	_Static_assert(__builtin_offsetof(type, field) == (bytes), #type "." #field " is elsewhere in abi.rs")
SAME_SIZE(struct process, 40);
SAME_SIZE(struct type_name, 64);
SAME_SIZE(struct program, 16 + PATH_BYTES_MAX);
SAME_SIZE(struct fingerprint, 4);
SAME_SIZE(struct record, 48);
SAME_SIZE(struct exec_record, 88);
SAME_SIZE(struct exit_record, 48);
SAME_SIZE(struct merge_key, 56);
SAME_SIZE(struct merge, 24);
SAME_SIZE(struct open_record, 144);
SAME_OFFSET(struct open_record, path_bytes, 112);
SAME_SIZE(struct connect_record, 80);
SAME_SIZE(struct net_key, 28);
SAME_SIZE(struct net_entry, 8);
SAME_SIZE(struct net_list, 8 + 8 * NET_ENTRIES_MAX);
SAME_SIZE(struct file_cell, 16);
SAME_SIZE(struct profile, 64);
SAME_SIZE(struct conditional, 24);
SAME_SIZE(struct hold, 24);
SAME_SIZE(struct policy, 528 + 2 * AGENT_TYPES_MAX + 2 * PROFILE_CELLS_MAX + 64 * PROFILES_MAX + 8 * ACTIONS + 24 * CONDITIONAL_MAX +
				 4 * BINARY_ROWS_MAX + 4 * FILE_ROWS_MAX);
