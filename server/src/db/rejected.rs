//! Events that could not be stored as they came.
