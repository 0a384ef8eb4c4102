-- The ledger: whose chips are where, and how they came there. Amounts are in a currency's smallest unit, below 2^53 as on the wire.
CREATE TABLE currency (
  code TEXT PRIMARY KEY CHECK (length(code) BETWEEN 2 AND 8),
  digits BIGINT NOT NULL CHECK (digits BETWEEN 0 AND 4),
  play BIGINT NOT NULL CHECK (play IN (0,1)),            -- play money: given away
  opening BIGINT NOT NULL CHECK (opening BETWEEN 0 AND 9007199254740991),  -- what a player begins with
  refill BIGINT NOT NULL CHECK (refill BETWEEN 0 AND 9007199254740991),    -- what he may have again once a day
  CHECK (play = 1 OR (opening = 0 AND refill = 0))
);
CREATE TABLE account (
  id BIGINT PRIMARY KEY,
  currency TEXT NOT NULL REFERENCES currency(code),
  kind TEXT NOT NULL CHECK (kind IN ('player','table','house')),
  name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 40),
  balance BIGINT NOT NULL DEFAULT 0 CHECK (abs(balance) < 9007199254740992),
  entries BIGINT NOT NULL DEFAULT 0 CHECK (entries >= 0),                  -- how many have moved the balance
  frozen BIGINT NOT NULL DEFAULT 0 CHECK (frozen IN (0,1)),                -- it is paid, and pays nothing
  UNIQUE (currency, kind, name),
  UNIQUE (id, currency),
  CONSTRAINT overdrawn CHECK (kind = 'house' OR balance >= 0)
);
CREATE TABLE request (                                   -- what somebody asked, once and for ever
  name TEXT PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 96),
  fingerprint BYTEA CHECK (length(fingerprint) = 32),
  kind TEXT NOT NULL CHECK (kind IN ('buy_in','top_up','void','cash_out','return','absorb','rake','cut','unseen','grant','refill','adjust')),
  outcome TEXT NOT NULL CHECK (outcome IN ('posted','refused','void')),
  code TEXT CHECK (code IN ('insufficient','frozen','banned','no_currency','no_account','bad')),
  person TEXT CHECK (length(person) BETWEEN 1 AND 40),
  currency TEXT CHECK (length(currency) BETWEEN 2 AND 8),
  amount BIGINT CHECK (amount BETWEEN 0 AND 9007199254740991),
  room TEXT CHECK (length(room) BETWEEN 1 AND 40), epoch BIGINT CHECK (epoch >= 0), seq BIGINT CHECK (seq >= 0), n BIGINT CHECK (n >= 0),
  hand BIGINT,                                           -- which hand was raked
  staff TEXT REFERENCES person(id), second TEXT REFERENCES person(id), reason TEXT,
  at_ms BIGINT NOT NULL,
  UNIQUE (room, epoch, seq, n),
  CHECK ((outcome = 'refused') = (code IS NOT NULL)),
  CHECK ((kind = 'unseen') = (fingerprint IS NULL)),     -- given up before it came: whatever it is
  CHECK (kind <> 'unseen' OR outcome = 'void'),
  CHECK ((kind IN ('grant','refill','adjust')) = (room IS NULL)),
  CHECK ((room IS NULL) = (epoch IS NULL) AND (room IS NULL) = (seq IS NULL) AND (room IS NULL) = (n IS NULL)),
  CHECK ((kind IN ('void','cut','unseen')) = (amount IS NULL)),
  CHECK ((amount IS NULL) = (currency IS NULL)),
  CHECK ((kind IN ('void','cut','unseen','rake')) = (person IS NULL)),
  CHECK (kind <> 'adjust' OR (staff IS NOT NULL AND reason IS NOT NULL AND length(reason) >= 8)),
  CHECK (second IS NULL OR (staff IS NOT NULL AND second <> staff))
);
CREATE INDEX request_person ON request (person, room, epoch, seq, n) WHERE person IS NOT NULL;
CREATE TABLE transfer (                                  -- what a request has moved; the balances and their entries follow by themselves
  request TEXT NOT NULL REFERENCES request(name),
  leg BIGINT NOT NULL CHECK (leg >= 0),
  currency TEXT NOT NULL,
  payer BIGINT NOT NULL, payee BIGINT NOT NULL,
  amount BIGINT NOT NULL CHECK (amount BETWEEN 1 AND 9007199254740991),
  PRIMARY KEY (request, leg),
  FOREIGN KEY (payer, currency) REFERENCES account(id, currency),
  FOREIGN KEY (payee, currency) REFERENCES account(id, currency),
  CHECK (payer <> payee)
);
CREATE TABLE entry (                                     -- an account's lines, each with the balance after it
  account BIGINT NOT NULL REFERENCES account(id),
  number BIGINT NOT NULL CHECK (number > 0),
  request TEXT NOT NULL, leg BIGINT NOT NULL,
  change BIGINT NOT NULL CHECK (change <> 0),
  balance BIGINT NOT NULL,
  PRIMARY KEY (account, number),
  UNIQUE (request, leg, account),
  FOREIGN KEY (request, leg) REFERENCES transfer(request, leg)
);
CREATE TABLE undone (                                    -- what was given up or put right: each once
  request TEXT PRIMARY KEY REFERENCES request(name),
  by_request TEXT NOT NULL REFERENCES request(name)
);
CREATE TABLE paid_before (                               -- chips brought before a loss, whose player a lost branch has paid
  request TEXT PRIMARY KEY REFERENCES request(name),
  by_request TEXT NOT NULL REFERENCES request(name)
);
CREATE TABLE cut (                                       -- "this epoch goes on after that position"
  request TEXT PRIMARY KEY REFERENCES request(name),
  room TEXT NOT NULL, epoch BIGINT NOT NULL,
  follows_epoch BIGINT NOT NULL CHECK (follows_epoch >= 0), follows_seq BIGINT NOT NULL CHECK (follows_seq >= 0),
  answer BYTEA NOT NULL
);
CREATE INDEX cut_room ON cut (room, epoch);
CREATE TABLE conflict (                                  -- other requests that came under a name that was given
  request TEXT NOT NULL REFERENCES request(name),
  fingerprint BYTEA NOT NULL CHECK (length(fingerprint) = 32),
  at_ms BIGINT NOT NULL,
  PRIMARY KEY (request, fingerprint)
);
CREATE TABLE ledger_room (                               -- whoever answers a room holds its row: one at a time
  room TEXT PRIMARY KEY CHECK (length(room) BETWEEN 1 AND 40)
);
CREATE TABLE in_play (                                   -- what a player has brought to a table and not yet left with; follows from requests
  person TEXT NOT NULL, room TEXT NOT NULL, currency TEXT NOT NULL,
  amount BIGINT NOT NULL CHECK (amount > 0),
  PRIMARY KEY (person, room, currency)
);
CREATE TABLE proposal (                                  -- money moved by hand above the limit: two people
  name TEXT PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 40),
  person TEXT NOT NULL CHECK (length(person) BETWEEN 1 AND 40),
  currency TEXT NOT NULL REFERENCES currency(code),
  change BIGINT NOT NULL CHECK (change <> 0 AND abs(change) < 9007199254740992),
  reason TEXT NOT NULL CHECK (length(reason) >= 8),
  by_whom TEXT NOT NULL REFERENCES person(id), at_ms BIGINT NOT NULL,
  decision TEXT CHECK (decision IN ('confirmed','declined','withdrawn')),
  decided_by TEXT REFERENCES person(id), decided_ms BIGINT,
  CHECK ((decision IS NULL) = (decided_by IS NULL) AND (decision IS NULL) = (decided_ms IS NULL)),
  CHECK (decision IS NULL OR (decision = 'withdrawn') = (decided_by = by_whom))
);
CREATE INDEX proposal_open ON proposal (at_ms, name) WHERE decision IS NULL;
