/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Has the hooks look for a mark: run by test-run alone, before tyrd marks a process that runs already; never attached. */
#include "process.h"

/* Context: struct __sk_buff of include/uapi/linux/bpf.h, whose data begins with the process id (u32); 4.12 and later for test-run. */
SEC("classifier")
int tyr_admit(void *ctx)
{
	__u32 pid = 0;

	if (bpf_skb_load_bytes(ctx, 0, &pid, sizeof(pid)))
		return 0;
	pid_admit(pid);
	return 1;
}
