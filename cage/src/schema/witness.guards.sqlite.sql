-- What nobody gets around, in SQLite's words.
CREATE TRIGGER hand_witness_stays BEFORE UPDATE ON hand
  WHEN NEW.salt IS NOT OLD.salt OR NEW.leaf IS NOT OLD.leaf OR (OLD.signed IS NOT NULL AND NEW.signed IS NOT OLD.signed)
    OR (OLD.link IS NOT NULL AND NEW.link IS NOT OLD.link)
  BEGIN SELECT RAISE(ABORT, 'what was signed was signed'); END;
CREATE TRIGGER checkpoint_stays BEFORE UPDATE ON checkpoint
  WHEN NEW.n <> OLD.n OR NEW.at_ms <> OLD.at_ms OR NEW.stated <> OLD.stated OR NEW.leaves IS NOT NULL
  BEGIN SELECT RAISE(ABORT, 'what was signed was signed'); END;
CREATE TRIGGER checkpoint_is_not_deleted BEFORE DELETE ON checkpoint
  BEGIN SELECT RAISE(ABORT, 'what was signed was signed'); END;
