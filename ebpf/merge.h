/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Repeats of an open within one second are counted and not told. A key holds its second, so that what is counted into is left alone
 * from that second's end on; a little later tyrd takes it out. Not LRU: what such a map drops, nobody counts.
 */
#pragma once

#include "record.h"

/*
 * A number that another one follows whenever a name or a mount of this host moves; 0: one moves at this moment, or nobody knows. While
 * it stays the same, a dentry and its mount have the same path: the walk of d_path() relies on the same two locks, whose counters
 * (the first member of seqlock_t, odd while somebody writes) only grow.
 */
static __always_inline __u32 paths_moved(void)
{
	__u32 renames = 1, mounts = 1;

	if (!rename_lock || !mount_lock)
		return 0;
	bpf_probe_read_kernel(&renames, sizeof(renames), (void *)rename_lock);
	bpf_probe_read_kernel(&mounts, sizeof(mounts), (void *)mount_lock);
	return (renames | mounts) & 1 ? 0 : (renames + mounts) | 1;
}

/* True: it is a repeat, and counted. */
static __always_inline bool is_repeat(const struct merge_key *key, __u64 boot_ns)
{
	struct merge *known = bpf_map_lookup_elem(&merges, key);

	if (!known)
		return false;
	known->last_ns = boot_ns;
	__sync_fetch_and_add(&known->count, 1);
	return true;
}

/* True: it is a repeat, counted, and not to be told. The rest of the key is filled in; without a pid nobody asks for repeats. */
static __always_inline bool merge_open(struct open_record *open)
{
	struct merge first = { .first_ns = open->head.boot_ns, .last_ns = open->head.boot_ns };

	open->merge.second = open->head.boot_ns / MERGE_NS;
	if (is_repeat(&open->merge, open->head.boot_ns))
		return true;
	/* No room, or another thread was first: told by itself. */
	if (bpf_map_update_elem(&merges, &open->merge, &first, BPF_NOEXIST))
		open->merge.pid = 0;
	return false;
}

/* The record of an open is lost, and so is what was counted as its repeats: tyrd knows of none. */
static __always_inline void lose_repeats(const struct open_record *open)
{
	struct merge *known;

	if (!open->merge.pid)
		return;
	known = bpf_map_lookup_elem(&merges, &open->merge);
	if (!known)
		return;
	count_losses(LOSS_RING, KIND_OPEN, VERDICT_ALLOW, __sync_lock_test_and_set(&known->count, 0));
	bpf_map_delete_elem(&merges, &open->merge);
}
