//! `tyrctl` as a user meets it: the real binary against a double that answers the REST interface's own types.

mod alerts;
mod commands;
mod double;
mod exit_codes;
mod generated;
mod hostile;
mod stream;
mod top;
mod top_session;
mod users;
