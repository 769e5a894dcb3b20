//! The kernel programs on the running kernel, each test in a cgroup of its own.
//!
//! They need root and a kernel that loads them. Where that is missing they say so by name; with `CI=true` or
//! `TYR_KERNEL_TESTS=required` they fail instead.

mod fanotify;
mod ground;
mod identity;
mod lsm;
mod net;
mod open;
mod walk;
