//! Policy assignments.
