DELETE FROM events WHERE ts < now() - interval '30 days';
