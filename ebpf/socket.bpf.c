/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The ways to others that connect.bpf.c never sees, judged where BPF LSM is to be had; what it sees is let pass here, so that nothing is
 * judged or told twice.
 *
 * Sockets of which rules can't name the peers (raw, packet, SCTP, vsock, ...) are judged when they are made, by the strictest rule.
 * Those that somebody else made, or that were made under another policy, are judged when they are used.
 */
#include "lsm.h"
#include "net.h"

#define AF_UNSPEC 0
#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define AF_KEY 15
#define AF_NETLINK 16
#define AF_ALG 38
#define IPPROTO_ICMP 1
#define IPPROTO_ICMPV6 58
#define IPPROTO_MPTCP 262
#define MSG_FASTOPEN 0x20000000

/* Whom a socket reaches. */
enum reach {
	/* Nobody by an address: processes and the kernel of this host. */
	REACH_LOCAL,
	/* One address for each connection or datagram. */
	REACH_NAMED,
	/* Whom its bytes say; or several addresses at once, which SCTP learns as it goes. */
	REACH_ANY,
};

static __always_inline enum reach reach_of(__u32 family, __u32 type, __u32 protocol)
{
	if (family == AF_UNIX || family == AF_NETLINK || family == AF_KEY || family == AF_ALG)
		return REACH_LOCAL;
	if (family != AF_INET && family != AF_INET6)
		return REACH_ANY;
	if (type == SOCK_STREAM && (!protocol || protocol == IPPROTO_TCP || protocol == IPPROTO_MPTCP))
		return REACH_NAMED;
	if (type == SOCK_DGRAM &&
	    (!protocol || protocol == IPPROTO_UDP || protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6))
		return REACH_NAMED;
	return REACH_ANY;
}

/* Is the socket below the scope's cgroup? That is where the programs of connect.bpf.c are attached, whoever uses it. */
static __always_inline bool socket_in_scope(const struct sock *sk)
{
	struct cgroup *own = BPF_CORE_READ(sk, sk_cgrp_data.cgroup), *at = NULL;

	if (!scope_cgroup)
		return true;
	if (BPF_CORE_READ(own, level) < (int)scope_level)
		return false;
	/* An index that isn't in the source can't be relocated. */
	bpf_probe_read_kernel(&at, sizeof(at),
			      (void *)own + bpf_core_field_offset(struct cgroup, ancestors) + sizeof(at) * scope_level);
	return BPF_CORE_READ(at, kn, id) == scope_cgroup;
}

/* The front of struct sockaddr_in and struct sockaddr_in6 of include/uapi/linux. */
struct named_address {
	__u16 family;
	__be16 port;
	/* Of IPv6 the flow. */
	__be32 v4;
	__be32 v6[4];
};

/* Judges what a socket with addresses is told to reach. */
static __always_inline int judge_named(struct process *own, const struct sock *sk, __u32 type, const void *name, int bytes)
{
	__u32 bound = BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr), bound_v6[4] = {}, addr[4];
	struct named_address to = {};

	if (!name || bytes < (int)sizeof(to) - (int)sizeof(to.v6))
		return 0;
	/* The kernel has room for any address there, whatever the length. */
	bpf_probe_read_kernel(&to, sizeof(to), name);
	if (to.family == AF_INET6) {
		bpf_core_read(bound_v6, sizeof(bound_v6), &sk->__sk_common.skc_v6_rcv_saddr);
		__builtin_memcpy(addr, to.v6, sizeof(addr));
		reached_v6(addr, bound_v6[2] == bpf_htonl(MAPPED) && !bound_v6[1] && !bound_v6[0], bound);
	} else {
		/* AF_UNSPEC too: sendto() takes it for IPv4. */
		reached_v4(addr, to.v4, bound);
	}
	return judge_address(own, addr, bpf_ntohs(to.port), type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP);
}

/* int socket_create(int family, int type, int protocol, int kern); include/linux/lsm_hook_defs.h, 5.7 to 6.18, as all here. */
SEC("lsm/socket_create")
int BPF_PROG(tyr_socket_create, int family, int type, int protocol, int kern)
{
	struct process *own;

	/* One that the kernel makes for its own use belongs to a socket that was asked for. */
	if (kern || reach_of(family, type, protocol) != REACH_ANY)
		return 0;
	own = process_of(bpf_get_current_task_btf());
	return answer(own && judge_socket(own, family, type, protocol, true));
}

/* A socket that is used. */
struct used {
	struct sock *sk;
	__u32 family;
	__u32 type;
	__u32 protocol;
	enum reach reach;
};

static __always_inline struct used look_at(struct socket *sock)
{
	/* A copy: a CO-RE read through the result would want to relocate it too. */
	struct sock *sk = BPF_CORE_READ(sock, sk);
	struct used used = { .sk = sk, .type = BPF_CORE_READ(sock, type) };

	used.family = BPF_CORE_READ(sk, __sk_common.skc_family);
	used.protocol = BPF_CORE_READ(sk, sk_protocol);
	used.reach = reach_of(used.family, used.type, used.protocol);
	return used;
}

/* int socket_connect(struct socket *sock, struct sockaddr *address, int addrlen) */
SEC("lsm/socket_connect")
int BPF_PROG(tyr_socket_connect, struct socket *sock, void *address, int addrlen)
{
	struct process *own = process_of(bpf_get_current_task_btf());
	struct used used;
	__u16 to = 0;

	if (!own)
		return 0;
	used = look_at(sock);
	if (used.reach == REACH_LOCAL)
		return 0;
	if (used.reach == REACH_ANY)
		return answer(judge_socket(own, used.family, used.type, used.protocol, false));
	/* The connect programs see every one of these; to no family means to dissolve a connection. */
	bpf_probe_read_kernel(&to, sizeof(to), address);
	if (to == AF_UNSPEC || socket_in_scope(used.sk))
		return 0;
	return answer(judge_named(own, used.sk, used.type, address, addrlen));
}

/* int socket_sendmsg(struct socket *sock, struct msghdr *msg, int size) */
SEC("lsm/socket_sendmsg")
int BPF_PROG(tyr_socket_sendmsg, struct socket *sock, struct msghdr *msg)
{
	struct process *own = process_of(bpf_get_current_task_btf());
	struct used used;

	if (!own)
		return 0;
	used = look_at(sock);
	if (used.reach == REACH_LOCAL)
		return 0;
	if (used.reach == REACH_ANY)
		return answer(judge_socket(own, used.family, used.type, used.protocol, false));
	if (used.type == SOCK_STREAM && !(BPF_CORE_READ(msg, msg_flags) & MSG_FASTOPEN))
		/* An address says nothing then. */
		return 0;
	/* The programs for TCP and UDP see these; pings with an address nobody does. */
	if (used.protocol != IPPROTO_ICMP && used.protocol != IPPROTO_ICMPV6 && socket_in_scope(used.sk))
		return 0;
	return answer(judge_named(own, used.sk, used.type, BPF_CORE_READ(msg, msg_name), BPF_CORE_READ(msg, msg_namelen)));
}
