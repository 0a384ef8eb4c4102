-- What nobody gets around, in PostgreSQL's words.
CREATE TRIGGER hand_witness_stays BEFORE UPDATE ON hand FOR EACH ROW
  WHEN (NEW.salt IS DISTINCT FROM OLD.salt OR NEW.leaf IS DISTINCT FROM OLD.leaf OR (OLD.signed IS NOT NULL AND NEW.signed IS DISTINCT FROM OLD.signed)
    OR (OLD.link IS NOT NULL AND NEW.link IS DISTINCT FROM OLD.link))
  EXECUTE FUNCTION refuse('what was signed was signed');
CREATE TRIGGER checkpoint_stays BEFORE UPDATE ON checkpoint FOR EACH ROW
  WHEN (NEW.n <> OLD.n OR NEW.at_ms <> OLD.at_ms OR NEW.stated <> OLD.stated OR NEW.leaves IS NOT NULL)
  EXECUTE FUNCTION refuse('what was signed was signed');
CREATE TRIGGER checkpoint_is_not_deleted BEFORE DELETE ON checkpoint FOR EACH ROW
  EXECUTE FUNCTION refuse('what was signed was signed');
