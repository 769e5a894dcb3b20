//! The agent's integration tests, one binary; a module per part.

mod man;
mod ship;
