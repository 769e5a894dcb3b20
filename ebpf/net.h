/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What the network rules say of an address, and of a socket whose peers they can't name: judged and reported here alone. */
#pragma once

#include "judge.h"
#include "process.h"

#define SOCK_STREAM 1
#define SOCK_DGRAM 2
#define IPPROTO_TCP 6
#define IPPROTO_UDP 17
/* 127.0.0.1, and what makes an IPv4 address an IPv6 one. */
#define LOOPBACK 0x7f000001
#define MAPPED 0xffff
/* Longest prefix: generation, profile and address. */
#define NET_KEY_BITS (32 + 32 + 128)

struct judgement {
	__u8 verdict;
	__u16 rule;
	bool failed;
};
/* No word: the table has nothing for the address, which can't be. */
#define UNJUDGED (~(word)0)

/* What a table says of an address: the first entry that matches decides. Global, as walk_path() is. */
__noinline word judge_table(const struct net_key *key, __u32 port, __u32 protocol)
{
	/* No rule has this number: kernel tables name 65,535 of them at most. */
	__u32 skipped = ~0;
	struct net_list *list;
	struct net_key own;

	if (!key)
		return UNJUDGED;
	/* Up to 6.1 the verifier takes no argument for a key. */
	own = *key;
	list = bpf_map_lookup_elem(&net_rules, &own);
	if (!list)
		return UNJUDGED;
	for (__u32 i = 0; i < NET_ENTRIES_MAX; i++) {
		struct net_entry *entry = &list->entries[i];

		if (i >= list->count)
			break;
		if (port < entry->port_first || port > entry->port_last)
			continue;
		if (entry->protocol && entry->protocol != protocol)
			continue;
		if (entry->rule == skipped)
			continue;
		if (entry->verdict == NET_EXEMPT) {
			skipped = entry->rule;
			continue;
		}
		return (__u32)(entry->rule + 1) << 8 | entry->verdict;
	}
	return list->fallback;
}

static __always_inline struct judgement judgement_of(word judged)
{
	struct judgement judgement = { .verdict = WORD_VERDICT(judged), .rule = WORD_RULE(judged) };

	return judgement;
}

/* The first of the rules with a condition that hold and match an address. */
struct held_reach {
	struct policy *policy;
	struct net_key key;
	__u64 held;
	__u32 port;
	__u32 protocol;
	/* What it says; 0: none does. */
	word denial;
};

static long held_reach_step(__u32 step, struct held_reach *r)
{
	word said;

	if (step >= CONDITIONAL_MAX || !r->policy)
		return 1;
	if (!(r->held >> step & 1))
		return 0;
	r->key.profile = r->policy->conditional[step].net;
	said = judge_table(&r->key, r->port, r->protocol);
	if (said != UNJUDGED && !WORD_RULE(said))
		return 0;
	/* They are in order. */
	r->denial = said;
	return 1;
}

static __always_inline struct judgement judge(struct process *own, struct policy *policy, struct connect_record *record)
{
	struct judgement failed = { .verdict = VERDICT_DENY, .failed = true };
	struct profile *profile = profile_of(own, policy);
	struct held_reach r = {};
	word judged;

	if (!profile)
		return failed;
	r.key.prefix_bits = NET_KEY_BITS;
	r.key.generation = policy->generation;
	r.key.profile = profile->net;
	__builtin_memcpy(r.key.addr, record->addr, sizeof(r.key.addr));
	judged = judge_table(&r.key, record->port, record->protocol);
	r.held = held_to(policy, profile, NET_CONNECT);
	if (r.held) {
		r.policy = policy;
		r.port = record->port;
		r.protocol = record->protocol;
		bpf_loop(CONDITIONAL_MAX, held_reach_step, &r, 0);
	}
	/* Every table has a list for ::/0. */
	if (judged == UNJUDGED || r.denial == UNJUDGED)
		return failed;
	return judgement_of(r.denial ? or_held(judged, r.denial, false) : judged);
}

