//! Effective policies by digest, and which agent had which from when on.
