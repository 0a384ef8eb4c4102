-- Signing in elsewhere (OIDC): who somebody is there, ways there and back, and who has come back and is nobody here yet.
CREATE TABLE identity (
  id TEXT PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 40),              -- what lists show
  issuer TEXT NOT NULL CHECK (length(issuer) BETWEEN 1 AND 500),
  subject TEXT NOT NULL CHECK (length(subject) BETWEEN 1 AND 255),
  person TEXT NOT NULL REFERENCES person(id),
  email TEXT CHECK (email IS NULL OR (length(email) BETWEEN 3 AND 254 AND email = lower(email))),  -- verified, by who is trusted for it
  created_ms BIGINT NOT NULL, used_ms BIGINT NOT NULL,
  UNIQUE (issuer, subject), UNIQUE (person, issuer)
);
CREATE INDEX identity_email ON identity (email);
CREATE TABLE visit (                                     -- somebody has gone to a provider, and comes back once
  hash BYTEA PRIMARY KEY CHECK (length(hash) = 32),      -- of what the browser keeps: state, nonce and verifier are derived from that
  provider TEXT NOT NULL CHECK (length(provider) BETWEEN 1 AND 32),
  purpose TEXT NOT NULL CHECK (purpose IN ('sign_in','link')),
  person TEXT REFERENCES person(id), login TEXT,         -- who went, if he was somebody
  expires_ms BIGINT NOT NULL, used_ms BIGINT,
  CHECK ((person IS NULL) = (login IS NULL)),
  CHECK (purpose <> 'link' OR person IS NOT NULL)
);
CREATE INDEX visit_expires ON visit (expires_ms);
CREATE TABLE arrival (                                   -- who has come back, and is to say what he is called
  hash BYTEA PRIMARY KEY CHECK (length(hash) = 32),      -- of what the browser keeps
  provider TEXT NOT NULL CHECK (length(provider) BETWEEN 1 AND 32),
  issuer TEXT NOT NULL CHECK (length(issuer) BETWEEN 1 AND 500),
  subject TEXT NOT NULL CHECK (length(subject) BETWEEN 1 AND 255),
  email TEXT, nick TEXT NOT NULL,                        -- as the provider proposes it; may be empty
  person TEXT REFERENCES person(id), login TEXT,         -- the guest who went
  expires_ms BIGINT NOT NULL, used_ms BIGINT,
  CHECK ((person IS NULL) = (login IS NULL))
);
CREATE INDEX arrival_expires ON arrival (expires_ms);
