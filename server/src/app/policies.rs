//! Policy versions.
