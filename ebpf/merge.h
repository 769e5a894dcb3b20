/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Repeats of an open within one second are counted and not told. A key holds its second, so that what is counted into is left alone
 * from that second's end on; a little later tyrd takes it out. Not LRU: what such a map drops, nobody counts.
 */
#pragma once

#include "record.h"

/* True: it is a repeat, counted, and not to be told. The rest of the key is filled in; without a pid nobody asks for repeats. */
static __always_inline bool merge_open(struct open_record *open)
{
	struct merge first = { .first_ns = open->head.boot_ns, .last_ns = open->head.boot_ns };
	struct merge *known;

	open->merge.second = open->head.boot_ns / MERGE_NS;
	known = bpf_map_lookup_elem(&merges, &open->merge);
	if (known) {
		known->last_ns = open->head.boot_ns;
		__sync_fetch_and_add(&known->count, 1);
		return true;
	}
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
