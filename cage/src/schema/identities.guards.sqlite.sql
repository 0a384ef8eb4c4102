-- A login may begin elsewhere. SQLite changes no CHECK: the table is made anew, with what guards it.
CREATE TABLE login_next (
  id BLOB PRIMARY KEY CHECK (length(id) = 16),
  public_id TEXT NOT NULL UNIQUE,
  person TEXT NOT NULL REFERENCES person(id),
  how TEXT NOT NULL CHECK (how IN ('guest','password','recovery','oidc')),
  generation INTEGER NOT NULL DEFAULT 0 CHECK (generation >= 0),
  rotated_ms INTEGER NOT NULL,
  created_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL,
  ended_ms INTEGER, ended_why TEXT CHECK (ended_why IN ('signed_out','password','reuse','staff','gone','expired')),
  network TEXT NOT NULL, agent TEXT NOT NULL,
  CHECK ((ended_ms IS NULL) = (ended_why IS NULL))
) STRICT;
INSERT INTO login_next (id, public_id, person, how, generation, rotated_ms, created_ms, expires_ms, ended_ms, ended_why, network, agent)
  SELECT id, public_id, person, how, generation, rotated_ms, created_ms, expires_ms, ended_ms, ended_why, network, agent FROM login;
DROP TABLE login;
ALTER TABLE login_next RENAME TO login;
CREATE INDEX login_person ON login (person);
CREATE TRIGGER login_same BEFORE UPDATE ON login
  WHEN NEW.id <> OLD.id OR NEW.public_id <> OLD.public_id OR NEW.person <> OLD.person OR NEW.generation < OLD.generation
    OR (OLD.ended_ms IS NOT NULL AND (NEW.ended_ms IS NULL OR NEW.generation <> OLD.generation))
  BEGIN SELECT RAISE(ABORT, 'a login goes one way'); END;
-- What no CHECK can hold, in SQLite's words.
CREATE TRIGGER identity_of_member BEFORE INSERT ON identity
  WHEN NOT EXISTS (SELECT 1 FROM person WHERE id = NEW.person AND kind = 'member' AND status = 'active')
  BEGIN SELECT RAISE(ABORT, 'an identity is a member''s'); END;
CREATE TRIGGER identity_same BEFORE UPDATE ON identity
  WHEN NEW.id <> OLD.id OR NEW.issuer <> OLD.issuer OR NEW.subject <> OLD.subject OR NEW.person <> OLD.person
  BEGIN SELECT RAISE(ABORT, 'an identity is one person''s'); END;
CREATE TRIGGER visit_once BEFORE UPDATE ON visit WHEN OLD.used_ms IS NOT NULL
  BEGIN SELECT RAISE(ABORT, 'a visit ends once'); END;
CREATE TRIGGER arrival_once BEFORE UPDATE ON arrival WHEN OLD.used_ms IS NOT NULL
  BEGIN SELECT RAISE(ABORT, 'somebody arrives once'); END;
