/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Asks the policy in force about a path that nobody opens: run by test-run alone, never attached. */
#include "judge.h"

struct rehearsal {
	struct walk_buffer walk;
	__u32 profile;
	__u32 action;
	/* Where the path begins in the buffer, and its flags. */
	__u32 at;
	__u32 path_flags;
	/* Rules with a condition that hold. */
	__u64 held;
	/* The answer, and the generation of the policy that gave it; 0: there is none. */
	word answer;
	__u32 generation;
};
SAME_SIZE(struct rehearsal, 4352 + 32);

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct rehearsal);
} rehearsals SEC(".maps");

/* Context: struct __sk_buff of include/uapi/linux/bpf.h, of which nothing is looked at; 4.12 and later for test-run. */
SEC("classifier")
int tyr_rehearse(void *ctx)
{
	__u32 zero = 0, number;
	struct rehearsal *asked = bpf_map_lookup_elem(&rehearsals, &zero);
	struct policy *policy = policy_in_force();
	struct walked walk = {};
	struct profile *profile;
	struct asked of = {};

	if (!asked)
		return 0;
	asked->generation = 0;
	number = asked->profile;
	of.action = asked->action;
	if (!policy || number >= PROFILES_MAX || of.action >= FILE_ACTIONS)
		return 0;
	profile = &policy->profiles[number];
	of.held = asked->held & profile->conditional & policy->conditional_of[of.action];
	walk.at = asked->at;
	walk.flags = asked->path_flags;
	asked->answer = judge_file(policy, profile, &asked->walk, &walk, &of);
	asked->generation = policy->generation;
	return 0;
}
