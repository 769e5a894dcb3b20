/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What the policy says of a process's action: its profile, and the walk of a path through the rules. */
#pragma once

#include "maps.h"
#include "walk.h"

/* Bytes of a path in one callback: a call for each byte would cost more than the byte. */
#define RULE_BYTES_PER_STEP 64

/* Class of an executable under a policy. */
struct binary_walk {
	struct policy *policy;
	struct program *program;
	__u32 bytes;
	__u32 state;
};

static long binary_step(__u32 step, struct binary_walk *w)
{
	__u32 cell;

	if (step >= w->bytes || step >= PATH_BYTES_MAX)
		return 1;
	cell = w->state + w->policy->binary_classes[(__u8)w->program->path[step]];
	w->state = cell < BINARY_ROWS_MAX ? w->policy->binary_rows[cell] : 0;
	return w->state == 0;
}

static __always_inline __u32 binary_class(struct policy *policy, struct program *program)
{
	struct binary_walk w = { policy, program, program->path_bytes, policy->binary_start };

	/* A path whose beginning is missing counts as none at all. */
	if (program->path_flags & PATH_TRUNCATED)
		w.bytes = 0;
	bpf_loop(PATH_BYTES_MAX, binary_step, &w, 0);
	return w.state < BINARY_ROWS_MAX ? policy->binary_rows[w.state] : 0;
}

/* The profile of a process; NULL where it can't be found out. Its class is found once for each generation, and kept in the mark. */
static __always_inline struct profile *profile_of(struct process *own, struct policy *policy)
{
	__u64 known = own->binary_class;
	__u64 number;
	__u32 cell;

	if (known >> 32 != policy->generation) {
		struct program *program = NULL;
		__u32 class = 0;

		if (policy->binary_start) {
			program = bpf_map_lookup_elem(&programs, &own->program);
			if (!program)
				return NULL;
			class = binary_class(policy, program);
		}
		known = (__u64)policy->generation << 32 | class;
		own->binary_class = known;
	}
	cell = policy->type_cells[own->agent_type & (AGENT_TYPES_MAX - 1)] + (__u32)known;
	if (cell >= PROFILE_CELLS_MAX)
		return NULL;
	/* A mask in a register of its own, so that the verifier sees the bound of what is multiplied. */
	number = policy->cells[cell] & (PROFILES_MAX - 1);
	asm volatile("" : "+r"(number));
	return &policy->profiles[number];
}

/* Two walks in lockstep. */
struct rule_walk {
	struct policy *policy;
	struct walk_buffer *buffer;
	__u32 at;
	__u32 anchored;
	__u32 floating;
};

static long rule_step(__u32 step, struct rule_walk *w)
{
	__u32 at = w->at, anchored = w->anchored, floating = w->floating;
	struct walk_buffer *buffer = w->buffer;
	struct policy *policy = w->policy;

	for (int i = 0; i < RULE_BYTES_PER_STEP; i++) {
		__u32 class;

		if (at >= PATH_BYTES_MAX)
			break;
		class = policy->file_classes[(__u8)buffer->path[at]];
		anchored = policy->file_rows[(anchored + class) & (FILE_ROWS_MAX - 1)];
		floating = policy->file_rows[(floating + class) & (FILE_ROWS_MAX - 1)];
		at++;
	}
	w->at = at;
	w->anchored = anchored;
	w->floating = floating;
	return at >= PATH_BYTES_MAX || !(anchored | floating);
}

/*
 * Walks what is at the end of the buffer, from two states; gives the two that it ends in, the anchored one in the upper half.
 *
 * A global function, as walk_path() is.
 */
__noinline __u64 walk_rules(struct policy *policy, struct walk_buffer *buffer, __u32 at, __u32 anchored, __u32 floating)
{
	struct rule_walk w = { policy, buffer, at, anchored, floating };

	if (!policy || !buffer)
		return 0;
	if (anchored | floating)
		bpf_loop(PATH_BYTES_MAX / RULE_BYTES_PER_STEP, rule_step, &w, 0);
	return (__u64)w.anchored << 32 | w.floating;
}

/* The word of the rule that comes first of those that two states accept; 0: none does. */
static __always_inline word first_word(struct policy *policy, __u64 states)
{
	word anchored = policy->file_rows[(states >> 32) & (FILE_ROWS_MAX - 1)];
	word floating = policy->file_rows[states & (FILE_ROWS_MAX - 1)];

	if (!anchored || (floating && floating < anchored))
		return floating;
	return anchored;
}

/* What a profile says of an action on a path that was walked. */
static __always_inline word judge_file(struct policy *policy, struct profile *profile, __u32 action,
				       struct walk_buffer *buffer, __u32 at, __u32 path_flags)
{
	struct file_cell *cell = &profile->files[action];
	word found;

	if (path_flags & PATH_TRUNCATED)
		return cell->truncated;
	found = first_word(policy, walk_rules(policy, buffer, at, cell->anchored, cell->floating));
	return found ? found : cell->fallback;
}
