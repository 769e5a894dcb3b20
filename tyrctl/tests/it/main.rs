//! `tyrctl` as a user meets it: the real binary against a double that answers the REST interface's own types.

mod alerts;
mod bad_input;
mod changes;
mod check;
mod commands;
mod completion;
mod config;
mod doctor;
mod double;
mod exit_codes;
mod generated;
mod hostile;
mod jq;
mod lists;
mod looks;
mod parity;
mod shells;
mod sql;
mod stream;
mod top;
mod top_session;
mod users;
mod watch;
mod why;
