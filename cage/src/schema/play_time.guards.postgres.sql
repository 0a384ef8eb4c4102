-- What nobody gets around, in PostgreSQL's words.
CREATE TRIGGER play_time_waits BEFORE UPDATE ON play_time FOR EACH ROW
  WHEN (NEW.minutes > OLD.minutes AND (OLD.next_minutes IS NULL OR NEW.minutes > OLD.next_minutes OR NEW.set_ms < OLD.next_from_ms))
  EXECUTE FUNCTION refuse('a looser limit waits');
CREATE TRIGGER play_time_counts BEFORE UPDATE ON play_time FOR EACH ROW
  WHEN (NEW.person <> OLD.person OR NEW.set_ms < OLD.set_ms OR NEW.counted_ms < OLD.counted_ms
    OR (OLD.minutes < 1440 AND NEW.day_ms = OLD.day_ms AND NEW.used_ms < OLD.used_ms)
    OR (OLD.minutes < 1440 AND NEW.day_ms <> OLD.day_ms AND NEW.day_ms < OLD.day_ms + 86400000))
  EXECUTE FUNCTION refuse('time that was used is used');
CREATE FUNCTION refuse_while_active() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF EXISTS (SELECT 1 FROM person WHERE id = OLD.person AND status = 'active') THEN
    RAISE EXCEPTION 'a limit is loosened, not forgotten';
  END IF;
  RETURN OLD;
END $$;
CREATE TRIGGER play_time_kept BEFORE DELETE ON play_time FOR EACH ROW EXECUTE FUNCTION refuse_while_active();
