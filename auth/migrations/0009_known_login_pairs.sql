-- Pairs of an account and a network from which it logged in recently. Failures of others do not delay logins of such a pair.
CREATE TABLE known_login_pairs (
  -- The pair's key in login_throttles, a SHA-256 of name and network. The lookup does not need to know whether the user exists,
  -- and networks are not stored in the clear.
  key bytea PRIMARY KEY CHECK (length(key) = 32),
  user_id text NOT NULL REFERENCES users (id),
  last_login_at timestamptz NOT NULL
);

-- Finds the newest pairs of a user.
CREATE INDEX known_login_pairs_user ON known_login_pairs (user_id, last_login_at DESC);
-- Finds the old pairs of all users, to delete them.
CREATE INDEX known_login_pairs_age ON known_login_pairs (last_login_at);

GRANT SELECT, INSERT, DELETE, UPDATE (last_login_at) ON known_login_pairs TO payflowx_auth;
