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

/* The first entry that matches decides. */
static __always_inline struct judgement judge_list(struct net_list *list, __u16 port, __u8 protocol)
{
	struct judgement judged = { .verdict = list->fallback };
	/* No rule has this number: kernel tables name 65,535 of them at most. */
	__u32 skipped = ~0;

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
		judged.verdict = entry->verdict;
		judged.rule = entry->rule + 1;
		break;
	}
	return judged;
}

static __always_inline struct judgement judge(struct process *own, struct policy *policy, struct connect_record *record)
{
	struct judgement failed = { .verdict = VERDICT_DENY, .failed = true };
	struct net_key key = { .prefix_bits = NET_KEY_BITS, .generation = policy->generation };
	struct profile *profile = profile_of(own, policy);
	struct net_list *list;

	if (!profile)
		return failed;
	key.profile = profile->net;
	__builtin_memcpy(key.addr, record->addr, sizeof(key.addr));
	list = bpf_map_lookup_elem(&net_rules, &key);
	/* Every table has a list for ::/0. */
	return list ? judge_list(list, record->port, record->protocol) : failed;
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
		word strictest = profile ? profile->any_address : VERDICT_DENY;

		judged.verdict = WORD_VERDICT(strictest);
		judged.rule = WORD_RULE(strictest);
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
