//! The REST and SSE types of `tyr-server`, shared by the server and its clients.
//!
//! Everything here is plain data: JSON in snake_case, instants in RFC 3339 UTC, ids as hyphenated UUIDs. Fields are added,
//! never renamed. Types that a client receives tolerate unknown fields; request bodies refuse them, so that a typing error
//! in a script is an error and not a silent default.

pub mod agents;
pub mod alerts;
pub mod audit;
pub mod auth;
pub mod db;
pub mod error;
pub mod events;
pub mod health;
pub mod page;
pub mod policies;
pub mod stats;
pub mod stream;
pub mod users;
