//! The dashboard: `tyrctl top`.
