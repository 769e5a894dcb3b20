SELECT count(*) AS "drifts!" FROM events WHERE drift_detected = true AND ts > $1
