//! `tyrctl` as a user meets it: the real binary against a double that answers the REST interface's own types.

mod alerts;
mod commands;
mod completion;
mod double;
mod exit_codes;
mod generated;
mod hostile;
mod parity;
mod shells;
mod sql;
mod stream;
mod top;
mod users;
mod why;
