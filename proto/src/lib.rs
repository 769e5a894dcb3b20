//! The wire protocol between `tyrd` and `tyr-server`: generated from `proto/*.proto`, nothing clever.
//!
//! `cargo test -p tyr-proto` compares the generated file with its source and says how to renew it.

pub mod text;

/// Package `tyr.v1`.
#[allow(
    missing_docs,
    unused_qualifications,
    clippy::all,
    clippy::pedantic,
    clippy::allow_attributes_without_reason,
    reason = "generated code; the documentation is in the .proto files"
)]
pub mod v1 {
    include!("generated/tyr.v1.rs");
}

/// Largest message that either side accepts, in bytes, after decompression.
///
/// A full batch of 100 records with 4 KiB paths and command lines stays under it; tonic's own default is 4 MiB.
pub const MESSAGE_BYTES_MAX: usize = 1024 * 1024;

/// Most records in one batch: the documented flush rule is 100 events or 1 s, whichever comes first.
pub const BATCH_RECORDS_MAX: usize = 100;
