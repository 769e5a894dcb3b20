//! Integration tests of the server, against a real PostgreSQL.
