//! From batches of agents to rows.
