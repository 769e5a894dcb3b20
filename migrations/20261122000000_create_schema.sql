-- The whole first schema. Why this shape: events are partitioned by day so that retention drops tables instead of deleting
-- rows; the primary key starts with agent_id, taken from the client certificate, so that an agent can only ever collide with
-- itself; (ts) is ascending because a descending index doubles its size under time-ordered inserts and serves no more.
-- Locks: none that matter, the tables are new.

CREATE TYPE event_kind     AS ENUM ('file_read', 'file_write', 'exec', 'net_connect', 'tls_connect');
CREATE TYPE event_verdict  AS ENUM ('allow', 'deny', 'alert');
CREATE TYPE event_severity AS ENUM ('low', 'medium', 'high', 'critical');
CREATE TYPE drift_reason   AS ENUM ('not_enforced_here', 'stale_policy', 'verdict_differs');
CREATE TYPE agent_posture  AS ENUM ('unknown', 'blind', 'observing', 'partial', 'enforcing');
CREATE TYPE user_role      AS ENUM ('viewer', 'admin');
CREATE TYPE assignment_target AS ENUM ('all', 'agent', 'agent_type');

CREATE TABLE users (
    user_id       uuid PRIMARY KEY,
    username      text NOT NULL CONSTRAINT users_username_unique UNIQUE
                  CONSTRAINT users_username_length CHECK (length(username) BETWEEN 1 AND 64),
    password_hash text NOT NULL,
    role          user_role NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE enrollment_tokens (
    -- The public part of the token: finds the row without trying a salted hash on each.
    token_id    text PRIMARY KEY,
    label       text NOT NULL,
    secret_hash text NOT NULL,
    max_uses    integer NOT NULL CONSTRAINT enrollment_tokens_max_uses_positive CHECK (max_uses > 0),
    uses        integer NOT NULL DEFAULT 0 CONSTRAINT enrollment_tokens_uses_bounded CHECK (uses BETWEEN 0 AND max_uses),
    expires_at  timestamptz NOT NULL,
    revoked_at  timestamptz,
    created_at  timestamptz NOT NULL DEFAULT now(),
    created_by  text NOT NULL
);

CREATE TABLE policy_versions (
    version     integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    name        text NOT NULL,
    -- How many it has, so that a list need not parse every text.
    rules       integer NOT NULL CONSTRAINT policy_versions_rules_not_negative CHECK (rules >= 0),
    yaml        text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    created_by  text NOT NULL
);

-- One row per target and time span; the row with ended_at null is in force. Rows are never changed otherwise.
CREATE TABLE policy_assignments (
    assignment_id uuid PRIMARY KEY,
    version     integer NOT NULL REFERENCES policy_versions ON DELETE RESTRICT,
    target_type assignment_target NOT NULL,
    -- Agent id or agent type; empty for target_type 'all'.
    target_id   text NOT NULL,
    assigned_at timestamptz NOT NULL DEFAULT now(),
    assigned_by text NOT NULL,
    ended_at    timestamptz
);
CREATE UNIQUE INDEX policy_assignments_in_force ON policy_assignments (target_type, target_id) WHERE ended_at IS NULL;

-- Each combination of policy versions that was ever pushed, under its content's digest (PolicyPush.policy_id).
CREATE TABLE effective_policies (
    policy_id  text PRIMARY KEY,
    -- [{"version": 3, "name": "web", "agent_type": null}, ...] in the order of evaluation.
    layers     jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE agents (
    agent_id       uuid PRIMARY KEY,
    name           text NOT NULL,
    last_seen      timestamptz NOT NULL DEFAULT now(),
    kernel         text NOT NULL DEFAULT '',
    arch           text NOT NULL DEFAULT '',
    agent_version  text NOT NULL DEFAULT '',
    capabilities   text[] NOT NULL DEFAULT '{}',
    hooks          text[] NOT NULL DEFAULT '{}',
    posture        agent_posture NOT NULL DEFAULT 'unknown',
    posture_reason text NOT NULL DEFAULT '',
    scope          text NOT NULL DEFAULT '',
    labels         jsonb NOT NULL DEFAULT '{}',
    -- What the agent says is in force on its host, and why the newest push is not, if it isn't.
    policy_id      text REFERENCES effective_policies ON DELETE RESTRICT,
    policy_error   text NOT NULL DEFAULT '',
    clock_skew_ms  bigint NOT NULL DEFAULT 0,
    spool_records  bigint NOT NULL DEFAULT 0,
    events_lost    bigint NOT NULL DEFAULT 0,
    enrolled_at    timestamptz NOT NULL DEFAULT now(),
    client_cert    text NOT NULL,
    cert_serial    text NOT NULL,
    cert_not_after timestamptz NOT NULL,
    archived_at    timestamptz,
    revoked_at     timestamptz
) WITH (fillfactor = 70); -- no index on last_seen: keeps heartbeats HOT

-- Which effective policy an agent should have run from when on: what drift is judged by.
CREATE TABLE agent_policies (
    agent_id       uuid NOT NULL REFERENCES agents ON DELETE CASCADE,
    effective_from timestamptz NOT NULL,
    -- Null: no policy is assigned from this moment on.
    policy_id      text REFERENCES effective_policies ON DELETE RESTRICT,
    PRIMARY KEY (agent_id, effective_from)
);

CREATE TABLE discovered_agents (
    id                uuid PRIMARY KEY,
    daemon_agent_id   uuid NOT NULL REFERENCES agents ON DELETE CASCADE,
    agent_type        text NOT NULL,
    display_name      text NOT NULL,
    pid               bigint NOT NULL,
    process_signature text NOT NULL,
    process_exe       text NOT NULL,
    cmdline           text NOT NULL,
    found_by          text NOT NULL,
    first_seen        timestamptz NOT NULL,
    ended_at          timestamptz
);
CREATE INDEX discovered_agents_by_daemon ON discovered_agents (daemon_agent_id, first_seen);

-- Column order: 16-byte, 8, 4, 1, variable; no padding.
CREATE TABLE events (
    event_id            uuid NOT NULL,
    agent_id            uuid NOT NULL,
    -- The agent's clock, fixed when the event was made.
    ts                  timestamptz NOT NULL,
    discovered_agent_id uuid,
    -- The server's clock at commit, strictly increasing from batch to batch: the order of the live stream and its cursor.
    received_at         timestamptz NOT NULL,
    pid                 bigint NOT NULL,
    -- The version that holds the deciding rule, or the base's when no rule matched.
    policy_version      integer,
    kind                event_kind NOT NULL,
    verdict             event_verdict NOT NULL,
    server_verdict      event_verdict,
    severity            event_severity NOT NULL,
    drift_reason        drift_reason,
    drift_detected      boolean NOT NULL DEFAULT false,
    -- The effective policy that the agent judged with; null while it had none.
    policy_id           text,
    rule                text,
    agent_type          text,
    resource            text NOT NULL,
    process_exe         text NOT NULL,
    cmdline             text NOT NULL,
    metadata            jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (agent_id, ts, event_id)
) PARTITION BY RANGE (ts);
CREATE INDEX events_ts ON events (ts);
CREATE INDEX events_drift ON events (ts, agent_id) WHERE drift_detected;
-- The order of the live stream, for replays. All rows of a batch share one value, so deduplication keeps it near 7 bytes per
-- row; a BRIN index would be smaller still but can't give rows in order.
CREATE INDEX events_received_at ON events (received_at);

-- Counts per minute, kept in the transaction that stores the events. `shard` is the writer, so that writers don't queue.
CREATE TABLE events_minute (
    minute  timestamptz NOT NULL,
    shard   smallint NOT NULL,
    verdict event_verdict NOT NULL,
    kind    event_kind NOT NULL,
    events  bigint NOT NULL,
    drifts  bigint NOT NULL,
    PRIMARY KEY (minute, shard, verdict, kind)
) WITH (fillfactor = 50);

-- What a spool says it lost, cumulative: emitted = stored + lost.
CREATE TABLE event_losses (
    agent_id    uuid NOT NULL REFERENCES agents ON DELETE CASCADE,
    spool_epoch bytea NOT NULL,
    kind        event_kind NOT NULL,
    verdict     event_verdict NOT NULL,
    reason      text NOT NULL,
    events      bigint NOT NULL,
    updated_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (agent_id, spool_epoch, kind, verdict, reason)
);

-- Events that could not be stored as they came. They count as delivered, so that one of them never stops the rest.
CREATE TABLE rejected_events (
    rejected_id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    agent_id    uuid NOT NULL REFERENCES agents ON DELETE CASCADE,
    received_at timestamptz NOT NULL DEFAULT now(),
    reason      text NOT NULL,
    -- The protobuf record as received.
    record      bytea NOT NULL
);
