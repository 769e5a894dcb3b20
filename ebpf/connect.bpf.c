/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Connections and addressed datagrams: judged by the network rules, refused with EPERM before anything is sent.
 *
 * An IPv4 address in an IPv6 socket comes to connect6 for TCP and to sendmsg4 for UDP; all rules are kept as mapped addresses, which
 * makes both right. Fast open (sendto with MSG_FASTOPEN) comes through connect. Not seen: sockets connected before, bind, accept,
 * raw and packet sockets.
 */
#include "judge.h"
#include "process.h"

#define SOCK_STREAM 1
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

/* 1: go on, 0: EPERM. Newer verifiers refuse a program that could return anything else. */
static __always_inline int connect_to(struct bpf_sock_addr *ctx, const __u32 addr[4])
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct process *own = process_of(task);
	struct connect_record record = {};
	struct judgement judged = {};
	struct policy *policy = policy_in_force();

	if (!own)
		return 1;
	__builtin_memcpy(record.addr, addr, sizeof(record.addr));
	record.port = bpf_ntohs((__u16)ctx->user_port);
	record.protocol = ctx->type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP;
	if (policy) {
		judged = judge(own, policy, &record);
		record.generation = policy->generation;
		record.rule = judged.rule;
	}
	fill_head(&record.head, KIND_CONNECT, own, task);
	record.head.verdict = judged.verdict;
	if (judged.failed)
		record.head.flags |= RECORD_UNJUDGED;
	emit(&record.head, sizeof(record), judged.verdict != VERDICT_ALLOW);
	return judged.verdict == VERDICT_DENY ? 0 : 1;
}

/*
 * Nobody's address (0.0.0.0, ::) means this host to connect() and sendto(): the kernel takes the address that the socket is bound to,
 * or else the loopback address (tcp_v4_connect and ip_route_output_key_hash of net/ipv4, tcp_v6_connect of net/ipv6). Rules judge that one.
 */
static __always_inline int connect_v4(struct bpf_sock_addr *ctx, __u32 bound)
{
	__u32 ip = ctx->user_ip4;
	__u32 addr[4] = { 0, 0, bpf_htonl(MAPPED), ip ?: bound ?: bpf_htonl(LOOPBACK) };

	return connect_to(ctx, addr);
}

static __always_inline int connect_v6(struct bpf_sock_addr *ctx)
{
	__u32 addr[4] = { ctx->user_ip6[0], ctx->user_ip6[1], ctx->user_ip6[2], ctx->user_ip6[3] };
	struct bpf_sock *sk = ctx->sk;

	if (!addr[0] && !addr[1] && !addr[2] && !addr[3]) {
		if (sk->src_ip6[2] == bpf_htonl(MAPPED) && !sk->src_ip6[1] && !sk->src_ip6[0]) {
			addr[2] = bpf_htonl(MAPPED);
			addr[3] = bpf_htonl(LOOPBACK);
		} else {
			addr[3] = bpf_htonl(1);
		}
	} else if (!addr[0] && !addr[1] && addr[2] == bpf_htonl(MAPPED) && !addr[3]) {
		addr[3] = sk->src_ip4 ?: bpf_htonl(LOOPBACK);
	}
	return connect_to(ctx, addr);
}

/* Context: struct bpf_sock_addr of include/uapi/linux/bpf.h, 4.17 and later. */
SEC("cgroup/connect4")
int tyr_connect4(struct bpf_sock_addr *ctx)
{
	return connect_v4(ctx, ctx->sk->src_ip4);
}

/* As connect4, 4.17 and later. */
SEC("cgroup/connect6")
int tyr_connect6(struct bpf_sock_addr *ctx)
{
	return connect_v6(ctx);
}

/* As connect4, 4.18 and later; for datagrams that carry an address. */
SEC("cgroup/sendmsg4")
int tyr_sendmsg4(struct bpf_sock_addr *ctx)
{
	return connect_v4(ctx, ctx->msg_src_ip4);
}

/* As sendmsg4, 4.18 and later. */
SEC("cgroup/sendmsg6")
int tyr_sendmsg6(struct bpf_sock_addr *ctx)
{
	return connect_v6(ctx);
}
