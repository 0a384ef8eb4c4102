-- Hands that are over, each once: its name is the room and the frame that told of it.
CREATE TABLE hand (
  room TEXT NOT NULL, epoch BIGINT NOT NULL, seq BIGINT NOT NULL,
  number BIGINT NOT NULL CHECK (number >= 1),            -- at its table
  table_name TEXT NOT NULL, game TEXT NOT NULL, currency TEXT,
  started_ms BIGINT NOT NULL, ended_ms BIGINT NOT NULL,
  pot BIGINT NOT NULL, rake BIGINT NOT NULL,
  prev BYTEA NOT NULL CHECK (length(prev) = 32), hash BYTEA NOT NULL CHECK (length(hash) = 32),
  void BIGINT NOT NULL DEFAULT 0 CHECK (void IN (0, 1)), -- the broker lost it, and the table went on from before it
  record BYTEA NOT NULL,                                 -- all of it, with every card
  PRIMARY KEY (room, epoch, seq)
);
CREATE INDEX hand_ended ON hand (ended_ms);
CREATE INDEX hand_chain ON hand (room, hash);
-- Who played it, and what he did in it: what statistics add up.
CREATE TABLE hand_player (
  person TEXT NOT NULL, ended_ms BIGINT NOT NULL, room TEXT NOT NULL, epoch BIGINT NOT NULL, seq BIGINT NOT NULL,
  game TEXT NOT NULL, pot BIGINT NOT NULL, void BIGINT NOT NULL DEFAULT 0 CHECK (void IN (0, 1)),
  net BIGINT NOT NULL, millibb BIGINT NOT NULL,          -- chips won or lost, and the same in thousandths of a big blind
  vpip BIGINT NOT NULL, pfr BIGINT NOT NULL, three_bet BIGINT NOT NULL, three_bet_could BIGINT NOT NULL,
  flops BIGINT NOT NULL, showdowns BIGINT NOT NULL, showdowns_won BIGINT NOT NULL, bets BIGINT NOT NULL, calls BIGINT NOT NULL,
  PRIMARY KEY (person, ended_ms, room, epoch, seq)
);
CREATE INDEX hand_player_hand ON hand_player (room, epoch, seq);
