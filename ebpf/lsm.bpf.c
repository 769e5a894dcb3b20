/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Files and programs judged before anything happens, where BPF LSM is to be had: a denial is EPERM.
 *
 * None of these is sleepable: such programs may not use an array of maps. What can't be judged is denied, and says so.
 */
#include "judge.h"
#include "lsm.h"
#include "merge.h"

#define O_TRUNC 01000
/* include/linux/fs.h: __FMODE_EXEC among f_flags, which no call of a process can set: the kernel opens a program to run it. */
#define FMODE_EXEC 0x20
#define PROT_EXEC 4
#define S_IFMT 0170000
#define S_IFDIR 0040000
#define S_IFREG 0100000

/* Sets of enum file_action. */
#define READ (1 << FILE_READ)
#define WRITE (1 << FILE_WRITE)
#define EXEC (1 << FILE_EXEC)

/* What is about to be done to what. */
struct deed {
	/* struct dentry *, and the struct vfsmount * that it is reached by; a global function takes them as numbers. */
	__u64 dentry;
	__u64 mount;
	__u32 open_flags;
	__u16 actions;
	__u16 operation;
	/* Of a directory that moves: what lies in it moves too. */
	bool below;
	/* Nobody needs to hear that it was allowed. */
	bool quiet;
	/* Only a rule that denies counts, neither alerts nor the default. */
	bool rules_only;
	/* Of an open: under this repeats are counted once it is allowed; pid 0: they are not. */
	struct merge_key repeats;
};

/* What a profile says of a deed on a path in the buffer, as far as it is about an action. */
static __always_inline word judge_action(struct policy *policy, struct profile *profile, __u32 action,
					 struct walk_buffer *buffer, const struct walked *walk, const struct deed *deed)
{
	struct asked asked = { .held = held_to(policy, profile, action), .action = action };

	asked.below = deed->below;
	asked.rules_only = deed->rules_only;
	return judge_file(policy, profile, buffer, walk, &asked);
}

/* Could not be judged, so it is denied. */
static __noinline int deny_unjudged(struct process *own, const struct deed *deed)
{
	struct open_record record = {};

	fill_head(&record.head, deed->actions & EXEC ? KIND_RUN : KIND_OPEN, own, bpf_get_current_task_btf());
	record.head.verdict = VERDICT_DENY;
	record.head.flags |= RECORD_JUDGED | RECORD_UNJUDGED;
	record.action = deed->actions & WRITE ? FILE_WRITE : deed->actions & EXEC ? FILE_EXEC : FILE_READ;
	record.operation = deed->operation;
	record.judged = VERDICT_DENY;
	emit(&record.head, sizeof(record), true);
	return -1;
}

/*
 * Judges what a governed process is about to do, and reports it. Not 0: it is denied. Global, as walk_path() is.
 */
