//! The way of events into the table.
