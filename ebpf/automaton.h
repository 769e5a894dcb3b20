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
	__u64 column = (automaton & (FINGERPRINT_AUTOMATA_MAX - 1)) * 256 + byte;

	if (!state)
		return 0;
	/* Older verifiers lose the bound of a sum that the compiler made an "or" of. */
	asm volatile("" : "+r"(column));
	return fingerprint_cell(state + fingerprint_classes[column & (FINGERPRINT_AUTOMATA_MAX * 256 - 1)]);
}

/* Number of the element of `fingerprints` (from 1) that a state accepts; 0: none. */
static __always_inline __u32 fingerprint_accept(__u32 automaton, __u32 state)
{
	__u32 accept = state ? fingerprint_cell(state) : 0;

	return accept ? fingerprint_first[automaton & (FINGERPRINT_AUTOMATA_MAX - 1)] + accept : 0;
}
