/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What comes and goes with a process: the counts of its tree and program, which end with their last one, and what it is held to. */
#pragma once

#include "record.h"

static __always_inline __u64 *pid_word(__u32 pid)
{
	return &marked_pids[(pid / 64) & (PIDS_MAX / 64 - 1)];
}

/* To be called before a process is marked. */
static __always_inline void pid_admit(__u32 pid)
{
	__sync_fetch_and_or(pid_word(pid), 1ULL << (pid & 63));
}

/* To be called when the mark is gone. */
static __always_inline void pid_dismiss(__u32 pid)
{
	__sync_fetch_and_and(pid_word(pid), ~(1ULL << (pid & 63)));
}

static __always_inline bool may_be_marked(__u32 pid)
{
	return *pid_word(pid) >> (pid & 63) & 1;
}

static __always_inline struct process *process_of(struct task_struct *task)
{
	__u32 pid = task->tgid;

	return may_be_marked(pid) ? bpf_map_lookup_elem(&processes, &pid) : NULL;
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

/* A child is held to what its parent is. What a process that had its number before was held to is gone. */
static __always_inline bool hold_inherit(__u32 parent, __u32 child)
{
	struct hold *own;

	if (!holds_so_far())
		return true;
	own = bpf_map_lookup_elem(&holds, &parent);
	if (own)
		return !bpf_map_update_elem(&holds, &child, own, BPF_ANY);
	bpf_map_delete_elem(&holds, &child);
	return true;
}

static __always_inline void hold_leave(__u32 pid)
{
	if (holds_so_far())
		bpf_map_delete_elem(&holds, &pid);
}

static __always_inline void program_leave(__u64 id)
{
	struct program *program = bpf_map_lookup_elem(&programs, &id);

	if (program && __sync_fetch_and_add(&program->processes, -1U) == 1)
		bpf_map_delete_elem(&programs, &id);
}
