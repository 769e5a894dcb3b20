/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Fork and exit: the mark goes on to every child, and away with the last thread. */
#include "process.h"

/*
 * void sched_process_fork(struct task_struct *parent, struct task_struct *child)
 * include/trace/events/sched.h; 6.1 to 6.18 (later ones on the same fields). Before the child runs.
 */
SEC("tp_btf/sched_process_fork")
int BPF_PROG(tyr_fork, struct task_struct *parent, struct task_struct *child)
{
	struct process *own, mark;
	__u32 pid = child->tgid;

	if (parent->tgid == child->tgid)
		/* A thread: the mark is its process's. */
		return 0;
	own = process_of(parent);
	if (!own)
		return 0;
	mark = *own;
	mark.tried = 0;
	pid_admit(pid);
	if (bpf_map_update_elem(&processes, &pid, &mark, BPF_ANY)) {
		count_loss(LOSS_MARK, KIND_EXEC, VERDICT_ALLOW);
		return 0;
	}
	/* Behind the mark: tyrd takes away what has none. */
	if (!hold_inherit(parent->tgid, pid))
		count_loss(LOSS_MARK, KIND_EXEC, VERDICT_ALLOW);
	tree_enter(mark.tree);
	program_enter(mark.program);
	return 0;
}

/*
 * void sched_process_exit(struct task_struct *p)
 * include/trace/events/sched.h; 6.1 to 6.15, and with one argument more (group_dead) since. In do_exit(), for each thread, after
 * signal->live was counted down.
 */
SEC("tp_btf/sched_process_exit")
int BPF_PROG(tyr_exit, struct task_struct *task)
{
	struct process *own = process_of(task), mark;
	struct exit_record record = {};
	__u32 pid = task->tgid;
	bool last;

	if (pid == guard_tgid && task->signal->live.counter <= 0)
		/* Its number may be given to anybody. */
		guard_gone = true;
	if (!own || task->signal->live.counter > 0)
		return 0;
	mark = *own;
	/* Two last threads can both come here: one of them deletes. */
	if (bpf_map_delete_elem(&processes, &pid))
		return 0;
	pid_dismiss(pid);
	if (mark.flags & PROCESS_CANARY)
		return 0;
	hold_leave(pid);
	last = tree_leave(mark.tree);
	program_leave(mark.program);
	fill_head(&record.head, KIND_EXIT, &mark, task);
	if (last)
		record.head.flags |= RECORD_LAST;
	emit(&record.head, sizeof(record), last);
	return 0;
}
