//! AI processes that agents found.
