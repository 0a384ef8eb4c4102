-- Each hand is given its number where it is written down, by whatever release, in SQLite's words.
CREATE TRIGGER hand_is_numbered AFTER INSERT ON hand
  BEGIN
    UPDATE hand_number SET last = last + 1 WHERE id = 1;
    UPDATE hand SET kept = (SELECT last FROM hand_number WHERE id = 1) WHERE rowid = NEW.rowid;
  END;
CREATE TRIGGER hand_keeps_its_number BEFORE UPDATE OF kept ON hand WHEN OLD.kept IS NOT NULL AND NEW.kept IS NOT OLD.kept
  BEGIN SELECT RAISE(ABORT, 'a hand keeps its number'); END;
