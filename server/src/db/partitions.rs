//! Daily partitions of events.
