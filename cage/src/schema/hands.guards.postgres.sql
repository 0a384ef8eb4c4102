-- What nobody gets around, in PostgreSQL's words.
CREATE TRIGGER hand_stays BEFORE UPDATE ON hand FOR EACH ROW
  WHEN (NEW.room <> OLD.room OR NEW.epoch <> OLD.epoch OR NEW.seq <> OLD.seq OR NEW.number <> OLD.number OR NEW.prev <> OLD.prev
    OR NEW.hash <> OLD.hash OR NEW.record <> OLD.record OR NEW.void < OLD.void)
  EXECUTE FUNCTION refuse('what was played was played');
