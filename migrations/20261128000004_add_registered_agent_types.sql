-- Why: `unregistered_agents: quarantine|deny` of an agent asks which agent types are registered: those that an admin approved (here), and
-- those that have an overlay assigned.
-- Locks: none that matter, the table is new and the column has a constant default.

CREATE TABLE approved_agent_types (
    agent_type  text PRIMARY KEY CONSTRAINT approved_agent_types_form CHECK (agent_type ~ '^[a-z][a-z0-9._-]{0,63}$'),
    approved_at timestamptz NOT NULL DEFAULT now(),
    approved_by text NOT NULL
);

ALTER TABLE agents ADD COLUMN unregistered_agents text NOT NULL DEFAULT '';
