-- Sessions that end before their token does, and a log of what people did. Why these shapes: a token carries the version of its
-- user, so one number ends all sessions of a user at once, and only sessions that ended one by one (logout) need a row, until their
-- token would have expired anyway. Older servers ignore both.
-- Locks: users, for a moment (a column with a constant default rewrites nothing); the tables are new.

ALTER TABLE users
    -- Goes up with each change of password or role; tokens of an earlier version are refused.
    ADD COLUMN token_version       integer NOT NULL DEFAULT 0,
    ADD COLUMN password_changed_at timestamptz,
    ADD COLUMN last_login_at       timestamptz;

-- Sessions that were logged out. A row may go once the token has expired.
CREATE TABLE ended_sessions (
    session_id uuid PRIMARY KEY,
    user_id    uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    expires_at timestamptz NOT NULL
);
CREATE INDEX ended_sessions_expires_at ON ended_sessions (expires_at);

-- What people did, each entry written in the transaction of the deed. No foreign keys: an entry outlives what it speaks of.
CREATE TABLE audit_log (
    audit_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ts         timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- Name of the user; in pointed brackets what is none: <unknown>, <environment>.
    actor      text NOT NULL CONSTRAINT audit_log_actor_length CHECK (length(actor) BETWEEN 1 AND 256),
    actor_id   uuid,
    -- Address that the request came from.
    source     text,
    -- area.verb, e.g. user.create; the server knows the words.
    action     text NOT NULL CONSTRAINT audit_log_action_form CHECK (action ~ '^[a-z_]+\.[a-z_]+$'),
    -- What it was done to; empty where that is the server.
    target     text NOT NULL,
    details    jsonb NOT NULL DEFAULT '{}',
    -- Finds the request in the server's log.
    request_id uuid
);
CREATE INDEX audit_log_ts ON audit_log (ts, audit_id);

-- Append-only, whoever asks: entries never change, and none goes before it is 90 days old (retention removes older ones).
-- Taking this off needs the right to change the schema, which the running server need not have.
CREATE FUNCTION audit_log_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND OLD.ts < clock_timestamp() - interval '90 days' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'audit_log is append-only: % is refused', TG_OP
        USING ERRCODE = 'insufficient_privilege', HINT = 'entries may be deleted once they are 90 days old';
END
$$;
CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE ON audit_log
    FOR EACH ROW EXECUTE FUNCTION audit_log_refuse();
CREATE TRIGGER audit_log_no_truncate BEFORE TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION audit_log_refuse();
