-- Each hand is given its number where it is written down, by whatever release, in PostgreSQL's words.
CREATE FUNCTION number_hand() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE hand_number SET last = last + 1 WHERE id = 1 RETURNING last INTO NEW.kept;
  RETURN NEW;
END $$;
CREATE TRIGGER hand_is_numbered BEFORE INSERT ON hand FOR EACH ROW EXECUTE FUNCTION number_hand();
CREATE TRIGGER hand_keeps_its_number BEFORE UPDATE ON hand FOR EACH ROW
  WHEN (NEW.kept IS DISTINCT FROM OLD.kept)
  EXECUTE FUNCTION refuse('a hand keeps its number');
