-- What is signed of hands, and the name by which they are shared. Hands of before have neither until somebody shares them.
ALTER TABLE hand ADD COLUMN salt BYTEA;    -- of the commitments to its players' cards
ALTER TABLE hand ADD COLUMN leaf BYTEA;    -- what is signed
ALTER TABLE hand ADD COLUMN signed BIGINT; -- by this checkpoint; none yet
ALTER TABLE hand ADD COLUMN link BYTEA;    -- random
CREATE UNIQUE INDEX hand_link ON hand (link);
CREATE INDEX hand_unsigned ON hand (room, epoch, seq) WHERE leaf IS NOT NULL AND signed IS NULL;
-- His part of the rake, by what he put into the pots.
ALTER TABLE hand_player ADD COLUMN rake BIGINT NOT NULL DEFAULT 0;
-- What was signed, in order.
CREATE TABLE checkpoint (
  n BIGINT NOT NULL PRIMARY KEY CHECK (n >= 1), at_ms BIGINT NOT NULL,
  stated TEXT NOT NULL,                    -- the signed statement
  leaves BYTEA                             -- of its hands, in order; none where those are forgotten
);
-- What has signed it, for ever: keys in files come and go.
CREATE TABLE checkpoint_key (
  kid TEXT NOT NULL PRIMARY KEY,
  jwks TEXT NOT NULL
);