__noinline int judge_deed(const struct deed *deed)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct process *own = process_of(task);
	struct policy *policy = policy_in_force();
	struct profile *profile = NULL;
	struct open_record *record;
	struct walked walk = {};
	struct dentry *dentry;
	word judged = 0;
	__u32 at, bytes, action = FILE_READ;
	struct scratch *s;
	bool pin;

	if (!own || !deed)
		return 0;
	if (own->flags & PROCESS_CANARY)
		return -1;
	s = bpf_task_storage_get(&scratches, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (policy)
		profile = profile_of(own, policy);
	if (!s || (policy && !profile))
		return deny_unjudged(own, deed);
	walk_path(&s->walk, deed->dentry, deed->mount, &walk);
	at = walk.at;
	if (at >= PATH_BYTES_MAX)
		return deny_unjudged(own, deed);
	/* Of two that are equally strict it is a write. */
	if (deed->actions & EXEC)
		action = FILE_EXEC;
	else if (deed->actions & WRITE)
		action = FILE_WRITE;
	if (policy) {
		judged = judge_action(policy, profile, action, &s->walk, &walk, deed);
		if (deed->actions == (READ | WRITE)) {
			word read = judge_action(policy, profile, FILE_READ, &s->walk, &walk, deed);

			if (strictness(read) > strictness(judged)) {
				judged = read;
				action = FILE_READ;
			}
		}
	}
	/* A copy: a CO-RE read through the deed would want to relocate it too. */
	dentry = (void *)deed->dentry;
	/* What is kept in a bpf file system holds Tyr's own hooks. */
	pin = deed->actions & WRITE && BPF_CORE_READ(dentry, d_sb, s_magic) == BPF_FS;
	if (pin)
		judged = VERDICT_DENY;
	/* Not of what is only mapped: the kernel maps the program between this and the record of its exec. */
	if (deed->operation == OPERATION_EXEC) {
		s->ran.generation = policy ? policy->generation : 0;
		s->ran.judged = judged;
		s->ran.known = true;
	}
	if (deed->quiet && strictness(judged) < 2)
		return 0;

	record = &s->open;
	fill_head(&record->head, action == FILE_EXEC ? KIND_RUN : KIND_OPEN, own, task);
	record->head.verdict = WORD_VERDICT(judged);
	record->head.flags |= RECORD_JUDGED | (pin ? RECORD_GUARDED : 0);
	__builtin_memset(&record->merge, 0, sizeof(record->merge));
	record->merge.inode = BPF_CORE_READ(dentry, d_inode, i_ino);
	if (deed->repeats.pid && !strictness(judged)) {
		record->merge = deed->repeats;
		/* A path, the policy or a hold changed meanwhile: what was judged is this open and no other. */
		if (record->merge.moves != paths_moved() || record->merge.holds != holds_so_far() ||
		    record->merge.generation != (__u16)(policy ? policy->generation : 0))
			record->merge.pid = 0;
		else if (merge_open(record))
			return 0;
	}
	record->device = BPF_CORE_READ(dentry, d_inode, i_sb, s_dev);
	record->open_flags = deed->open_flags;
	record->access = deed->actions & (READ | WRITE);
	record->errnum = strictness(judged) == 2 ? EPERM : 0;
	record->judged = judged;
	record->generation = policy ? policy->generation : 0;
	record->action = action;
	record->operation = deed->operation;
	record->_pad = 0;
	bytes = bounded(PATH_BYTES_MAX - at, PATH_BYTES_MAX);
	bpf_probe_read_kernel(s->tail.bytes, bytes, s->walk.path + at);
	record->path_bytes = bytes;
	record->view_at = walk.view_at - at;
	record->path_flags = walk.flags;
	if (!emit(&record->head, sizeof(*record) + bytes, strictness(judged) > 0))
		lose_repeats(record);
	return strictness(judged) == 2 ? -1 : 0;
}

static __always_inline bool is_directory(const struct dentry *dentry)
{
	return (BPF_CORE_READ(dentry, d_inode, i_mode) & S_IFMT) == S_IFDIR;
}

/* A change of an entry of a directory. */
static __always_inline int change_entry(const struct path *dir, const struct dentry *dentry, enum operation operation)
{
	struct deed deed = { .dentry = (__u64)dentry, .actions = WRITE, .operation = operation };

	if (!governed())
		return 0;
	deed.mount = (__u64)BPF_CORE_READ(dir, mnt);
	return answer(judge_deed(&deed));
}

/* A change of what a path leads to. */
static __always_inline int change_path(const struct path *path, enum operation operation)
{
	struct deed deed = { .actions = WRITE, .operation = operation };

	if (!governed())
		return 0;
	deed.dentry = (__u64)BPF_CORE_READ(path, dentry);
	deed.mount = (__u64)BPF_CORE_READ(path, mnt);
	return answer(judge_deed(&deed));
}

/*
 * An entry that goes elsewhere or gets a second name: under the new one it could be read and written, so the old one must allow both,
 * and the new one writing.
 */
static __always_inline int move_entry(const struct path *old_dir, const struct dentry *old, const struct path *new_dir,
				      const struct dentry *new, enum operation operation)
{
	struct deed deed = { .dentry = (__u64)old, .actions = READ | WRITE, .operation = operation };

	if (!governed())
		return 0;
	deed.mount = (__u64)BPF_CORE_READ(old_dir, mnt);
	deed.below = is_directory(old);
	if (judge_deed(&deed))
		return -EPERM;
	deed.dentry = (__u64)new;
	deed.mount = (__u64)BPF_CORE_READ(new_dir, mnt);
	deed.actions = WRITE;
	return answer(judge_deed(&deed));
}

/*
 * Was the same open allowed in this second, by this policy, and has no path changed since, nor what anybody is held to? Then it is
 * counted, and that is all: the walk and the rules would say the same. Else the deed knows from here on under what its repeats are to be found.
 */
