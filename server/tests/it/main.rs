//! Integration tests of the server, against a real PostgreSQL.

mod embedded;
mod generated;
mod grpc;
mod ingest;
mod man;
mod rest;
mod stack;
mod testdb;
