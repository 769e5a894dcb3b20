/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Exec: which program runs, and whether it is an AI process, known before its first instruction. */
#include "automaton.h"
#include "process.h"

/* include/uapi/asm-generic/signal.h */
#define SIGKILL 9

/* Copies what the walk found to the front of the tail; gives its length. */
static __always_inline __u32 take_path(struct scratch *s, const struct walked *w)
{
	__u32 at = w->at, bytes;

	if (at >= PATH_BYTES_MAX)
		return 0;
	bytes = bounded(PATH_BYTES_MAX - at, PATH_BYTES_MAX);
	bpf_probe_read_kernel(s->tail.bytes, bytes, s->walk.path + at);
	return bytes;
}

/* The fingerprint automaton over a part of the walk's buffer. */
struct path_match {
	struct walk_buffer *buffer;
	__u32 at;
	__u32 automaton;
	__u32 state;
};

static long path_match_step(__u32 step, struct path_match *m)
{
	__u32 at = m->at + step;

	if (at >= PATH_BYTES_MAX)
		return 1;
	m->state = fingerprint_next(m->automaton, m->state, m->buffer->path[at]);
	return m->state == 0;
}

/* The state behind the path at the end of the buffer. Global, as walk_path() is. */
__noinline __u32 match_path(struct walk_buffer *buffer, __u32 at, __u32 automaton, __u32 state)
{
	struct path_match m = { buffer, at, automaton, state };

	if (!buffer)
		return 0;
	bpf_loop(PATH_BYTES_MAX, path_match_step, &m, 0);
	return m.state;
}

/* Where in the arguments we are. */
enum args_phase {
	/* In argv[0], or in an argument that is skipped. */
	ARGS_SKIP,
	/* At the first byte of an argument. */
	ARGS_BEGIN,
	/* In an option. */
	ARGS_OPTION,
	/* In the name of a module or script: the automaton runs. */
	ARGS_NAME,
};

struct args_input {
	/* The arguments within the tail. */
	__u32 at;
	__u32 end;
	__u32 automaton;
	/* States at the beginning of an absolute script, of one relative to the working directory, and of a module. */
	__u32 absolute;
	__u32 relative;
	__u32 module;
};

struct args_match {
	struct args_input in;
	struct tail *tail;
	__u32 phase;
	/* Of the option that we are in: its length so far, and its second character. */
	__u32 option_bytes;
	__u8 option;
	/* What the next argument is: 0 open, 'm' a module, 'v' the value of an option. */
	__u8 next;
	__u32 state;
};

/* One byte of the arguments. */
static long args_match_step(__u32 step, struct args_match *m)
{
	__u32 at = m->in.at + step;
	__u8 byte;

	if (at >= m->in.end || at >= TAIL_BYTES_MAX)
		return 1;
	byte = m->tail->bytes[at];
	switch (m->phase) {
	case ARGS_SKIP:
		if (!byte)
			m->phase = ARGS_BEGIN;
		return 0;
	case ARGS_BEGIN:
		if (m->next == 'v') {
			m->next = 0;
			m->phase = byte ? ARGS_SKIP : ARGS_BEGIN;
			return 0;
		}
		if (m->next != 'm' && byte == '-') {
			m->phase = ARGS_OPTION;
			m->option_bytes = 1;
			m->option = 0;
			return 0;
		}
		m->phase = ARGS_NAME;
		m->state = m->next == 'm' ? m->in.module : byte == '/' ? m->in.absolute : m->in.relative;
		break;
	case ARGS_OPTION:
		if (byte) {
			if (m->option_bytes == 1)
				m->option = byte;
			m->option_bytes++;
			return 0;
		}
		m->phase = ARGS_BEGIN;
		if (m->option_bytes != 2)
			return 0;
		switch (m->option) {
		case 'm':
			m->next = 'm';
			return 0;
		/* Options of node and python that take the next argument. */
		case 'r': case 'C': case 'X': case 'W':
			m->next = 'v';
			return 0;
		/* A program text instead of a script. */
		case 'c': case 'e': case 'p':
			return 1;
		}
		return 0;
	}
	if (!byte)
		return 1;
	m->state = fingerprint_next(m->in.automaton, m->state, byte);
	return m->state == 0;
}

