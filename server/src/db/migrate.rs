//! The schema, brought up to date at the start.
