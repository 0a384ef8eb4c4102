-- What nobody gets around, in PostgreSQL's words.
CREATE TRIGGER hand_opens_when_it_does BEFORE UPDATE ON hand FOR EACH ROW
  WHEN (NEW.open_ms <> OLD.open_ms)
  EXECUTE FUNCTION refuse('what is shown late is shown late');