/* Number of the element of `fingerprints` (from 1) that recognises what an interpreter runs; 0: none. Global, as walk_path() is. */
__noinline __u32 match_args(struct tail *tail, const struct args_input *in)
{
	struct args_match m = {};

	if (!tail || !in)
		return 0;
	m.tail = tail;
	m.in = *in;
	bpf_loop(ARGS_BYTES_MAX, args_match_step, &m, 0);
	return m.phase == ARGS_NAME ? fingerprint_accept(m.in.automaton, m.state) : 0;
}

/*
 * Number of the element of `fingerprints` (from 1) that recognises the program, or 0.
 *
 * The first automaton is over the executable's path. What it finds to be an interpreter has an automaton of its own over `/s` and
 * the absolute path of the script, or `/m/` and the module; nothing else among the arguments counts, so `cat /opt/tool/cli.js` is
 * not the tool.
 */
static __always_inline __u32 recognise(struct scratch *s, struct task_struct *task, const struct walked *exe,
				       __u32 args_at, __u32 args_bytes)
{
	struct args_input args = {};
	struct fingerprint *found;
	__u32 number, index, role;

	if (exe->flags & (PATH_TRUNCATED | PATH_PSEUDO))
		return 0;
	number = fingerprint_accept(0, match_path(&s->walk, exe->at, 0, fingerprint_starts[0]));
	if (!number)
		return 0;
	index = number - 1;
	found = bpf_map_lookup_elem(&fingerprints, &index);
	if (!found || !(found->flags & FINGERPRINT_INTERPRETER))
		return number;

	args.at = args_at;
	args.end = args_at + args_bytes;
	args.automaton = found->agent_type & (FINGERPRINT_AUTOMATA_MAX - 1);
	role = fingerprint_next(args.automaton, fingerprint_starts[args.automaton], '/');
	args.absolute = fingerprint_next(args.automaton, role, 's');
	args.module = fingerprint_next(args.automaton, fingerprint_next(args.automaton, role, 'm'), '/');
	if (args.absolute) {
		struct walked cwd = {};

		walk_path(&s->walk, (__u64)BPF_CORE_READ(task, fs, pwd.dentry), (__u64)BPF_CORE_READ(task, fs, pwd.mnt), &cwd);
		if (!(cwd.flags & (PATH_TRUNCATED | PATH_PSEUDO)))
			args.relative = fingerprint_next(
				args.automaton, match_path(&s->walk, cwd.at, args.automaton, args.absolute), '/');
	}
	return match_args(&s->tail, &args);
}

/* Keeps the executable's path for rules that name binaries. */
static __always_inline void remember_program(__u64 id, const struct scratch *s, __u32 path_bytes, __u32 flags)
{
	/* A value of this size fits on no stack: any bytes make the entry, which nobody can know of yet, and it is filled in place. */
	struct program *program;

	_Static_assert(sizeof(*s) >= sizeof(*program), "reads behind the scratch buffer");

	if (bpf_map_update_elem(&programs, &id, s, BPF_NOEXIST))
		return;
	program = bpf_map_lookup_elem(&programs, &id);
	if (!program)
		return;
	program->processes = 1;
	program->path_flags = flags;
	program->path_bytes = path_bytes;
	if (path_bytes <= PATH_BYTES_MAX)
		bpf_probe_read_kernel(program->path, path_bytes, s->tail.bytes);
}

/*
 * Ends a process that has become a tool which may not run. SIGKILL is there before the process returns to userspace, so not one of
 * its instructions runs; the exec itself is past the point where it could fail. Works on every kernel that observes execs, with BPF
 * security modules and without.
 */
static __always_inline bool refuse_tool(__u32 agent_type)
{
	__u32 *refused = bpf_map_lookup_elem(&refused_types, &agent_type);

	return refused && *refused && !bpf_send_signal(SIGKILL);
}

/*
 * void sched_process_exec(struct task_struct *p, pid_t old_pid, struct linux_binprm *bprm)
 * include/trace/events/sched.h; the same on 6.1 to 6.18. In exec_binprm(), after the point of no return: the new memory is in
 * place with its arguments, and not one instruction of it has run.
 */
