-- A login may begin elsewhere.
ALTER TABLE login DROP CONSTRAINT login_how_check;
ALTER TABLE login ADD CONSTRAINT login_how_check CHECK (how IN ('guest','password','recovery','oidc'));
-- What no CHECK can hold, in PostgreSQL's words.
CREATE FUNCTION refuse_unless_member() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF NOT EXISTS (SELECT 1 FROM person WHERE id = NEW.person AND kind = 'member' AND status = 'active') THEN
    RAISE EXCEPTION 'an identity is a member''s';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER identity_of_member BEFORE INSERT ON identity FOR EACH ROW EXECUTE FUNCTION refuse_unless_member();
CREATE TRIGGER identity_same BEFORE UPDATE ON identity FOR EACH ROW
  WHEN (NEW.id <> OLD.id OR NEW.issuer <> OLD.issuer OR NEW.subject <> OLD.subject OR NEW.person <> OLD.person)
  EXECUTE FUNCTION refuse('an identity is one person''s');
CREATE TRIGGER visit_once BEFORE UPDATE ON visit FOR EACH ROW WHEN (OLD.used_ms IS NOT NULL)
  EXECUTE FUNCTION refuse('a visit ends once');
CREATE TRIGGER arrival_once BEFORE UPDATE ON arrival FOR EACH ROW WHEN (OLD.used_ms IS NOT NULL)
  EXECUTE FUNCTION refuse('somebody arrives once');
