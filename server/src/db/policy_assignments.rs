//! Which policy is for whom.
