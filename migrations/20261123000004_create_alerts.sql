-- Alerts without Prometheus: their state, what the rules remember of each agent, and the webhooks that are told.
-- Locks: none that matter, the tables are new. An older server that still runs leaves them alone.

CREATE TYPE alert_rule AS ENUM ('stale', 'silent', 'deny_spike', 'drift', 'sustained_drift', 'loss', 'posture_fell');
CREATE TYPE alert_state AS ENUM ('pending', 'firing', 'resolved');
CREATE TYPE webhook_format AS ENUM ('json', 'slack');
CREATE TYPE delivery_state AS ENUM ('waiting', 'delivered', 'dead');

-- Grows with each change of an alert, in the order of COMMIT: servers find what changed without reading the table.
CREATE SEQUENCE alerts_revision;

CREATE TABLE alerts (
    alert_id        uuid PRIMARY KEY,
    rule            alert_rule NOT NULL,
    agent_id        uuid NOT NULL REFERENCES agents ON DELETE CASCADE,
    state           alert_state NOT NULL,
    -- When the condition was first seen to hold, and the last change of state.
    since           timestamptz NOT NULL,
    changed_at      timestamptz NOT NULL,
    fired_at        timestamptz,
    resolved_at     timestamptz,
    -- The condition has not held since then, and the alert waits before it resolves.
    clear_since     timestamptz,
    -- Evaluations in a row in which the condition held.
    evaluations     integer NOT NULL,
    value           double precision NOT NULL,
    threshold       double precision NOT NULL,
    details         jsonb NOT NULL DEFAULT '{}',
    flapping        boolean NOT NULL DEFAULT false,
    acknowledged_at timestamptz,
    acknowledged_by text,
    note            text CONSTRAINT alerts_note_length CHECK (length(note) <= 1000),
    revision        bigint NOT NULL DEFAULT nextval('alerts_revision'),
    CONSTRAINT alerts_acknowledged_by_whom CHECK ((acknowledged_at IS NULL) = (acknowledged_by IS NULL))
);
CREATE UNIQUE INDEX alerts_open ON alerts (rule, agent_id) WHERE state <> 'resolved';
CREATE INDEX alerts_fired_at ON alerts (fired_at);
CREATE INDEX alerts_by_revision ON alerts (revision);
CREATE INDEX alerts_by_agent ON alerts (agent_id);

-- One row: when rules were evaluated last, by whichever server, and since when without a break.
CREATE TABLE alert_evaluation (
    one             boolean PRIMARY KEY DEFAULT true CONSTRAINT alert_evaluation_one_row CHECK (one),
    evaluated_at    timestamptz NOT NULL,
    unbroken_since  timestamptz NOT NULL
);
INSERT INTO alert_evaluation (evaluated_at, unbroken_since) VALUES ('epoch', 'epoch');

-- What the rules remember of each agent from one evaluation to the next.
CREATE TABLE alert_agents (
    agent_id          uuid PRIMARY KEY REFERENCES agents ON DELETE CASCADE,
    -- Heard from without a longer break since then; null while it is not.
    online_since      timestamptz,
    last_event_at     timestamptz,
    -- When last_event_at was last compared with the table of events.
    events_checked_at timestamptz,
    -- Declared lost up to the last evaluation, and when that last grew and by how much within one run of losses.
    events_lost       bigint NOT NULL DEFAULT 0,
    lost_at           timestamptz,
    lost_recently     bigint NOT NULL DEFAULT 0,
    -- The best posture that it had, or the one that an admin accepted.
    posture_expected  agent_posture NOT NULL DEFAULT 'unknown'
) WITH (fillfactor = 70);

-- Denials by the minute in which they happened, drift by the minute in which it arrived; kept for two hours.
CREATE TABLE alert_minutes (
    agent_id           uuid NOT NULL REFERENCES agents ON DELETE CASCADE,
    minute             timestamptz NOT NULL,
    denials            bigint NOT NULL DEFAULT 0,
    drifts_stale       bigint NOT NULL DEFAULT 0,
    drifts_differing   bigint NOT NULL DEFAULT 0,
    drifts_unenforced  bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (minute, agent_id)
) WITH (fillfactor = 50);

CREATE TABLE webhooks (
    webhook_id  uuid PRIMARY KEY,
    url         text NOT NULL CONSTRAINT webhooks_url_length CHECK (length(url) BETWEEN 1 AND 2048),
    format      webhook_format NOT NULL,
    -- In the clear: the server signs with it. No answer of the server ever holds it again.
    secret      text NOT NULL,
    -- Empty: all rules.
    rules       alert_rule[] NOT NULL DEFAULT '{}',
    enabled     boolean NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    created_by  text NOT NULL
);

-- The outbox: written in the transaction that changes the alerts, sent afterwards, in order for each webhook.
CREATE TABLE webhook_deliveries (
    delivery_id  uuid PRIMARY KEY,
    sequence     bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    webhook_id   uuid NOT NULL REFERENCES webhooks ON DELETE CASCADE,
    state        delivery_state NOT NULL DEFAULT 'waiting',
    body         text NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    attempts     integer NOT NULL DEFAULT 0,
    next_try_at  timestamptz NOT NULL DEFAULT now(),
    -- A server is sending it; after that instant another one may.
    leased_until timestamptz,
    ended_at     timestamptz,
    last_status  integer,
    last_error   text
);
CREATE INDEX webhook_deliveries_waiting ON webhook_deliveries (webhook_id, sequence) WHERE state = 'waiting';
CREATE INDEX webhook_deliveries_ended ON webhook_deliveries (webhook_id, ended_at) WHERE state <> 'waiting';
