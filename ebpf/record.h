/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Making records: the scratch buffer of a thread, the common head, and handing over. */
#pragma once

#include "maps.h"
#include "walk.h"

/* include/linux/fs.h: of f_mode. */
#define FMODE_READ 1
#define FMODE_WRITE 2

/* What follows the fixed part of a record: path, arguments, name. */
#define TAIL_BYTES_MAX (PATH_BYTES_MAX + ARGS_BYTES_MAX + FILENAME_BYTES_MAX)

struct tail {
	char bytes[TAIL_BYTES_MAX];
};

/*
 * Work space of one thread. Never per CPU: a program can be preempted, and another on that CPU would change the path under it.
 * A thread that opens keeps it; one that only passes by at exec gives it back.
 */
struct scratch {
	struct walk_buffer walk;
	/* Both end where the tail begins, so that record and tail are handed over in one piece. */
	union {
		struct {
			char _before_exec[sizeof(struct open_record) - sizeof(struct exec_record)];
			struct exec_record exec;
		};
		struct open_record open;
	};
	struct tail tail;
	/* What was said of the program that is about to run. */
	struct {
		word judged;
		__u32 generation;
		bool known;
	} ran;
};
_Static_assert(__builtin_offsetof(struct scratch, exec) + sizeof(struct exec_record) ==
	       __builtin_offsetof(struct scratch, tail), "record and tail are apart");
_Static_assert(__builtin_offsetof(struct scratch, open) + sizeof(struct open_record) ==
	       __builtin_offsetof(struct scratch, tail), "record and tail are apart");

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct scratch);
} scratches SEC(".maps");

static __always_inline void fill_head(struct record *head, __u32 kind, const struct process *process,
				      struct task_struct *task)
{
	head->boot_ns = bpf_ktime_get_boot_ns();
	head->tree = process->tree;
	head->program = process->program;
	head->pid = task->tgid;
	head->tid = task->pid;
	head->ppid = task->real_parent->tgid;
	head->uid = (__u32)bpf_get_current_uid_gid();
	head->agent_type = process->agent_type;
	head->kind = kind;
	head->verdict = VERDICT_ALLOW;
	head->flags = process->flags & PROCESS_CANDIDATE ? RECORD_CANDIDATE : 0;
	head->_pad = 0;
}

/*
 * A length, where the verifier can see that it is one: it forgets bounds that the compiler knows and so does not check again.
 */
static __always_inline __u64 bounded(__u64 length, __u64 max)
{
	asm volatile("" : "+r"(length));
	return length > max ? max : length;
}

/* Hands a record over, or counts it as lost: false. */
static __always_inline bool emit(struct record *head, __u64 bytes, bool now)
{
	long error = now ? bpf_ringbuf_output(&urgent, head, bytes, 0)
			 : bpf_ringbuf_output(&regular, head, bytes, BPF_RB_NO_WAKEUP);

	if (error)
		count_loss(LOSS_RING, head->kind & (KINDS_MAX - 1), head->verdict & (VERDICTS_MAX - 1));
	return !error;
}
