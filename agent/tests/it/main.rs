//! The agent's integration tests, one binary; a module per part.

mod guest;
mod kernel;
mod man;
mod ship;
