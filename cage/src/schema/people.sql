-- People, logins, sanctions, audit. One text for both databases: in SQLite, BYTEA is BLOB, BIGINT is INTEGER and tables are STRICT.
CREATE TABLE person (
  id TEXT PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 40),   -- the `sub` of tokens; never given again
  kind TEXT NOT NULL CHECK (kind IN ('guest','member')),
  status TEXT NOT NULL DEFAULT 'active' CHECK (status IN ('active','gone')),
  nick TEXT NOT NULL CHECK (length(nick) BETWEEN 1 AND 160),
  nick_skeleton TEXT UNIQUE,                             -- members only: how the nick looks (UTS 39), shapes first
  nick_shape TEXT UNIQUE,                                -- and capitals first
  handle TEXT UNIQUE CHECK (handle IS NULL OR handle = lower(handle)),   -- to sign in with
  password TEXT CHECK (password IS NULL OR password LIKE '$argon2id$%'), -- PHC string
  roles BIGINT NOT NULL DEFAULT 0 CHECK (roles >= 0),    -- bits: 1 host, 2 floor, 4 cage, 8 integrity, 16 admin
  tokens_from_ms BIGINT NOT NULL DEFAULT 0,              -- access tokens made before are void
  nick_changed_ms BIGINT NOT NULL DEFAULT 0,
  created_ms BIGINT NOT NULL, seen_ms BIGINT NOT NULL,
  CHECK (kind <> 'guest' OR (handle IS NULL AND password IS NULL AND roles = 0 AND nick_skeleton IS NULL)),
  CHECK (kind <> 'member' OR status = 'gone' OR (handle IS NOT NULL AND nick_skeleton IS NOT NULL AND nick_shape IS NOT NULL)),
  CHECK (status <> 'gone' OR (handle IS NULL AND password IS NULL AND roles = 0 AND nick_skeleton IS NULL AND nick_shape IS NULL))
);
CREATE TABLE login (                                     -- one signed-in device: a family of refresh tokens
  id BYTEA PRIMARY KEY CHECK (length(id) = 16),          -- stands in the refresh token only
  public_id TEXT NOT NULL UNIQUE,                        -- what the list of devices shows; the `sid` of access tokens
  person TEXT NOT NULL REFERENCES person(id),
  how TEXT NOT NULL CHECK (how IN ('guest','password','recovery')),
  generation BIGINT NOT NULL DEFAULT 0 CHECK (generation >= 0),          -- of the current token
  rotated_ms BIGINT NOT NULL,
  created_ms BIGINT NOT NULL, expires_ms BIGINT NOT NULL,
  ended_ms BIGINT, ended_why TEXT CHECK (ended_why IN ('signed_out','password','reuse','staff','gone','expired')),
  network TEXT NOT NULL, agent TEXT NOT NULL,
  CHECK ((ended_ms IS NULL) = (ended_why IS NULL))
);
CREATE INDEX login_person ON login (person);
CREATE TABLE attempt (                                   -- failed sign-ins; a row goes when one succeeds
  subject BYTEA NOT NULL CHECK (length(subject) = 32),   -- the handle's hash: nothing is kept of what is no handle
  trusted BIGINT NOT NULL CHECK (trusted IN (0,1)),      -- from a device that has signed in before or not
  failures BIGINT NOT NULL CHECK (failures > 0), locked_until_ms BIGINT NOT NULL DEFAULT 0, last_ms BIGINT NOT NULL,
  PRIMARY KEY (subject, trusted)
);
CREATE INDEX attempt_last ON attempt (last_ms);
CREATE TABLE one_time (                                  -- links that work once
  hash BYTEA PRIMARY KEY CHECK (length(hash) = 32), person TEXT NOT NULL REFERENCES person(id),
  purpose TEXT NOT NULL CHECK (purpose IN ('set_password')),
  expires_ms BIGINT NOT NULL, used_ms BIGINT
);
CREATE INDEX one_time_person ON one_time (person);
CREATE TABLE sanction (
  id TEXT PRIMARY KEY, person TEXT NOT NULL REFERENCES person(id),
  kind TEXT NOT NULL CHECK (kind IN ('ban','mute','self_exclusion')),
  from_ms BIGINT NOT NULL, until_ms BIGINT CHECK (until_ms IS NULL OR until_ms > from_ms),
  reason TEXT NOT NULL CHECK (length(reason) >= 3), by_whom TEXT NOT NULL REFERENCES person(id),
  lifted_ms BIGINT, lifted_by TEXT REFERENCES person(id),
  CHECK ((lifted_ms IS NULL) = (lifted_by IS NULL)),
  CHECK (kind <> 'self_exclusion' OR (until_ms IS NOT NULL AND lifted_ms IS NULL AND by_whom = person))
);
CREATE INDEX sanction_person ON sanction (person);
CREATE TABLE audit (                                     -- what staff did, and what happened to accounts; a chain
  seq BIGINT PRIMARY KEY CHECK (seq > 0), at_ms BIGINT NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL, subject TEXT,
  reason TEXT, detail TEXT NOT NULL, network TEXT,
  prev BYTEA NOT NULL UNIQUE CHECK (length(prev) = 32), hash BYTEA NOT NULL UNIQUE CHECK (length(hash) = 32)
);
CREATE INDEX audit_subject ON audit (subject, seq);
CREATE TABLE audit_head (                                -- where the chain ends; who appends holds this row
  one BIGINT PRIMARY KEY CHECK (one = 1), seq BIGINT NOT NULL, hash BYTEA NOT NULL CHECK (length(hash) = 32)
);
