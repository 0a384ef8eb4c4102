-- What nobody gets around, in SQLite's words.
CREATE TRIGGER hand_opens_when_it_does BEFORE UPDATE ON hand
  WHEN NEW.open_ms <> OLD.open_ms
  BEGIN SELECT RAISE(ABORT, 'what is shown late is shown late'); END;
