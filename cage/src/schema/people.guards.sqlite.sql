-- What no CHECK can hold: what may never change, in SQLite's words.
INSERT INTO audit_head (one, seq, hash) VALUES (1, 0, zeroblob(32));
CREATE TRIGGER audit_same BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'audit is only appended to'); END;
CREATE TRIGGER audit_kept BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'audit is only appended to'); END;
CREATE TRIGGER audit_head_kept BEFORE DELETE ON audit_head BEGIN SELECT RAISE(ABORT, 'the chain has an end'); END;
CREATE TRIGGER audit_head_grows BEFORE UPDATE ON audit_head WHEN NEW.seq < OLD.seq
  BEGIN SELECT RAISE(ABORT, 'the chain grows'); END;
CREATE TRIGGER person_kept BEFORE DELETE ON person BEGIN SELECT RAISE(ABORT, 'a person is never forgotten'); END;
CREATE TRIGGER person_same BEFORE UPDATE ON person
  WHEN NEW.id <> OLD.id OR (OLD.kind = 'member' AND NEW.kind <> 'member') OR (OLD.status = 'gone' AND NEW.status <> 'gone')
    OR NEW.tokens_from_ms < OLD.tokens_from_ms
  BEGIN SELECT RAISE(ABORT, 'a person goes one way'); END;
CREATE TRIGGER login_same BEFORE UPDATE ON login
  WHEN NEW.id <> OLD.id OR NEW.public_id <> OLD.public_id OR NEW.person <> OLD.person OR NEW.generation < OLD.generation
    OR (OLD.ended_ms IS NOT NULL AND (NEW.ended_ms IS NULL OR NEW.generation <> OLD.generation))
  BEGIN SELECT RAISE(ABORT, 'a login goes one way'); END;
CREATE TRIGGER one_time_same BEFORE UPDATE ON one_time WHEN OLD.used_ms IS NOT NULL
  BEGIN SELECT RAISE(ABORT, 'a link works once'); END;
CREATE TRIGGER sanction_kept BEFORE DELETE ON sanction BEGIN SELECT RAISE(ABORT, 'a sanction is lifted, not forgotten'); END;
CREATE TRIGGER sanction_same BEFORE UPDATE ON sanction
  WHEN OLD.lifted_ms IS NOT NULL OR NEW.id <> OLD.id OR NEW.person <> OLD.person OR NEW.kind <> OLD.kind
    OR NEW.from_ms <> OLD.from_ms OR NEW.until_ms IS NOT OLD.until_ms OR NEW.reason <> OLD.reason OR NEW.by_whom <> OLD.by_whom
  BEGIN SELECT RAISE(ABORT, 'a sanction is lifted, not changed'); END;
