/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The maps, the settings that tyrd fixes at load time, and the scope. */
#pragma once

#include "abi.h"

/* Id and depth of the cgroup that everything is limited to; 0: the whole host. */
const volatile __u64 scope_cgroup = 0;
const volatile __u32 scope_level = 0;
/* Thread group of the tyrd that loaded this; and whether it ended, as what it keeps outlives it. */
const volatile __u32 guard_tgid = 0;
bool guard_gone = false;
/* Merge repeated opens: those that are observed, and those that were judged and allowed. */
const volatile __u32 merge_opens = 1;
const volatile __u32 merge_allowed = 1;
/* Where the kernel counts the moves of names and of mounts: its rename_lock and mount_lock; 0: nobody knows. */
const volatile __u64 rename_lock = 0;
const volatile __u64 mount_lock = 0;
/* Of each fingerprint automaton: its first state, its first element of `fingerprints`, and the column of each byte. */
const volatile __u32 fingerprint_starts[FINGERPRINT_AUTOMATA_MAX] = {};
const volatile __u32 fingerprint_first[FINGERPRINT_AUTOMATA_MAX] = {};
const volatile __u8 fingerprint_classes[FINGERPRINT_AUTOMATA_MAX * 256] = {};

/* Next id of a program or tree. Ids that tyrd gives out have the highest bit set, so the two never meet. */
__u64 next_id = 1;
/*
 * A bit for each process id: set while there may be a mark for it. Every open of the host comes by here, which the hash would cost 120
 * instructions more (docs/performance.md). It may be set for nobody, and is never missing for somebody: set before there is a mark, and
 * taken away behind it.
 */
__u64 marked_pids[PIDS_MAX / 64] = {};
/*
 * Marks, by thread group. A hash and not task storage: programs on cgroups may read task storage on newer kernels alone (6.18 does),
 * and two books of the same thing would disagree one day. The hash covers all threads of a process at once, io_uring's workers
 * among them, which no fork event announces; and tyrd reads and writes it by process id.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, PROCESSES_MAX);
	__type(key, __u32);
	__type(value, struct process);
} processes SEC(".maps");

/* For the tyrd that takes over: what the numbers in the marks stand for. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, AGENT_TYPES_MAX);
	__type(key, __u32);
	__type(value, struct type_name);
} type_names SEC(".maps");

/* What processes are held to; tyrd makes the first one of a tree, forks inherit it. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, PROCESSES_MAX);
	__type(key, __u32);
	__type(value, struct hold);
} holds SEC(".maps");

/* How often tyrd has made one: while it stays the same, nobody is held to more than before; 0: nobody to anything. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} holds_made SEC(".maps");

/* For the tyrd that takes over: what the bits of `holds` stand for, by side (0: nothing); behind that the generation in force. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2 * CONDITIONAL_MAX + 1);
	__type(key, __u32);
	__type(value, __u64);
} held_rules SEC(".maps");

/* By number of an agent type: 1, if its tools are ended before their first instruction. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, AGENT_TYPES_MAX);
	__type(key, __u32);
	__type(value, __u32);
} refused_types SEC(".maps");

/* Processes per tree. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, PROCESSES_MAX);
	__type(key, __u64);
	__type(value, __u64);
} trees SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, PROCESSES_MAX);
	__type(key, __u64);
	__type(value, struct program);
} programs SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, struct merge_key);
	__type(value, struct merge);
} merges SEC(".maps");

/* Rows of the fingerprint automata, one behind the other; tyrd sets the size. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} fingerprint_rows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fingerprint);
} fingerprints SEC(".maps");

/* Denials, alerts and beginnings of trees: the reader is woken for each. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} urgent SEC(".maps");

/*
 * Everything else: read by a timer, as a wake-up for each would cost a quarter of a core at 100,000 events a second. At that rate this
 * holds half a second; it counts twice in the reader's resident size, as its pages are mapped twice to make it round.
 */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8 * 1024 * 1024);
} regular SEC(".maps");

/* Events that were made and not handed over. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, LOSSES_MAX * KINDS_MAX * VERDICTS_MAX);
	__type(key, __u32);
	__type(value, __u64);
} losses SEC(".maps");

/* One slot: a program takes the policy once and sees no other for the whole call. */
struct policy_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, 4);
	__uint(value_size, sizeof(struct policy));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct policy_map);
} policies SEC(".maps");

/* The lists of the generation in force, and for a moment those of the one before. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 2 * NET_LISTS_MAX);
	__type(key, struct net_key);
	__type(value, struct net_list);
} net_rules SEC(".maps");

static __always_inline void count_losses(__u32 loss, __u32 kind, __u32 verdict, __u64 events)
{
	__u32 index = (loss * KINDS_MAX + kind) * VERDICTS_MAX + verdict;
	__u64 *count = bpf_map_lookup_elem(&losses, &index);

	/* The slot is this CPU's, but an interrupt's program may count into it in between. */
	if (count)
		__sync_fetch_and_add(count, events);
}

static __always_inline void count_loss(__u32 loss, __u32 kind, __u32 verdict)
{
	count_losses(loss, kind, verdict, 1);
}

/* Is the current task in the scope? */
static __always_inline bool in_scope(void)
{
	return !scope_cgroup || bpf_get_current_ancestor_cgroup_id(scope_level) == scope_cgroup;
}

static __always_inline __u32 holds_so_far(void)
{
	__u32 zero = 0, *made = bpf_map_lookup_elem(&holds_made, &zero);

	return made ? *made : 0;
}

/* The policy in force; NULL before the first was published. */
static __always_inline struct policy *policy_in_force(void)
{
	__u32 zero = 0;
	void *slot = bpf_map_lookup_elem(&policies, &zero);

	return slot ? bpf_map_lookup_elem(slot, &zero) : NULL;
}
