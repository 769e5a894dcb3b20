/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* One object, so that all programs share their maps: this file puts the hook families together. */
#include "exec.bpf.c"
#include "tree.bpf.c"
#include "open.bpf.c"
#include "connect.bpf.c"
#include "lsm.bpf.c"
#include "socket.bpf.c"
#include "guard.bpf.c"
#include "probe.bpf.c"
#include "rehearsal.bpf.c"
#include "compare.bpf.c"
#include "admit.bpf.c"

char LICENSE[] SEC("license") = "Dual BSD/GPL";
