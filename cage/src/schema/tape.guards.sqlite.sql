-- What nobody gets around, in SQLite's words.
INSERT INTO ledger_identity (one, id) VALUES (1, lower(hex(randomblob(16))));
CREATE TRIGGER ledger_identity_same BEFORE UPDATE ON ledger_identity BEGIN SELECT RAISE(ABORT, 'a ledger stays which it is'); END;
CREATE TRIGGER ledger_identity_kept BEFORE DELETE ON ledger_identity BEGIN SELECT RAISE(ABORT, 'a ledger stays which it is'); END;
CREATE TRIGGER tape_mark_goes_on BEFORE UPDATE ON tape_mark WHEN NEW.n < OLD.n OR NEW.tape <> OLD.tape OR NEW.teller <> OLD.teller
  BEGIN SELECT RAISE(ABORT, 'what stands here stands here'); END;
