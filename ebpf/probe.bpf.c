/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Is BPF LSM to be had? Loaded once to find out, never attached: a kernel can name `bpf` among its LSMs and refuse it all the same. */
#include "core.h"

/* int file_open(struct file *file); include/linux/lsm_hook_defs.h, 5.7 and later with CONFIG_BPF_LSM. */
SEC("lsm/file_open")
int tyr_probe_lsm(void *ctx)
{
	return 0;
}
