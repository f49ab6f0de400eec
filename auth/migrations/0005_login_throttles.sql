-- Failed logins, counted by account and address together, by account and by address. Here and not in memory, so that instances count
-- together and a restart forgives nothing.
CREATE TABLE login_throttles (
  -- SHA-256 of what is counted: names that nobody has, and passwords typed in their place, are not kept in the clear.
  key bytea PRIMARY KEY CHECK (length(key) = 32),
  failures integer NOT NULL CHECK (failures >= 0),
  -- The next try may come then; null while tries are free.
  blocked_until timestamptz,
  -- When all of this counts for nothing.
  forgotten_at timestamptz NOT NULL
);

CREATE INDEX login_throttles_forgotten ON login_throttles (forgotten_at);

GRANT SELECT, INSERT, UPDATE, DELETE ON login_throttles TO payflowx_auth;
