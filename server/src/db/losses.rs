//! Events that agents declare lost.
