-- Why: a list of agents asked three further tables once for each row. Now the version is in the row of its policy, and running AI
-- processes have an index of their own, which stays small however many have ended.
-- Locks: effective_policies is written anew (a few rows), and discovered_agents takes no writes while its index is made, which is
-- well under a second for a million rows.

CREATE FUNCTION newest_version(layers jsonb) RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (SELECT max((layer ->> 'version')::int) FROM jsonb_array_elements(layers) AS layer);

ALTER TABLE effective_policies ADD COLUMN version int GENERATED ALWAYS AS (newest_version(layers)) STORED;

CREATE INDEX discovered_agents_live ON discovered_agents (daemon_agent_id) WHERE ended_at IS NULL;
