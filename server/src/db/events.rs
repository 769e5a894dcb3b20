//! Events: ingest and queries.
