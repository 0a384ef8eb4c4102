-- Which ledger this is, whatever is copied or put back: a tape belongs to one.
CREATE TABLE ledger_identity (
  one BIGINT PRIMARY KEY CHECK (one = 1),
  id TEXT NOT NULL CHECK (length(id) = 32)
);
-- Up to which line of a tape everything stands here.
CREATE TABLE tape_mark (
  tape TEXT NOT NULL CHECK (length(tape) = 32), teller BIGINT NOT NULL CHECK (teller >= 0),
  n BIGINT NOT NULL CHECK (n >= 0),
  PRIMARY KEY (tape, teller)
);
