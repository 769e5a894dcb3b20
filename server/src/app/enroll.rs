//! Tokens and CSRs for certificates.
