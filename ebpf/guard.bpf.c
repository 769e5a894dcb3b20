/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What a governed process may not do whatever the policy says: act through a process that isn't governed as it is, and take its guard
 * away. Without these, no rule would hold for it.
 */
#include "lsm.h"

/* include/linux/ptrace.h */
#define PTRACE_MODE_ATTACH 2

/* enum bpf_cmd of include/uapi/linux/bpf.h: those that give a hold on what somebody else made, or put programs into the kernel. */
#define BPF_PROG_LOAD 5
#define BPF_OBJ_GET 7
#define BPF_PROG_GET_FD_BY_ID 13
#define BPF_MAP_GET_FD_BY_ID 14
#define BPF_LINK_GET_FD_BY_ID 30
#define BPF_LINK_DETACH 34
/* enum bpf_prog_type: what containers filter devices with. */
#define BPF_PROG_TYPE_CGROUP_DEVICE 15

/* Tells of a denial, and of the program or file that it is about. A global function, as walk_path() is. */
__noinline int deny_guarded(__u64 dentry, __u64 mount, __u32 operation)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct process *own = process_of(task);
	struct open_record *record;
	struct walked walk = {};
	struct scratch *s;
	__u32 bytes = 0;

	if (!own)
		return 0;
	s = bpf_task_storage_get(&scratches, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!s) {
		count_loss(LOSS_SCRATCH, KIND_RUN, VERDICT_DENY);
		return 0;
	}
	record = &s->open;
	__builtin_memset(record, 0, sizeof(*record));
	fill_head(&record->head, KIND_RUN, own, task);
	record->head.verdict = VERDICT_DENY;
	record->head.flags |= RECORD_JUDGED | RECORD_GUARDED;
	record->action = FILE_EXEC;
	record->operation = operation;
	record->judged = VERDICT_DENY;
	record->errnum = EPERM;
	if (dentry) {
		walk_path(&s->walk, dentry, mount, &walk);
		if (walk.at < PATH_BYTES_MAX) {
			bytes = bounded(PATH_BYTES_MAX - walk.at, PATH_BYTES_MAX);
			bpf_probe_read_kernel(s->tail.bytes, bytes, s->walk.path + walk.at);
		}
		record->path_flags = walk.flags;
	}
	record->path_bytes = bytes;
	emit(&record->head, sizeof(*record) + bytes, true);
	return 0;
}

/* About a process, by its program. */
static __always_inline int deny_about(const struct task_struct *task, __u32 operation)
{
	struct file *exe = BPF_CORE_READ(task, mm, exe_file);
	struct dentry *dentry = NULL;
	struct vfsmount *mount = NULL;

	if (exe) {
		dentry = BPF_CORE_READ(exe, f_path.dentry);
		mount = BPF_CORE_READ(exe, f_path.mnt);
	}
	deny_guarded((__u64)dentry, (__u64)mount, operation);
	return -EPERM;
}

/*
 * int ptrace_access_check(struct task_struct *child, unsigned int mode); include/linux/lsm_hook_defs.h, 5.7 to 6.18. ptrace, process_vm_*,
 * pidfd_getfd and /proc/PID/mem come here. Debuggers may attach within their own tree; what only reads (ps, /proc/PID/environ) files judge.
 */
SEC("lsm/ptrace_access_check")
int BPF_PROG(tyr_ptrace_access, struct task_struct *child, unsigned int mode)
{
	struct process *own, *other;
	__u32 pid;

	if (!(mode & PTRACE_MODE_ATTACH))
		return 0;
	own = process_of(bpf_get_current_task_btf());
	if (!own)
		return 0;
	pid = BPF_CORE_READ(child, tgid);
	other = bpf_map_lookup_elem(&processes, &pid);
	if (other && other->tree == own->tree)
		return 0;
	return deny_about(child, OPERATION_ATTACH);
}

/* int task_kill(struct task_struct *p, struct kernel_siginfo *info, int sig, const struct cred *cred); 5.7 to 6.18. */
SEC("lsm/task_kill")
int BPF_PROG(tyr_task_kill, struct task_struct *p, void *info, int sig)
{
	/* Signal 0 only asks whether it is there. */
	if (!sig || guard_gone || (__u32)BPF_CORE_READ(p, tgid) != guard_tgid || !governed())
		return 0;
	return deny_about(p, OPERATION_SIGNAL);
}

/*
 * int bpf(int cmd, union bpf_attr *attr, unsigned int size); 5.7 to 6.14, with `bool kernel` behind since. The first word of the
 * attributes of a load is the type of the program.
 */
SEC("lsm/bpf")
int BPF_PROG(tyr_bpf, int cmd, void *attr)
{
	__u32 type = 0;

	switch (cmd) {
	case BPF_PROG_LOAD:
		bpf_probe_read_kernel(&type, sizeof(type), attr);
		if (type == BPF_PROG_TYPE_CGROUP_DEVICE)
			return 0;
		break;
	case BPF_OBJ_GET:
	case BPF_PROG_GET_FD_BY_ID:
	case BPF_MAP_GET_FD_BY_ID:
	case BPF_LINK_GET_FD_BY_ID:
	case BPF_LINK_DETACH:
		break;
	default:
		return 0;
	}
	if (!governed())
		return 0;
	deny_guarded(0, 0, OPERATION_BPF);
	return -EPERM;
}
