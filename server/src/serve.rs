//! Boot, run, stop.
