/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What the hooks of LSM have in common. */
#pragma once

#include "process.h"

#define EPERM 1
/* include/uapi/linux/magic.h: BPF_FS_MAGIC. */
#define BPF_FS 0xcafe4a11

/* Newer verifiers want to see that nothing but 0 and errors comes out. */
static __always_inline int answer(int denied)
{
	return denied ? -EPERM : 0;
}

static __always_inline bool governed(void)
{
	return process_of(bpf_get_current_task_btf()) != NULL;
}