static __always_inline bool was_allowed(struct deed *deed, const struct dentry *dentry, const struct process *own,
					const struct task_struct *task)
{
	struct policy *policy = policy_in_force();
	__u64 now = bpf_ktime_get_boot_ns();

	deed->repeats.dentry = deed->dentry;
	deed->repeats.mount = deed->mount;
	deed->repeats.inode = dentry->d_inode->i_ino;
	deed->repeats.name_hash = dentry->d_name.hash;
	deed->repeats.program = own->program;
	deed->repeats.pid = task->tgid;
	deed->repeats.generation = policy ? policy->generation : 0;
	deed->repeats.access = deed->actions;
	deed->repeats.second = now / MERGE_NS;
	deed->repeats.moves = paths_moved();
	deed->repeats.holds = holds_so_far();
	return deed->repeats.moves && is_repeat(&deed->repeats, now);
}

/* Apart, so that what every open of the host passes saves few registers. */
static __noinline int open_by_governed(struct file *file)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct process *own = process_of(task);
	struct deed deed = { .operation = OPERATION_OPEN };

	if (!own)
		return 0;
	deed.open_flags = file->f_flags;
	if (deed.open_flags & FMODE_EXEC)
		/* bprm_check_security and mmap_file judge it as what it is. */
		return 0;
	if (file->f_mode & FMODE_READ || !(file->f_mode & FMODE_WRITE))
		deed.actions |= READ;
	if (file->f_mode & FMODE_WRITE || deed.open_flags & O_TRUNC)
		deed.actions |= WRITE;
	deed.dentry = (__u64)file->f_path.dentry;
	deed.mount = (__u64)file->f_path.mnt;
	if (merge_allowed && was_allowed(&deed, file->f_path.dentry, own, task))
		return 0;
	return judge_deed(&deed);
}

/* int file_open(struct file *file); include/linux/lsm_hook_defs.h, 5.7 to 6.18. In do_dentry_open(): not for O_PATH. */
SEC("lsm/file_open")
int BPF_PROG(tyr_file_open, struct file *file)
{
	return may_be_marked(bpf_get_current_task_btf()->tgid) ? answer(open_by_governed(file)) : 0;
}

/*
 * int bprm_check_security(struct linux_binprm *bprm); 5.7 to 6.18. Once for a program, and before that once for each script whose
 * interpreter it is.
 */
SEC("lsm/bprm_check_security")
int BPF_PROG(tyr_bprm_check, struct linux_binprm *bprm)
{
	struct deed deed = { .actions = EXEC, .operation = OPERATION_EXEC };
	char begin[2] = {};

	if (!governed())
		return 0;
	/* Of a program that runs, the record of its exec tells with all its arguments; of a script only this one does. */
	bpf_core_read(begin, sizeof(begin), &bprm->buf);
	deed.quiet = begin[0] != '#' || begin[1] != '!';
	deed.dentry = (__u64)BPF_CORE_READ(bprm, file, f_path.dentry);
	deed.mount = (__u64)BPF_CORE_READ(bprm, file, f_path.mnt);
	return answer(judge_deed(&deed));
}

/*
 * int mmap_file(struct file *file, unsigned long reqprot, unsigned long prot, unsigned long flags); 5.7 to 6.18. How `ld.so PROGRAM`
 * runs a program without exec. Libraries come this way too, so a default says nothing here: only a rule denies.
 */
SEC("lsm/mmap_file")
int BPF_PROG(tyr_mmap_file, struct file *file, unsigned long reqprot, unsigned long prot, unsigned long flags)
{
	struct deed deed = { .actions = EXEC, .operation = OPERATION_MAP, .quiet = true, .rules_only = true };

	if (!(prot & PROT_EXEC) || !file || !governed())
		return 0;
	deed.dentry = (__u64)BPF_CORE_READ(file, f_path.dentry);
	deed.mount = (__u64)BPF_CORE_READ(file, f_path.mnt);
	return answer(judge_deed(&deed));
}

/* int path_unlink(const struct path *dir, struct dentry *dentry); 5.7 to 6.18, with CONFIG_SECURITY_PATH, as all that follow. */
SEC("lsm/path_unlink")
int BPF_PROG(tyr_path_unlink, const struct path *dir, struct dentry *dentry)
{
	return change_entry(dir, dentry, OPERATION_UNLINK);
}

/* int path_mkdir(const struct path *dir, struct dentry *dentry, umode_t mode) */
SEC("lsm/path_mkdir")
int BPF_PROG(tyr_path_mkdir, const struct path *dir, struct dentry *dentry)
{
	return change_entry(dir, dentry, OPERATION_MKDIR);
}