/* The lowest bit that is set, by halves: clang has no built-in function for it here. */
static __always_inline __u32 lowest_bit(__u64 bits)
{
	__u32 lowest = 0;

	for (__u32 half = 32; half; half /= 2) {
		if (!(bits << (64 - half))) {
			bits >>= half;
			lowest += half;
		}
	}
	return lowest;
}

/* What a profile says of a socket whose peers no rule can name. */
static __always_inline word judge_any(struct policy *policy, struct profile *profile)
{
	__u64 held = held_to(policy, profile, NET_CONNECT);
	__u32 first;

	if (!held)
		return profile->any_address;
	first = lowest_bit(held) & (CONDITIONAL_MAX - 1);
	return or_held(profile->any_address, policy->conditional[first].files.truncated, true);
}

/* Reports what was said; true: it is denied. */
static __always_inline bool report(struct process *own, struct connect_record *record, struct judgement judged, __u16 flags)
{
	record->rule = judged.rule;
	fill_head(&record->head, KIND_CONNECT, own, bpf_get_current_task_btf());
	record->head.verdict = judged.verdict;
	record->head.flags |= flags;
	if (judged.failed)
		record->head.flags |= RECORD_UNJUDGED;
	emit(&record->head, sizeof(*record), judged.verdict != VERDICT_ALLOW);
	return judged.verdict == VERDICT_DENY;
}

/* Judges an address that a governed process is about to reach, and reports it. True: it is denied. */
static __always_inline bool judge_address(struct process *own, const __u32 addr[4], __u16 port, __u8 protocol)
{
	struct connect_record record = { .port = port, .protocol = protocol };
	struct policy *policy = policy_in_force();
	struct judgement judged = {};

	__builtin_memcpy(record.addr, addr, sizeof(record.addr));
	if (policy) {
		judged = judge(own, policy, &record);
		record.generation = policy->generation;
	}
	return report(own, &record, judged, 0);
}

/*
 * Judges a socket that reaches whom it wants by bytes of its own: no rule can be told not to match, so the strictest holds. True: it is
 * denied. Only its making is told; what it is used for, only where that is denied.
 */
static __always_inline bool judge_socket(struct process *own, __u32 family, __u32 type, __u32 protocol, bool made)
{
	struct connect_record record = { .family = family, .kind = type, .socket_protocol = protocol };
	struct policy *policy = policy_in_force();
	struct judgement judged = {};

	if (policy) {
		struct profile *profile = profile_of(own, policy);
		word strictest = profile ? judge_any(policy, profile) : VERDICT_DENY;

		judged = judgement_of(strictest);
		judged.failed = !profile;
		record.generation = policy->generation;
	}
	if (!made && judged.verdict != VERDICT_DENY)
		return false;
	return report(own, &record, judged, RECORD_SOCKET);
}

/*
 * Nobody's address (0.0.0.0, ::) means this host to connect() and sendto(): the kernel takes the address that the socket is bound to,
 * or else the loopback address (tcp_v4_connect and ip_route_output_key_hash of net/ipv4, tcp_v6_connect of net/ipv6). Rules judge that one.
 */
static __always_inline void reached_v4(__u32 addr[4], __u32 ip, __u32 bound)
{
	addr[0] = 0;
	addr[1] = 0;
	addr[2] = bpf_htonl(MAPPED);
	addr[3] = ip ?: bound ?: bpf_htonl(LOOPBACK);
}

/* The same of an IPv6 address in place; `bound_v4`: the socket is bound to an IPv4 address, `bound`. */
static __always_inline void reached_v6(__u32 addr[4], bool bound_v4, __u32 bound)
{
	if (!addr[0] && !addr[1] && !addr[2] && !addr[3]) {
		if (bound_v4) {
			addr[2] = bpf_htonl(MAPPED);
			addr[3] = bpf_htonl(LOOPBACK);
		} else {
			addr[3] = bpf_htonl(1);
		}
	} else if (!addr[0] && !addr[1] && addr[2] == bpf_htonl(MAPPED) && !addr[3]) {
		addr[3] = bound ?: bpf_htonl(LOOPBACK);
	}
}
