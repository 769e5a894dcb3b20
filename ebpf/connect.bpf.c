/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Connections and addressed datagrams of TCP, UDP and MPTCP: judged by the network rules, refused with EPERM before anything is sent.
 *
 * An IPv4 address in an IPv6 socket comes to connect6 for TCP and to sendmsg4 for UDP; all rules are kept as mapped addresses, which
 * makes both right. Fast open (sendto with MSG_FASTOPEN) comes through connect. What doesn't come this way, socket.bpf.c judges where
 * BPF LSM is to be had. Not seen: sockets connected before, bind, accept.
 */
#include "net.h"

/* 1: go on, 0: EPERM. Newer verifiers refuse a program that could return anything else. */
static __always_inline int connect_to(struct bpf_sock_addr *ctx, const __u32 addr[4])
{
	struct process *own = process_of(bpf_get_current_task_btf());

	if (!own)
		return 1;
	return !judge_address(own, addr, bpf_ntohs((__u16)ctx->user_port), ctx->type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP);
}

static __always_inline int connect_v4(struct bpf_sock_addr *ctx, __u32 bound)
{
	__u32 addr[4];

	reached_v4(addr, ctx->user_ip4, bound);
	return connect_to(ctx, addr);
}

static __always_inline int connect_v6(struct bpf_sock_addr *ctx)
{
	__u32 addr[4] = { ctx->user_ip6[0], ctx->user_ip6[1], ctx->user_ip6[2], ctx->user_ip6[3] };
	struct bpf_sock *sk = ctx->sk;
	bool bound_v4 = sk->src_ip6[2] == bpf_htonl(MAPPED) && !sk->src_ip6[1] && !sk->src_ip6[0];

	reached_v6(addr, bound_v4, sk->src_ip4);
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
