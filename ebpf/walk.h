/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * THE path walk: from a dentry and its mount up to the root of the mount namespace, as prepend_path() of fs/d_path.c does it.
 *
 * bpf_d_path() is allowed in few hooks, gives the process's view (so a chroot hides what lies above it), and has no flags.
 * The text is written backwards into a buffer; nothing is locked, so a rename during the walk can mix old and new names.
 */
#pragma once

#include "abi.h"

/* Components and mounts, at most: 2,048 components fit into PATH_BYTES_MAX. */
#define WALK_STEPS_MAX 2304

struct walk_buffer {
	/* The path ends at PATH_BYTES_MAX. The rest is slack, so that a name copied to any place below that fits. */
	char path[PATH_BYTES_MAX + NAME_BYTES_MAX + 1];
};

struct walk {
	struct walk_buffer *buffer;
	struct dentry *dentry;
	struct mount *mount;
	struct dentry *mount_root;
	/* The process's own root, at which its view begins. */
	struct dentry *root_dentry;
	struct vfsmount *root_mount;
	/* Where the path begins in the buffer. */
	__u32 at;
	/* Where the view begins in the buffer. */
	__u32 view_at;
	__u32 flags;
	bool view_known;
};

static __always_inline struct mount *mount_of(struct vfsmount *mnt)
{
	return (void *)mnt - bpf_core_field_offset(struct mount, mnt);
}

/* Puts a name before what is there; false when there is no room. */
static __always_inline bool walk_prepend(struct walk *w, const unsigned char *name, __u32 length, bool slash)
{
	__u32 at = w->at;

	if (length > NAME_BYTES_MAX)
		length = NAME_BYTES_MAX;
	if (at > PATH_BYTES_MAX || length + 1 > at)
		return false;
	at -= length;
	if (at >= PATH_BYTES_MAX)
		/* An empty name: nothing to copy, and the verifier wants to see the bound. */
		at = PATH_BYTES_MAX - 1;
	else
		bpf_probe_read_kernel(w->buffer->path + at, length & NAME_BYTES_MAX, name);
	if (slash) {
		at--;
		/* In one register: older verifiers forget that two hold the same, and check the other one. */
		asm volatile("" : "+r"(at));
		if (at >= PATH_BYTES_MAX)
			return false;
		w->buffer->path[at] = '/';
	}
	w->at = at;
	return true;
}

/* One component, or one step from a mounted root to where it is mounted. Callback of bpf_loop: 1 ends the walk. */
static long walk_step(__u32 step, struct walk *w)
{
	/* Copies: a CO-RE read of w->mount->… would want to relocate struct walk too. */
	struct dentry *dentry = w->dentry, *parent = NULL;
	struct mount *mount = w->mount;
	struct qstr name = {};

	if (!w->view_known && dentry == w->root_dentry && &mount->mnt == w->root_mount) {
		w->view_at = w->at;
		w->view_known = true;
	}
	if (dentry == w->mount_root) {
		struct mount *above = NULL;

		bpf_core_read(&above, sizeof(above), &mount->mnt_parent);
		if (!above || above == mount)
			return 1;
		bpf_core_read(&w->dentry, sizeof(w->dentry), &mount->mnt_mountpoint);
		w->mount = above;
		bpf_core_read(&w->mount_root, sizeof(w->mount_root), &above->mnt.mnt_root);
		return 0;
	}
	bpf_core_read(&parent, sizeof(parent), &dentry->d_parent);
	if (!parent || parent == dentry) {
		/* Found by its handle alone (open_by_handle_at), or moved out of what is mounted: nobody knows what lies above. */
		w->flags |= PATH_TRUNCATED;
		return 1;
	}
	bpf_core_read(&name, sizeof(name), &dentry->d_name);
	if (!walk_prepend(w, name.name, name.len, true)) {
		w->flags |= PATH_TRUNCATED;
		return 1;
	}
	w->dentry = parent;
	return 0;
}

/* What a walk found: the path is buffer->path[at .. PATH_BYTES_MAX], the part that the process sees begins at view_at. */
struct walked {
	__u32 at;
	__u32 view_at;
	__u32 flags;
};

/*
 * Walks from a dentry and its mount, as the current task sees it.
 *
 * A global function, so that the verifier looks at it once and not again at each call with all that it knows there; such a
 * function takes kernel pointers as numbers only, which is enough, as all is read by helper.
 */
__noinline int walk_path(struct walk_buffer *buffer, __u64 from, __u64 on, struct walked *out)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct dentry *dentry = (struct dentry *)from, *parent;
	struct vfsmount *mnt = (struct vfsmount *)on;
	struct walk w = {};

	if (!buffer || !out)
		return 0;
	parent = BPF_CORE_READ(dentry, d_parent);
	w.buffer = buffer;
	w.dentry = dentry;
	w.mount = mount_of(mnt);
	w.mount_root = BPF_CORE_READ(mnt, mnt_root);
	w.root_dentry = BPF_CORE_READ(task, fs, root.dentry);
	w.root_mount = BPF_CORE_READ(task, fs, root.mnt);
	w.at = PATH_BYTES_MAX;
	w.view_at = PATH_BYTES_MAX;

	/* The condition of d_path(): a file system that makes up its names, memfd and pipes for instance. */
	if (BPF_CORE_READ(dentry, d_op) && BPF_CORE_READ(dentry, d_op, d_dname) &&
	    !(parent == dentry && dentry == w.mount_root)) {
		struct qstr name = {};

		bpf_core_read(&name, sizeof(name), &dentry->d_name);
		walk_prepend(&w, name.name, name.len, false);
		w.flags = PATH_PSEUDO;
		w.view_at = w.at;
	} else {
		if (parent != dentry && !BPF_CORE_READ(dentry, d_hash.pprev))
			w.flags = PATH_DELETED;
		if (bpf_loop(WALK_STEPS_MAX, walk_step, &w, 0) >= WALK_STEPS_MAX)
			w.flags |= PATH_TRUNCATED;
		if (!w.view_known)
			/* Not below the process's root: it sees what the namespace sees. */
			w.view_at = w.at;
		if (w.at == PATH_BYTES_MAX) {
			/* The root itself. */
			w.at = PATH_BYTES_MAX - 1;
			buffer->path[PATH_BYTES_MAX - 1] = '/';
			w.view_at = w.at;
		}
	}
	out->at = w.at;
	out->view_at = w.view_at;
	out->flags = w.flags;
	return 0;
}
