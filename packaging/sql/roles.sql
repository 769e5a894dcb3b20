-- Two roles for a server on a PostgreSQL of yours: tyr_owner makes and drops tables, tyr_server works with what is in them.
-- Run as a superuser in a new database, before the server's first start, with passwords of your own:
--
--   createdb tyr
--   psql -d tyr -v ON_ERROR_STOP=1 -v owner_password="$(openssl rand -hex 24)" -v server_password="$(openssl rand -hex 24)" -f roles.sql
--
-- Then give the server both (its environment file is 0600):
--
--   DATABASE_URL=postgres://tyr_server:PASSWORD@HOST/tyr?sslmode=verify-full&sslrootcert=/etc/tyr/db-ca.pem
--   TYR_MIGRATE_DATABASE_URL=postgres://tyr_owner:PASSWORD@HOST/tyr?sslmode=verify-full&sslrootcert=/etc/tyr/db-ca.pem
--
-- The second is used at the start (migrations), once an hour and when a day needs a partition, and by `tyr-server db`.
-- For a database that one role has owned so far, first hand its objects over: REASSIGN OWNED BY old_role TO tyr_owner;

CREATE ROLE tyr_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE tyr_server LOGIN PASSWORD :'server_password';

-- Before PostgreSQL 15 everybody may make tables in "public".
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO tyr_owner;
GRANT USAGE ON SCHEMA public TO tyr_server;
-- Replays go through a temporary table, which is gone with its transaction.
SELECT format('GRANT CONNECT, TEMPORARY ON DATABASE %I TO tyr_owner, tyr_server', current_database()) \gexec

-- What is there, and what migrations and partitions will add.
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO tyr_server;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO tyr_server;
ALTER DEFAULT PRIVILEGES FOR ROLE tyr_owner IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO tyr_server;
ALTER DEFAULT PRIVILEGES FOR ROLE tyr_owner IN SCHEMA public GRANT USAGE ON SEQUENCES TO tyr_server;

-- So that `tyrctl db` shows the state of others' connections too.
GRANT pg_read_all_stats TO tyr_server, tyr_owner;
