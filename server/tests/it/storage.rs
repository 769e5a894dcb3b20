//! How events are kept: days that come and go, what has no place, counts that never lie, plans of the hot queries, roles, TLS.

mod days;
mod migrations;
mod plans;
mod roles;
mod tls;
