//! Immutable, numbered policies.
