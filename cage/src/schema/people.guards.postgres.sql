-- What no CHECK can hold: what may never change, in PostgreSQL's words.
INSERT INTO audit_head (one, seq, hash) VALUES (1, 0, decode(repeat('00', 32), 'hex'));
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '%', TG_ARGV[0]; END $$;
CREATE TRIGGER audit_same BEFORE UPDATE ON audit FOR EACH ROW EXECUTE FUNCTION refuse('audit is only appended to');
CREATE TRIGGER audit_kept BEFORE DELETE ON audit FOR EACH ROW EXECUTE FUNCTION refuse('audit is only appended to');
CREATE TRIGGER audit_emptied BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION refuse('audit is only appended to');
CREATE TRIGGER audit_head_kept BEFORE DELETE ON audit_head FOR EACH ROW EXECUTE FUNCTION refuse('the chain has an end');
CREATE TRIGGER audit_head_grows BEFORE UPDATE ON audit_head FOR EACH ROW WHEN (NEW.seq < OLD.seq)
  EXECUTE FUNCTION refuse('the chain grows');
CREATE TRIGGER person_kept BEFORE DELETE ON person FOR EACH ROW EXECUTE FUNCTION refuse('a person is never forgotten');
CREATE TRIGGER person_same BEFORE UPDATE ON person FOR EACH ROW
  WHEN (NEW.id <> OLD.id OR (OLD.kind = 'member' AND NEW.kind <> 'member') OR (OLD.status = 'gone' AND NEW.status <> 'gone')
    OR NEW.tokens_from_ms < OLD.tokens_from_ms)
  EXECUTE FUNCTION refuse('a person goes one way');
CREATE TRIGGER login_same BEFORE UPDATE ON login FOR EACH ROW
  WHEN (NEW.id <> OLD.id OR NEW.public_id <> OLD.public_id OR NEW.person <> OLD.person OR NEW.generation < OLD.generation
    OR (OLD.ended_ms IS NOT NULL AND (NEW.ended_ms IS NULL OR NEW.generation <> OLD.generation)))
  EXECUTE FUNCTION refuse('a login goes one way');
CREATE TRIGGER one_time_same BEFORE UPDATE ON one_time FOR EACH ROW WHEN (OLD.used_ms IS NOT NULL)
  EXECUTE FUNCTION refuse('a link works once');
CREATE TRIGGER sanction_kept BEFORE DELETE ON sanction FOR EACH ROW
  EXECUTE FUNCTION refuse('a sanction is lifted, not forgotten');
CREATE TRIGGER sanction_same BEFORE UPDATE ON sanction FOR EACH ROW
  WHEN (OLD.lifted_ms IS NOT NULL OR NEW.id <> OLD.id OR NEW.person <> OLD.person OR NEW.kind <> OLD.kind
    OR NEW.from_ms <> OLD.from_ms OR NEW.until_ms IS DISTINCT FROM OLD.until_ms OR NEW.reason <> OLD.reason
    OR NEW.by_whom <> OLD.by_whom)
  EXECUTE FUNCTION refuse('a sanction is lifted, not changed');
