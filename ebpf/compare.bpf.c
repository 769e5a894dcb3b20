/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The path walk beside what the kernel itself says, of the opens of one thread: for tests alone, judges nothing. */
#include "walk.h"

struct comparison {
	struct walk_buffer walk;
	/* What bpf_d_path() wrote, with its NUL. */
	char said[PATH_BYTES_MAX];
	/* Whose opens; set by who asks. */
	__u32 tid;
	/* Which of them, from 0: an overlay opens the file below too. */
	__u32 wanted;
	/* Opens so far. */
	__u32 opens;
	/* Of the wanted one: bytes that bpf_d_path() wrote, or its error; and what the walk found. */
	__s32 said_bytes;
	struct walked walked;
};
SAME_SIZE(struct comparison, 4352 + 4096 + 28);

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct comparison);
} comparisons SEC(".maps");

/* int file_open(struct file *file); include/linux/lsm_hook_defs.h, 5.7 to 6.18. bpf_d_path() is allowed here since 5.11. */
SEC("lsm/file_open")
int BPF_PROG(tyr_compare, struct file *file)
{
	__u32 zero = 0;
	struct comparison *c = bpf_map_lookup_elem(&comparisons, &zero);

	if (!c || c->tid != (__u32)bpf_get_current_pid_tgid())
		return 0;
	if (c->opens++ != c->wanted)
		return 0;
	c->said_bytes = bpf_d_path(&file->f_path, c->said, sizeof(c->said));
	walk_path(&c->walk, (__u64)BPF_CORE_READ(file, f_path.dentry), (__u64)BPF_CORE_READ(file, f_path.mnt), &c->walked);
	return 0;
}
