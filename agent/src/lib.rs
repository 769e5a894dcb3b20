//! `tyrd`, the agent: finds AI processes on this host, judges what they do, and reports it.
//!
//! An event walks `kernel` (ring buffer) → `decode` → `enrich` → `judge` → `spool` → `ship`.

pub mod agent_type;
pub mod args;
pub mod clock;
pub mod config;
pub mod control;
pub mod data_dir;
pub mod decode;
pub mod enrich;
pub mod fanotify;
pub mod fault;
pub mod fingerprints;
pub mod identity;
pub mod judge;
pub mod kernel;
pub mod memory;
pub mod pipeline;
pub mod policies;
pub mod run;
pub mod scope;
pub mod serve;
pub mod ship;
pub mod spool;
pub mod status;
pub mod supervision;
pub mod telemetry;
