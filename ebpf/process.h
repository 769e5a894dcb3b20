/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Counting the processes of trees and programs, so that both go when their last process does. */
#pragma once

#include "record.h"

static __always_inline struct process *process_of(struct task_struct *task)
{
	__u32 pid = task->tgid;

	return bpf_map_lookup_elem(&processes, &pid);
}

static __always_inline bool tree_enter(__u64 tree)
{
	__u64 one = 1, *count = bpf_map_lookup_elem(&trees, &tree);

	if (count) {
		__sync_fetch_and_add(count, 1);
		return true;
	}
	return bpf_map_update_elem(&trees, &tree, &one, BPF_ANY) == 0;
}

/* True: that was the last process of the tree. */
static __always_inline bool tree_leave(__u64 tree)
{
	__u64 *count = bpf_map_lookup_elem(&trees, &tree);

	if (!count || __sync_fetch_and_add(count, -1ULL) != 1)
		return false;
	bpf_map_delete_elem(&trees, &tree);
	return true;
}

static __always_inline void program_enter(__u64 id)
{
	struct program *program = bpf_map_lookup_elem(&programs, &id);

	if (program)
		__sync_fetch_and_add(&program->processes, 1);
}

static __always_inline void program_leave(__u64 id)
{
	struct program *program = bpf_map_lookup_elem(&programs, &id);

	if (program && __sync_fetch_and_add(&program->processes, -1U) == 1)
		bpf_map_delete_elem(&programs, &id);
}
