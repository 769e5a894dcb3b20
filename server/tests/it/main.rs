//! Integration tests of the server, against a real PostgreSQL.

mod commands;
mod embedded;
mod generated;
mod grpc;
mod ingest;
mod logs;
mod man;
mod program;
mod prometheus;
mod rest;
mod stack;
mod storage;
mod testdb;