SEC("tp_btf/sched_process_exec")
int BPF_PROG(tyr_exec, struct task_struct *task, int old_pid, struct linux_binprm *bprm)
{
	struct process *own = process_of(task), mark = {};
	struct fingerprint found = {};
	__u32 path_bytes, args_bytes, filename_bytes, pid = task->tgid, pattern;
	__u64 arg_start, arg_end, caller = own ? own->program : 0;
	__u16 caller_type = own ? own->agent_type : 0;
	struct walked walk = {};
	struct scratch *s;
	bool root = false;
	long copied;

	if (!own && !in_scope())
		return 0;
	s = bpf_task_storage_get(&scratches, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!s) {
		if (own)
			count_loss(LOSS_SCRATCH, KIND_EXEC, VERDICT_ALLOW);
		return 0;
	}
	walk_path(&s->walk, (__u64)BPF_CORE_READ(bprm, file, f_path.dentry),
		  (__u64)BPF_CORE_READ(bprm, file, f_path.mnt), &walk);
	path_bytes = bounded(take_path(s, &walk), PATH_BYTES_MAX);

	arg_start = BPF_CORE_READ(task, mm, arg_start);
	arg_end = BPF_CORE_READ(task, mm, arg_end);
	args_bytes = arg_end > arg_start && arg_end - arg_start < ARGS_BYTES_MAX ? arg_end - arg_start : ARGS_BYTES_MAX;
	if (arg_end <= arg_start)
		args_bytes = 0;
	if (args_bytes > ARGS_BYTES_MAX || bpf_probe_read_user(s->tail.bytes + path_bytes, args_bytes, (void *)arg_start))
		args_bytes = 0;

	pattern = recognise(s, task, &walk, path_bytes, args_bytes);
	if (pattern) {
		__u32 index = pattern - 1;
		struct fingerprint *entry = bpf_map_lookup_elem(&fingerprints, &index);

		if (entry)
			found = *entry;
		else
			pattern = 0;
	}
	if (!own && !pattern) {
		bpf_task_storage_delete(&scratches, task);
		return 0;
	}
	/* Inside a tree only a sure sign of another agent begins a new one; what an agent runs as a tool stays its own. */
	if (!own)
		root = true;
	else if (pattern && found.agent_type != own->agent_type && !found.flags)
		root = true;

	if (own) {
		mark = *own;
		program_leave(mark.program);
	} else {
		hold_leave(pid);
	}
	mark.program = __sync_fetch_and_add(&next_id, 1);
	mark.binary_class = 0;
	if (root) {
		if (own && tree_leave(mark.tree)) {
			/* The old tree's last process has become another agent. */
			struct record *head = &s->exec.head;

			fill_head(head, KIND_EXIT, own, task);
			head->flags |= RECORD_LAST;
			emit(head, sizeof(struct exit_record), true);
		}
		mark.tree = mark.program;
		mark.agent_type = found.agent_type;
		mark.flags = found.flags & FINGERPRINT_WEAK ? PROCESS_CANDIDATE : 0;
		tree_enter(mark.tree);
	}
	remember_program(mark.program, s, path_bytes, walk.flags);
	pid_admit(pid);
	if (bpf_map_update_elem(&processes, &pid, &mark, BPF_ANY)) {
		count_loss(LOSS_MARK, KIND_EXEC, VERDICT_ALLOW);
		return 0;
	}

	copied = bpf_probe_read_kernel_str(s->tail.bytes + path_bytes + args_bytes, FILENAME_BYTES_MAX,
					   BPF_CORE_READ(bprm, filename));
	filename_bytes = copied > 0 && copied <= FILENAME_BYTES_MAX ? copied - 1 : 0;
	fill_head(&s->exec.head, KIND_EXEC, &mark, task);
	if (root)
		s->exec.head.flags |= RECORD_ROOT;
	/* A weak pattern is no proof: tyrd ends what it confirms. */
	if (root && !(mark.flags & PROCESS_CANDIDATE) && refuse_tool(mark.agent_type))
		s->exec.head.flags |= RECORD_REFUSED;
	s->exec.pattern = pattern;
	s->exec.path_flags = walk.flags;
	s->exec.path_bytes = path_bytes;
	s->exec.args_bytes = args_bytes;
	s->exec.filename_bytes = filename_bytes;
	s->exec.caller = caller;
	s->exec.caller_type = caller ? caller_type : mark.agent_type;
	s->exec.judged = s->ran.judged;
	s->exec.generation = s->ran.generation;
	if (s->ran.known) {
		s->exec.head.flags |= RECORD_JUDGED;
		s->exec.head.verdict = WORD_VERDICT(s->exec.judged);
	}
	s->ran.known = false;
	s->exec._pad = 0;
	emit(&s->exec.head, sizeof(s->exec) + bounded(path_bytes + args_bytes + filename_bytes, TAIL_BYTES_MAX),
	     root || s->exec.head.verdict != VERDICT_ALLOW);
	return 0;
}
