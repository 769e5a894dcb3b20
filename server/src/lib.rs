//! The control plane of Tyr: stores, re-judges and serves what a fleet of `tyrd` agents reports.
//!
//! A request walks `http/<resource>` or `grpc` → `app/<aggregate>` → `db/<aggregate>`. Doors parse and answer; `app` decides
//! and owns the transaction; `db` holds all SQL. REST and gRPC are two doors to the same `app` functions.

pub mod accept;
pub mod admin;
pub mod app;
pub mod args;
pub mod backup;
pub mod config;
pub mod db;
pub mod embedded;
pub mod files;
pub mod grpc;
pub mod http;
pub mod metrics;
pub mod pki;
pub mod serve;
pub mod signals;
pub mod supervision;
pub mod telemetry;
pub mod tls;

/// This server's version, as `/health` shows it.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
