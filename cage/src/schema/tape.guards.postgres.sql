-- What nobody gets around, in PostgreSQL's words.
INSERT INTO ledger_identity (one, id) VALUES (1, replace(CAST(gen_random_uuid() AS TEXT), '-', ''));
CREATE TRIGGER ledger_identity_same BEFORE UPDATE OR DELETE ON ledger_identity FOR EACH ROW
  EXECUTE FUNCTION refuse('a ledger stays which it is');
CREATE TRIGGER tape_mark_goes_on BEFORE UPDATE ON tape_mark FOR EACH ROW
  WHEN (NEW.n < OLD.n OR NEW.tape <> OLD.tape OR NEW.teller <> OLD.teller)
  EXECUTE FUNCTION refuse('what stands here stands here');
