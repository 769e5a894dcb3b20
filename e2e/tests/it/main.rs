//! Whole stories. They need root, cgroup2 and a kernel that loads BPF programs, and fail without them.

mod alerts;
mod backup;
mod bypass;
mod database;
mod dependencies;
mod guest;
mod kubernetes;
mod life;
mod operations;
mod packages;
mod recipes;
mod sql;
mod stale;
mod story;
mod top;
mod units;
