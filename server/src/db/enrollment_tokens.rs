//! Enrollment tokens.
