-- What was taken back may be undone once more, by another request; in SQLite's words.
CREATE TABLE undone_again (
  request TEXT NOT NULL REFERENCES request(name), by_request TEXT NOT NULL REFERENCES request(name), PRIMARY KEY (request, by_request)
) STRICT;
INSERT INTO undone_again SELECT request, by_request FROM undone;
DROP TABLE undone;
ALTER TABLE undone_again RENAME TO undone;
CREATE TABLE paid_again (
  request TEXT NOT NULL REFERENCES request(name), by_request TEXT NOT NULL REFERENCES request(name), PRIMARY KEY (request, by_request)
) STRICT;
INSERT INTO paid_again SELECT request, by_request FROM paid_before;
DROP TABLE paid_before;
ALTER TABLE paid_again RENAME TO paid_before;
CREATE INDEX undone_by ON undone (by_request);
CREATE VIEW undone_now AS SELECT request, by_request FROM undone u WHERE NOT EXISTS (SELECT 1 FROM taken_back b WHERE b.request = u.by_request);
CREATE VIEW paid_before_now AS
  SELECT request, by_request FROM paid_before p WHERE NOT EXISTS (SELECT 1 FROM taken_back b WHERE b.request = p.by_request);
CREATE VIEW cut_now AS SELECT * FROM cut c WHERE NOT EXISTS (SELECT 1 FROM lost_cut l WHERE l.request = c.request);
CREATE TRIGGER undone_fits BEFORE INSERT ON undone
  WHEN NOT EXISTS (SELECT 1 FROM request r, request b WHERE r.name = NEW.request AND b.name = NEW.by_request AND r.room = b.room
    AND r.outcome = 'posted' AND b.outcome = 'posted' AND (b.kind = 'cut' AND r.kind NOT IN ('void','cut')
      OR b.kind = 'void' AND r.kind IN ('buy_in','top_up')))
  BEGIN SELECT RAISE(ABORT, 'only what was posted is undone, by its room'); END;
CREATE TRIGGER undone_once BEFORE INSERT ON undone WHEN EXISTS (SELECT 1 FROM undone_now WHERE request = NEW.request)
  BEGIN SELECT RAISE(ABORT, 'what is undone is undone once'); END;
CREATE TRIGGER undone_same BEFORE UPDATE ON undone BEGIN SELECT RAISE(ABORT, 'it is undone'); END;
CREATE TRIGGER undone_kept BEFORE DELETE ON undone BEGIN SELECT RAISE(ABORT, 'it is undone'); END;
CREATE TRIGGER paid_before_same BEFORE UPDATE ON paid_before BEGIN SELECT RAISE(ABORT, 'it was paid'); END;
CREATE TRIGGER paid_before_kept BEFORE DELETE ON paid_before BEGIN SELECT RAISE(ABORT, 'it was paid'); END;
CREATE TRIGGER taken_back_fits BEFORE INSERT ON taken_back
  WHEN NOT EXISTS (SELECT 1 FROM request r, request b WHERE r.name = NEW.request AND b.name = NEW.by_request AND r.room = b.room
    AND r.outcome = 'posted' AND r.kind IN ('void','cut') AND b.outcome = 'posted' AND b.kind = 'cut')
  BEGIN SELECT RAISE(ABORT, 'a cut takes back what its room has undone'); END;
CREATE TRIGGER taken_back_same BEFORE UPDATE ON taken_back BEGIN SELECT RAISE(ABORT, 'it is taken back'); END;
CREATE TRIGGER taken_back_kept BEFORE DELETE ON taken_back BEGIN SELECT RAISE(ABORT, 'it is taken back'); END;
