-- Why: severe drift (an alert that should have been a denial) is counted for each agent wherever drift is. Without an index of its own
-- each drifting row would have to be read for its verdicts.
-- Locks: none that matter, as partitions that are there get no index; those made from now on do, and in the old ones the index over
-- all drift is used until retention drops them.

CREATE INDEX events_drift_severe ON ONLY events (ts, agent_id)
    WHERE drift_detected AND verdict = 'alert' AND server_verdict = 'deny';
