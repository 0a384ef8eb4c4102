-- What no CHECK can hold: balances move with transfers alone, and nothing that has happened changes; in SQLite's words.
CREATE TRIGGER currency_same BEFORE UPDATE ON currency WHEN NEW.code <> OLD.code OR NEW.digits <> OLD.digits OR NEW.play <> OLD.play
  BEGIN SELECT RAISE(ABORT, 'a currency stays what it is'); END;
CREATE TRIGGER account_empty BEFORE INSERT ON account WHEN NEW.balance <> 0 OR NEW.entries <> 0
  BEGIN SELECT RAISE(ABORT, 'an account begins empty'); END;
CREATE TRIGGER account_same BEFORE UPDATE ON account
  WHEN NEW.id <> OLD.id OR NEW.currency <> OLD.currency OR NEW.kind <> OLD.kind OR NEW.name <> OLD.name
  BEGIN SELECT RAISE(ABORT, 'an account stays whose it is'); END;
CREATE TRIGGER account_kept BEFORE DELETE ON account BEGIN SELECT RAISE(ABORT, 'an account stays'); END;
CREATE TRIGGER account_moves BEFORE UPDATE ON account
  WHEN (NEW.balance <> OLD.balance OR NEW.entries <> OLD.entries) AND (NEW.entries <> OLD.entries + 1 OR NOT EXISTS
    (SELECT 1 FROM entry WHERE account = OLD.id AND number = NEW.entries AND balance = NEW.balance))
  BEGIN SELECT RAISE(ABORT, 'a balance moves with transfers alone'); END;
CREATE TRIGGER request_same BEFORE UPDATE ON request BEGIN SELECT RAISE(ABORT, 'a request is answered once'); END;
CREATE TRIGGER request_kept BEFORE DELETE ON request BEGIN SELECT RAISE(ABORT, 'a request is answered for ever'); END;
CREATE TRIGGER transfer_posted BEFORE INSERT ON transfer
  WHEN (SELECT outcome FROM request WHERE name = NEW.request) IS NOT 'posted'
  BEGIN SELECT RAISE(ABORT, 'only what is posted moves chips'); END;
CREATE TRIGGER transfer_moves AFTER INSERT ON transfer BEGIN
  INSERT INTO entry (account, number, request, leg, change, balance)
    SELECT id, entries + 1, NEW.request, NEW.leg, -NEW.amount, balance - NEW.amount FROM account WHERE id = NEW.payer;
  UPDATE account SET balance = balance - NEW.amount, entries = entries + 1 WHERE id = NEW.payer;
  INSERT INTO entry (account, number, request, leg, change, balance)
    SELECT id, entries + 1, NEW.request, NEW.leg, NEW.amount, balance + NEW.amount FROM account WHERE id = NEW.payee;
  UPDATE account SET balance = balance + NEW.amount, entries = entries + 1 WHERE id = NEW.payee;
END;
CREATE TRIGGER transfer_same BEFORE UPDATE ON transfer BEGIN SELECT RAISE(ABORT, 'a transfer stays'); END;
CREATE TRIGGER transfer_kept BEFORE DELETE ON transfer BEGIN SELECT RAISE(ABORT, 'a transfer stays'); END;
CREATE TRIGGER entry_follows BEFORE INSERT ON entry
  WHEN NOT EXISTS (SELECT 1 FROM transfer t, account a WHERE t.request = NEW.request AND t.leg = NEW.leg AND a.id = NEW.account
    AND NEW.change = CASE NEW.account WHEN t.payee THEN t.amount WHEN t.payer THEN -t.amount END
    AND NEW.number = a.entries + 1 AND NEW.balance = a.balance + NEW.change)
  BEGIN SELECT RAISE(ABORT, 'an entry follows from a transfer'); END;
CREATE TRIGGER entry_same BEFORE UPDATE ON entry BEGIN SELECT RAISE(ABORT, 'an entry stays'); END;
CREATE TRIGGER entry_kept BEFORE DELETE ON entry BEGIN SELECT RAISE(ABORT, 'an entry stays'); END;
CREATE TRIGGER undone_fits BEFORE INSERT ON undone
  WHEN NOT EXISTS (SELECT 1 FROM request r, request b WHERE r.name = NEW.request AND b.name = NEW.by_request AND r.room = b.room
    AND r.outcome = 'posted' AND b.outcome = 'posted' AND (b.kind = 'cut' AND r.kind NOT IN ('void','cut')
      OR b.kind = 'void' AND r.kind IN ('buy_in','top_up')))
  BEGIN SELECT RAISE(ABORT, 'only what was posted is undone, by its room'); END;
CREATE TRIGGER undone_same BEFORE UPDATE ON undone BEGIN SELECT RAISE(ABORT, 'it is undone'); END;
CREATE TRIGGER undone_kept BEFORE DELETE ON undone BEGIN SELECT RAISE(ABORT, 'it is undone'); END;
CREATE TRIGGER paid_before_same BEFORE UPDATE ON paid_before BEGIN SELECT RAISE(ABORT, 'it was paid'); END;
CREATE TRIGGER paid_before_kept BEFORE DELETE ON paid_before BEGIN SELECT RAISE(ABORT, 'it was paid'); END;
CREATE TRIGGER cut_same BEFORE UPDATE ON cut BEGIN SELECT RAISE(ABORT, 'a cut stays'); END;
CREATE TRIGGER cut_kept BEFORE DELETE ON cut BEGIN SELECT RAISE(ABORT, 'a cut stays'); END;
CREATE TRIGGER conflict_same BEFORE UPDATE ON conflict BEGIN SELECT RAISE(ABORT, 'a conflict stays'); END;
CREATE TRIGGER conflict_kept BEFORE DELETE ON conflict BEGIN SELECT RAISE(ABORT, 'a conflict stays'); END;
CREATE TRIGGER proposal_same BEFORE UPDATE ON proposal
  WHEN OLD.decision IS NOT NULL OR NEW.name <> OLD.name OR NEW.person <> OLD.person OR NEW.currency <> OLD.currency
    OR NEW.change <> OLD.change OR NEW.reason <> OLD.reason OR NEW.by_whom <> OLD.by_whom OR NEW.at_ms <> OLD.at_ms
  BEGIN SELECT RAISE(ABORT, 'a proposal is decided once, and not changed'); END;
CREATE TRIGGER proposal_kept BEFORE DELETE ON proposal BEGIN SELECT RAISE(ABORT, 'a proposal stays'); END;
