/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Opens, observed where BPF LSM is not to be had: the result of the open family, and the file behind it.
 *
 * This sees what was opened after the fact. A thread of the same process can put another file under the number before the call
 * returns, and hide an open so: it is no boundary. Attached to every call of the host, it is taken off while nobody is governed.
 */
#include "merge.h"
#include "process.h"
#include "syscalls.h"

#define O_ACCMODE 3
#define O_WRONLY 1
#define O_RDWR 2
#define O_CREAT_WRONLY_TRUNC 01101
#define ENOENT 2
/* include/linux/errno.h: from here on errors mean "start again" and are never seen by the process. */
#define ERESTARTSYS 512

static __always_inline struct file *file_of(struct task_struct *task, long fd)
{
	struct fdtable *table = BPF_CORE_READ(task, files, fdt);
	struct file *file = NULL, **slots;
	__u32 slots_max;

	slots_max = BPF_CORE_READ(table, max_fds);
	if (fd < 0 || fd >= slots_max)
		return NULL;
	slots = BPF_CORE_READ(table, fd);
	bpf_probe_read_kernel(&file, sizeof(file), slots + fd);
	return file;
}

static __always_inline void not_judged(struct open_record *open)
{
	open->judged = open->generation = open->_pad = 0;
	open->action = open->operation = 0;
}

static __always_inline void report_file(struct scratch *s, struct process *own, struct task_struct *task, struct file *file)
{
	struct open_record *open = &s->open;
	struct policy *policy = policy_in_force();
	struct walked walk = {};
	__u32 at, bytes;

	fill_head(&open->head, KIND_OPEN, own, task);
	open->access = BPF_CORE_READ(file, f_mode) & (FMODE_READ | FMODE_WRITE);
	open->open_flags = BPF_CORE_READ(file, f_flags);
	open->merge.inode = BPF_CORE_READ(file, f_inode, i_ino);
	open->merge.dentry = (__u64)BPF_CORE_READ(file, f_path.dentry);
	open->merge.mount = (__u64)BPF_CORE_READ(file, f_path.mnt);
	open->merge.program = own->program;
	open->merge.pid = open->head.pid;
	/* What was merged under one policy is not merged with what comes under the next. */
	open->merge.generation = policy ? policy->generation : 0;
	open->merge.access = open->access;
	open->merge.moves = open->merge.name_hash = open->merge.holds = 0;
	if (!merge_opens)
		open->merge.pid = 0;
	else if (merge_open(open))
		return;
	open->device = BPF_CORE_READ(file, f_inode, i_sb, s_dev);
	open->errnum = 0;
	not_judged(open);
	walk_path(&s->walk, open->merge.dentry, open->merge.mount, &walk);
	at = walk.at;
	if (at >= PATH_BYTES_MAX) {
		lose_repeats(open);
		return;
	}
	bytes = bounded(PATH_BYTES_MAX - at, PATH_BYTES_MAX);
	bpf_probe_read_kernel(s->tail.bytes, bytes, s->walk.path + at);
	open->path_bytes = bytes;
	open->view_at = walk.view_at - at;
	open->path_flags = walk.flags;
	if (!emit(&open->head, sizeof(*open) + bytes, false))
		lose_repeats(open);
}

/* More of them than anyone wants to read? */
static __always_inline bool too_many_tried(struct process *own, __u64 now_ns)
{
	__u64 second = now_ns / 1000000000ULL;

	if (own->tried_second != second) {
		own->tried_second = second;
		own->tried = 0;
	}
	return own->tried++ >= TRIED_PER_SECOND_MAX;
}

static __always_inline void report_tried(struct scratch *s, struct process *own, struct task_struct *task,
					 const struct call *call, long error)
{
	struct open_record *open = &s->open;
	unsigned long name = 0, flags = 0;
	long copied;

	switch (call->open) {
	case CALL_OPEN:
		name = call->args[0];
		flags = call->args[1];
		break;
	case CALL_CREAT:
		name = call->args[0];
		flags = O_CREAT_WRONLY_TRUNC;
		break;
	case CALL_OPENAT:
		name = call->args[1];
		flags = call->args[2];
		break;
	case CALL_OPENAT2:
		name = call->args[1];
		/* First member of struct open_how: its flags. */
		bpf_probe_read_user(&flags, sizeof(flags), (void *)call->args[2]);
		break;
	default:
		/* A handle has no name. */
		return;
	}
	copied = bpf_probe_read_user_str(s->tail.bytes, PATH_BYTES_MAX, (void *)name);
	if (copied <= 1 || copied > PATH_BYTES_MAX)
		return;
	fill_head(&open->head, KIND_OPEN, own, task);
	open->head.flags |= RECORD_TRIED;
	open->access = (flags & O_ACCMODE) == O_WRONLY ? FMODE_WRITE :
		       (flags & O_ACCMODE) == O_RDWR ? FMODE_READ | FMODE_WRITE : FMODE_READ;
	open->open_flags = flags;
	open->errnum = error;
	open->merge.inode = open->merge.pid = 0;
	open->device = 0;
	not_judged(open);
	open->path_bytes = copied - 1;
	open->view_at = 0;
	open->path_flags = 0;
	emit(&open->head, sizeof(*open) + copied - 1, false);
}

/*
 * void sys_exit(struct pt_regs *regs, long ret)
 * include/trace/events/syscalls.h; the same on 6.1 to 6.18. The registers still hold the arguments.
 */
SEC("tp_btf/sys_exit")
int BPF_PROG(tyr_sys_exit, struct pt_regs *regs, long ret)
{
	struct task_struct *task;
	struct process *own;
	struct scratch *s;
	struct file *file;
	struct call call;

	if (!may_open(regs))
		return 0;
	task = bpf_get_current_task_btf();
	own = process_of(task);
	if (!own)
		return 0;
	call = read_call(regs, task);
	if (call.open == CALL_OTHER || ret <= -ERESTARTSYS)
		return 0;
	if (ret == -ENOENT && too_many_tried(own, bpf_ktime_get_boot_ns())) {
		count_loss(LOSS_TRIED, KIND_OPEN, VERDICT_ALLOW);
		return 0;
	}
	s = bpf_task_storage_get(&scratches, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!s) {
		count_loss(LOSS_SCRATCH, KIND_OPEN, VERDICT_ALLOW);
		return 0;
	}
	if (ret < 0) {
		report_tried(s, own, task, &call, -ret);
		return 0;
	}
	file = file_of(task, ret);
	if (file)
		report_file(s, own, task, file);
	return 0;
}
