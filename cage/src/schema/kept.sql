-- In which order hands were written down: whoever reads on behind a number misses none, however late it is written.
ALTER TABLE hand ADD COLUMN kept BIGINT;
UPDATE hand SET kept = numbered.n
  FROM (SELECT room, epoch, seq, ROW_NUMBER() OVER (ORDER BY ended_ms, room, epoch, seq) AS n FROM hand) AS numbered
  WHERE hand.room = numbered.room AND hand.epoch = numbered.epoch AND hand.seq = numbered.seq;
CREATE UNIQUE INDEX hand_kept ON hand (kept);
-- The last number that was given. Who gives one holds this row until its hands are there, so numbers appear in their order.
CREATE TABLE hand_number (
  id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
  last BIGINT NOT NULL
);
INSERT INTO hand_number (id, last) SELECT 1, COALESCE(MAX(kept), 0) FROM hand;
