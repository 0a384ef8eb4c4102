-- What may never change of a report, in PostgreSQL's words.
CREATE TRIGGER report_kept BEFORE DELETE ON report FOR EACH ROW WHEN (OLD.closed_ms IS NULL)
  EXECUTE FUNCTION refuse('a report is closed before it is forgotten');
CREATE TRIGGER report_same BEFORE UPDATE ON report FOR EACH ROW
  WHEN (NEW.id <> OLD.id OR NEW.reporter <> OLD.reporter OR NEW.reported <> OLD.reported OR NEW.room <> OLD.room OR NEW.kind <> OLD.kind
    OR NEW.at_ms <> OLD.at_ms OR (NEW.words <> OLD.words AND NEW.words <> '')
    OR (OLD.closed_ms IS NOT NULL AND (NEW.closed_ms IS DISTINCT FROM OLD.closed_ms OR NEW.closed_by IS DISTINCT FROM OLD.closed_by
      OR NEW.closed_why IS DISTINCT FROM OLD.closed_why)))
  EXECUTE FUNCTION refuse('a report is closed, not changed');
