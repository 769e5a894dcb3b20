SELECT current_setting('server_version') AS "version!", current_database() AS "database!",
       pg_database_size(current_database()) AS "size_bytes!",
       current_setting('max_connections')::int AS "connections_max!"
