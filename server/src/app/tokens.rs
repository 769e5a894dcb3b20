//! Enrollment tokens, as admins see them.
