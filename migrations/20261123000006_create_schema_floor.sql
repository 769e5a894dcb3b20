-- Why: an older tyr-server must be able to run on the schema of a newer one (a rolling upgrade, a step back), and must refuse
-- to when a migration took something away that it needs. Migrations only add; the rare one that removes first raises this
-- number to the version of the migration that a server has to know. Servers older than this table refuse every newer schema.
-- Locks: none that matter, the table is new and has one row.

CREATE TABLE schema_floor (
    one                 boolean PRIMARY KEY DEFAULT true CONSTRAINT schema_floor_one_row CHECK (one),
    -- Version (the number in its file name) of the newest migration that a server must know to work on this schema.
    oldest_known        bigint NOT NULL
);
INSERT INTO schema_floor (oldest_known) VALUES (20261122000000);
