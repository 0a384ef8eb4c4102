-- What people report of each other, for staff to look at.
CREATE TABLE report (
  id TEXT PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 40),
  reporter TEXT NOT NULL REFERENCES person(id), reported TEXT NOT NULL REFERENCES person(id),
  room TEXT NOT NULL CHECK (length(room) BETWEEN 1 AND 40),              -- where, as the reporter says
  kind TEXT NOT NULL CHECK (kind IN ('chat_abuse','name','collusion','slow_play','other')),
  words TEXT NOT NULL CHECK (length(words) <= 1024),                     -- empty: none, or forgotten
  at_ms BIGINT NOT NULL,
  closed_ms BIGINT, closed_by TEXT REFERENCES person(id), closed_why TEXT CHECK (length(closed_why) >= 3),
  CHECK (reporter <> reported),
  CHECK ((closed_ms IS NULL) = (closed_by IS NULL) AND (closed_ms IS NULL) = (closed_why IS NULL))
);
CREATE UNIQUE INDEX report_open ON report (reporter, reported, room) WHERE closed_ms IS NULL;
CREATE INDEX report_waiting ON report (at_ms, id) WHERE closed_ms IS NULL;
CREATE INDEX report_closed ON report (closed_ms) WHERE closed_ms IS NOT NULL;
CREATE INDEX report_reporter ON report (reporter, at_ms);
CREATE INDEX report_reported ON report (reported, at_ms);