/* int path_rmdir(const struct path *dir, struct dentry *dentry) */
SEC("lsm/path_rmdir")
int BPF_PROG(tyr_path_rmdir, const struct path *dir, struct dentry *dentry)
{
	return change_entry(dir, dentry, OPERATION_RMDIR);
}

/* int path_symlink(const struct path *dir, struct dentry *dentry, const char *old_name) */
SEC("lsm/path_symlink")
int BPF_PROG(tyr_path_symlink, const struct path *dir, struct dentry *dentry)
{
	return change_entry(dir, dentry, OPERATION_SYMLINK);
}

/*
 * int path_mknod(const struct path *dir, struct dentry *dentry, umode_t mode, unsigned int dev). An open that creates comes here first,
 * so that a denied one leaves no empty file behind; that it is allowed, file_open reports.
 */
SEC("lsm/path_mknod")
int BPF_PROG(tyr_path_mknod, const struct path *dir, struct dentry *dentry, unsigned short mode)
{
	struct deed deed = { .dentry = (__u64)dentry, .actions = WRITE, .operation = OPERATION_CREATE };

	if (!governed())
		return 0;
	deed.quiet = (mode & S_IFMT) == S_IFREG || !(mode & S_IFMT);
	deed.mount = (__u64)BPF_CORE_READ(dir, mnt);
	return answer(judge_deed(&deed));
}

/* int path_link(struct dentry *old_dentry, const struct path *new_dir, struct dentry *new_dentry): within one mount. */
SEC("lsm/path_link")
int BPF_PROG(tyr_path_link, struct dentry *old_dentry, const struct path *new_dir, struct dentry *new_dentry)
{
	return move_entry(new_dir, old_dentry, new_dir, new_dentry, OPERATION_LINK);
}

/*
 * int path_rename(const struct path *old_dir, struct dentry *old_dentry, const struct path *new_dir, struct dentry *new_dentry,
 *		   unsigned int flags); 5.19 to 6.18. An exchange comes twice, once in each direction.
 */
SEC("lsm/path_rename")
int BPF_PROG(tyr_path_rename, const struct path *old_dir, struct dentry *old_dentry, const struct path *new_dir,
	     struct dentry *new_dentry)
{
	return move_entry(old_dir, old_dentry, new_dir, new_dentry, OPERATION_RENAME);
}

/* int path_truncate(const struct path *path): truncate(2); what is open for writing was judged when it was opened. */
SEC("lsm/path_truncate")
int BPF_PROG(tyr_path_truncate, const struct path *path)
{
	return change_path(path, OPERATION_TRUNCATE);
}

/* int path_chmod(const struct path *path, umode_t mode) */
SEC("lsm/path_chmod")
int BPF_PROG(tyr_path_chmod, const struct path *path)
{
	return change_path(path, OPERATION_CHMOD);
}

/* int path_chown(const struct path *path, kuid_t uid, kgid_t gid) */
SEC("lsm/path_chown")
int BPF_PROG(tyr_path_chown, const struct path *path)
{
	return change_path(path, OPERATION_CHOWN);
}

/* The mount by which a file system was first mounted: inode hooks know of none. Since 6.17 its mounts are a list of another kind. */
static __always_inline struct vfsmount *first_mount(const struct dentry *dentry)
{
	struct super_block *sb = BPF_CORE_READ(dentry, d_sb);
	struct mount *mount;

	if (bpf_core_field_exists(struct mount___since_6_17, mnt_next_for_sb)) {
		mount = (void *)BPF_CORE_READ((struct super_block___since_6_17 *)sb, s_mounts);
	} else {
		struct list_head *first = BPF_CORE_READ(sb, s_mounts.next);

		mount = (void *)first - bpf_core_field_offset(struct mount, mnt_instance);
	}
	return (void *)mount + bpf_core_field_offset(struct mount, mnt);
}

/*
 * int inode_setxattr(struct user_namespace *mnt_userns, struct dentry *dentry, const char *name, const void *value, size_t size,
 *		      int flags); 5.12 to 6.2, with struct mnt_idmap * in the first place since. ACLs come this way up to 6.1.
 */
SEC("lsm/inode_setxattr")
int BPF_PROG(tyr_inode_setxattr, void *idmap, struct dentry *dentry)
{
	struct deed deed = { .dentry = (__u64)dentry, .actions = WRITE, .operation = OPERATION_SETXATTR };

	if (!governed())
		return 0;
	deed.mount = (__u64)first_mount(dentry);
	return answer(judge_deed(&deed));
}
