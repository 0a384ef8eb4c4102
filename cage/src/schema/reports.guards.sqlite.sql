-- What may never change of a report, in SQLite's words.
CREATE TRIGGER report_kept BEFORE DELETE ON report WHEN OLD.closed_ms IS NULL
  BEGIN SELECT RAISE(ABORT, 'a report is closed before it is forgotten'); END;
CREATE TRIGGER report_same BEFORE UPDATE ON report
  WHEN NEW.id <> OLD.id OR NEW.reporter <> OLD.reporter OR NEW.reported <> OLD.reported OR NEW.room <> OLD.room OR NEW.kind <> OLD.kind
    OR NEW.at_ms <> OLD.at_ms OR (NEW.words <> OLD.words AND NEW.words <> '')
    OR (OLD.closed_ms IS NOT NULL AND (NEW.closed_ms IS NOT OLD.closed_ms OR NEW.closed_by IS NOT OLD.closed_by
      OR NEW.closed_why IS NOT OLD.closed_why))
  BEGIN SELECT RAISE(ABORT, 'a report is closed, not changed'); END;
