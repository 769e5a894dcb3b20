//! The internal CA.

/// The internal CA and this server's certificate.
#[derive(Debug)]
pub struct Pki {}
