//! Drift: the server's own judgement of each event.
