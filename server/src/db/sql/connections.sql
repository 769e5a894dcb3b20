SELECT application_name AS "application!", coalesce(state, 'hidden') AS "state!", count(*) AS "connections!",
       (extract(epoch FROM max(clock_timestamp() - xact_start) FILTER (WHERE pid <> pg_backend_pid())) * 1000)::bigint
           AS oldest_transaction_ms
  FROM pg_stat_activity
 WHERE datname = current_database()
 GROUP BY 1, 2
 ORDER BY 3 DESC, 1, 2
