/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* System calls by number and their arguments, per architecture, 32-bit callers included. */
#pragma once

#include "core.h"

enum open_call {
	CALL_OTHER = 0,
	CALL_OPEN,
	CALL_CREAT,
	CALL_OPENAT,
	CALL_OPENAT2,
	CALL_OPEN_BY_HANDLE_AT,
};

struct call {
	enum open_call open;
	/* The first three arguments. */
	unsigned long args[3];
};

#if defined(__TARGET_ARCH_x86)
/* arch/x86/include/asm/thread_info.h: the call came through a 32-bit entry (int 0x80 too), with i386 numbers. */
#define TS_COMPAT 0x0002

static __always_inline enum open_call native_open_call(long number)
{
	/* arch/x86/entry/syscalls/syscall_64.tbl */
	switch (number) {
	case 2: return CALL_OPEN;
	case 85: return CALL_CREAT;
	case 257: return CALL_OPENAT;
	case 304: return CALL_OPEN_BY_HANDLE_AT;
	case 437: return CALL_OPENAT2;
	}
	return CALL_OTHER;
}

static __always_inline enum open_call compat_open_call(long number)
{
	/* arch/x86/entry/syscalls/syscall_32.tbl */
	switch (number) {
	case 5: return CALL_OPEN;
	case 8: return CALL_CREAT;
	case 295: return CALL_OPENAT;
	case 342: return CALL_OPEN_BY_HANDLE_AT;
	case 437: return CALL_OPENAT2;
	}
	return CALL_OTHER;
}

/* Numbers that open nothing in either table leave at once: this runs at the end of every call of the host. */
static __always_inline bool may_open(const struct pt_regs *regs)
{
	return native_open_call(regs->orig_ax) || compat_open_call(regs->orig_ax);
}

static __always_inline struct call read_call(const struct pt_regs *regs, const struct task_struct *task)
{
	struct call call = {};

	if (task->thread_info.status & TS_COMPAT) {
		call.open = compat_open_call(regs->orig_ax);
		call.args[0] = (__u32)regs->bx;
		call.args[1] = (__u32)regs->cx;
		call.args[2] = (__u32)regs->dx;
	} else {
		call.open = native_open_call(regs->orig_ax);
		call.args[0] = regs->di;
		call.args[1] = regs->si;
		call.args[2] = regs->dx;
	}
	return call;
}
#elif defined(__TARGET_ARCH_arm64)
static __always_inline enum open_call native_open_call(long number)
{
	/* include/uapi/asm-generic/unistd.h; there is no open and no creat */
	switch (number) {
	case 56: return CALL_OPENAT;
	case 265: return CALL_OPEN_BY_HANDLE_AT;
	case 437: return CALL_OPENAT2;
	}
	return CALL_OTHER;
}

static __always_inline bool may_open(const struct pt_regs *regs)
{
	return native_open_call(regs->syscallno);
}

static __always_inline struct call read_call(const struct pt_regs *regs, const struct task_struct *task)
{
	struct call call = { native_open_call(regs->syscallno), { regs->orig_x0, regs->regs[1], regs->regs[2] } };

	return call;
}
#endif
