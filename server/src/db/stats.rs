//! Counts over events.
