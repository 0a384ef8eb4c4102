-- How long somebody wants to play in a day, by his own wish, and how long he has. Who has never limited it has no row.
CREATE TABLE play_time (
  person TEXT PRIMARY KEY REFERENCES person(id),
  minutes BIGINT NOT NULL CHECK (minutes BETWEEN 15 AND 1440),          -- in a day of 24 hours; 1440: no limit, and nothing is counted
  set_ms BIGINT NOT NULL,                                -- since when
  next_minutes BIGINT CHECK (next_minutes BETWEEN 15 AND 1440),         -- a looser one, which waits
  asked_ms BIGINT, next_from_ms BIGINT,
  day_ms BIGINT NOT NULL,                                -- when the day began
  used_ms BIGINT NOT NULL CHECK (used_ms >= 0),          -- of it, until counted_ms
  counted_ms BIGINT NOT NULL,
  until_ms BIGINT NOT NULL,                              -- how long the latest token with which one may play lasts
  CHECK ((next_minutes IS NULL) = (asked_ms IS NULL) AND (next_minutes IS NULL) = (next_from_ms IS NULL)),
  CHECK (next_minutes > minutes),
  CHECK (next_from_ms >= asked_ms + 259200000)           -- 72 hours
);
