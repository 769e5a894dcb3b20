/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Walking the automata that policy/src/automaton.rs builds and describes: a state is the index of its row, column 0 of a row is what
 * the state accepts (0: nothing), the column of a byte is the next state. State 0 is dead.
 */
#pragma once

#include "maps.h"

static __always_inline __u32 fingerprint_cell(__u32 index)
{
	__u32 *cell = bpf_map_lookup_elem(&fingerprint_rows, &index);

	return cell ? *cell : 0;
}

static __always_inline __u32 fingerprint_next(__u32 automaton, __u32 state, __u8 byte)
{
	if (!state)
		return 0;
	return fingerprint_cell(state + fingerprint_classes[(automaton & (FINGERPRINT_AUTOMATA_MAX - 1)) * 256 + byte]);
}

/* Number of the element of `fingerprints` (from 1) that a state accepts; 0: none. */
static __always_inline __u32 fingerprint_accept(__u32 automaton, __u32 state)
{
	__u32 accept = state ? fingerprint_cell(state) : 0;

	return accept ? fingerprint_first[automaton & (FINGERPRINT_AUTOMATA_MAX - 1)] + accept : 0;
}

/* Class of an executable under the rules of a head. */
struct binary_walk {
	struct net_head *head;
	struct program *program;
	__u32 bytes;
	__u32 state;
};

static long binary_step(__u32 step, struct binary_walk *w)
{
	__u32 cell;

	if (step >= w->bytes || step >= PATH_BYTES_MAX)
		return 1;
	cell = w->state + w->head->binary_classes[(__u8)w->program->path[step]];
	w->state = cell < BINARY_ROWS_MAX ? w->head->binary_rows[cell] : 0;
	return w->state == 0;
}

static __always_inline __u32 binary_class(struct net_head *head, struct program *program)
{
	struct binary_walk w = { head, program, program->path_bytes, head->binary_start };

	/* A path whose beginning is missing is in no list. */
	if (!w.state || program->path_flags & PATH_TRUNCATED)
		return 0;
	bpf_loop(PATH_BYTES_MAX, binary_step, &w, 0);
	return w.state < BINARY_ROWS_MAX ? head->binary_rows[w.state] : 0;
}
