-- What was taken back may be undone once more, by another request; in PostgreSQL's words.
ALTER TABLE undone DROP CONSTRAINT undone_pkey, ADD PRIMARY KEY (request, by_request);
ALTER TABLE paid_before DROP CONSTRAINT paid_before_pkey, ADD PRIMARY KEY (request, by_request);
CREATE INDEX undone_by ON undone (by_request);
CREATE VIEW undone_now AS SELECT request, by_request FROM undone u WHERE NOT EXISTS (SELECT 1 FROM taken_back b WHERE b.request = u.by_request);
CREATE VIEW paid_before_now AS
  SELECT request, by_request FROM paid_before p WHERE NOT EXISTS (SELECT 1 FROM taken_back b WHERE b.request = p.by_request);
CREATE VIEW cut_now AS SELECT * FROM cut c WHERE NOT EXISTS (SELECT 1 FROM lost_cut l WHERE l.request = c.request);
CREATE FUNCTION undone_once() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF EXISTS (SELECT 1 FROM undone_now WHERE request = NEW.request) THEN RAISE EXCEPTION 'what is undone is undone once'; END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER undone_once BEFORE INSERT ON undone FOR EACH ROW EXECUTE FUNCTION undone_once();
CREATE FUNCTION taken_back_fits() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF NOT EXISTS (SELECT 1 FROM request r, request b WHERE r.name = NEW.request AND b.name = NEW.by_request AND r.room = b.room
    AND r.outcome = 'posted' AND r.kind IN ('void','cut') AND b.outcome = 'posted' AND b.kind = 'cut')
  THEN RAISE EXCEPTION 'a cut takes back what its room has undone'; END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER taken_back_fits BEFORE INSERT ON taken_back FOR EACH ROW EXECUTE FUNCTION taken_back_fits();
CREATE TRIGGER taken_back_same BEFORE UPDATE ON taken_back FOR EACH ROW EXECUTE FUNCTION refuse('it is taken back');
CREATE TRIGGER taken_back_kept BEFORE DELETE ON taken_back FOR EACH ROW EXECUTE FUNCTION refuse('it is taken back');
CREATE TRIGGER taken_back_emptied BEFORE TRUNCATE ON taken_back FOR EACH STATEMENT EXECUTE FUNCTION refuse('it is taken back');
