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

/*
 * The rules with a condition that the current process is held to and that count for its profile, of those about an action: bit n stands for
 * the n-th of the policy. Global, as walk_path() is.
 */
__noinline __u64 held_to(struct policy *policy, struct profile *profile, __u32 action)
{
	__u32 pid = bpf_get_current_pid_tgid() >> 32, side;
	struct hold *hold;
	__u64 count;

	if (!policy || !profile)
		return 0;
	count = profile->conditional & policy->conditional_of[action & (ACTIONS - 1)];
	if (!count || !holds_so_far())
		return 0;
	hold = bpf_map_lookup_elem(&holds, &pid);
	side = policy->generation & 1;
	if (!hold || hold->generations[side] != policy->generation)
		return 0;
	return hold->rules[side] & count;
}

/* From allowed over alerted to denied. */
static __always_inline __u32 strictness(word judged)
{
	return WORD_VERDICT(judged) == VERDICT_DENY ? 2 : WORD_VERDICT(judged) == VERDICT_ALERT ? 1 : 0;
}

/* The word of the first rule that denies of those that a process is held to, in its place. `unnamed`: the strictest counts. */
static __always_inline word or_held(word judged, word held, bool unnamed)
{
	bool first = WORD_RULE(judged) && judged < held;

	return first && (!unnamed || strictness(judged) == 2) ? judged : held;
}

/* What is asked of a path. */
struct asked {
	/* Rules with a condition that hold. */
	__u64 held;
	/* enum file_action */
	__u32 action;
	/* Of a directory that moves: what lies in it moves too. */
	bool below;
	/* Only a rule that denies counts, neither alerts nor the default. */
	bool rules_only;
};

static __always_inline __u32 rules_step(struct policy *policy, __u32 state, __u8 byte)
{
	return policy->file_rows[(state + policy->file_classes[byte]) & (FILE_ROWS_MAX - 1)];
}

/* The word of the first rule of a cell that matches; 0: none does. `inside`: any name in the path, instead of itself. */
static __always_inline word match_cell(struct policy *policy, struct file_cell *cell, struct walk_buffer *buffer, __u32 at,
				       bool inside)
{
	__u64 states = walk_rules(policy, buffer, at, cell->anchored, cell->floating);

	if (inside) {
		/* Any name stands for all. */
		__u32 anchored = rules_step(policy, rules_step(policy, states >> 32, '/'), 'x');
		__u32 floating = rules_step(policy, rules_step(policy, states, '/'), 'x');

		states = (__u64)anchored << 32 | floating;
	}
	return first_word(policy, states);
}

/* The first of the rules with a condition that hold and match a path. */
struct held_match {
	struct policy *policy;
	struct walk_buffer *buffer;
	__u64 held;
	__u32 at;
	bool truncated;
	bool inside;
	/* What it says; 0: none does. */
	word denial;
};

static long held_step(__u32 step, struct held_match *m)
{
	struct file_cell *cell;

	if (step >= CONDITIONAL_MAX || !m->policy || !m->buffer)
		return 1;
	if (!(m->held >> step & 1))
		return 0;
	cell = &m->policy->conditional[step].files;
	m->denial = m->truncated ? cell->truncated : match_cell(m->policy, cell, m->buffer, m->at, m->inside);
	/* They are in order. */
	return m->denial != 0;
}

/* What a profile says of an action on a path that was walked. Global, as walk_path() is. */
__noinline word judge_file(struct policy *policy, struct profile *profile, struct walk_buffer *buffer,
			   const struct walked *walk, const struct asked *asked)
{
	struct held_match m = {};
	struct file_cell *cell;
	word found, inside;

	if (!policy || !profile || !buffer || !walk || !asked || asked->action >= FILE_ACTIONS)
		return VERDICT_DENY;
	cell = &profile->files[asked->action];
	m.policy = policy;
	m.buffer = buffer;
	m.held = asked->held;
	m.at = walk->at;
	m.truncated = walk->flags & PATH_TRUNCATED;
	found = m.truncated ? cell->truncated : match_cell(policy, cell, buffer, walk->at, false);
	if (m.held)
		bpf_loop(CONDITIONAL_MAX, held_step, &m, 0);
	if (m.denial)
		found = or_held(found, m.denial, m.truncated);
	if (m.truncated)
		return found;
	if (asked->below && strictness(found) < 2) {
		inside = match_cell(policy, cell, buffer, walk->at, true);
		m.inside = true;
		m.denial = 0;
		if (m.held)
			bpf_loop(CONDITIONAL_MAX, held_step, &m, 0);
		if (m.denial)
			inside = or_held(inside, m.denial, false);
		if (strictness(inside) == 2)
			found = inside;
	}
	if (asked->rules_only)
		return strictness(found) == 2 ? found : 0;
	return found ? found : cell->fallback;
}
