-- Why: what an agent really enforces is shown by what it tried and read back, not by what it says of itself: the last denial that was
-- tried on purpose, and the digest of the tables in its kernel beside what the server expects of them.
-- Locks: the columns have constant defaults, so no row is written anew.

CREATE TYPE denial_trial AS ENUM ('not_tried', 'denied', 'went_through', 'not_known');
CREATE TYPE tables_state AS ENUM ('unknown', 'as_expected', 'differ');

ALTER TABLE agents
    ADD COLUMN denial denial_trial NOT NULL DEFAULT 'not_tried',
    -- By the server's clock.
    ADD COLUMN denial_at timestamptz,
    ADD COLUMN tables tables_state NOT NULL DEFAULT 'unknown',
    ADD COLUMN tables_digest text NOT NULL DEFAULT '';
