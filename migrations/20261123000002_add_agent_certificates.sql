-- Why: certificates of agents are renewed over the stream, so an agent holds several in the course of time, and for a
-- while two at once: the one that it uses and the one that it was given, should it crash before it kept that. Until now
-- only the newest was known (agents.cert_serial, which goes on being written: a server of the version before looks there).
-- Locks: a new table takes none that matter; the copy reads agents, one row each. The index takes SHARE on agents while it
-- is built, which is milliseconds for tens of thousands of rows.
CREATE TABLE agent_certificates (
    agent_id      uuid NOT NULL REFERENCES agents ON DELETE CASCADE,
    -- Lower-case hex.
    serial        text NOT NULL,
    issued_at     timestamptz NOT NULL DEFAULT now(),
    not_after     timestamptz NOT NULL,
    -- The first stream that it opened. An expired certificate is renewed only if no younger one was ever used.
    first_used_at timestamptz,
    PRIMARY KEY (agent_id, serial)
);
INSERT INTO agent_certificates (agent_id, serial, issued_at, not_after, first_used_at)
SELECT agent_id, cert_serial, enrolled_at, cert_not_after, last_seen FROM agents;

-- Which of the connected agents may not be connected any more, asked twice a second by each server.
CREATE INDEX agents_refused ON agents (agent_id) WHERE revoked_at IS NOT NULL OR archived_at IS NOT NULL;
