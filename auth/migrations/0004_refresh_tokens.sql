-- All refresh tokens that descend from one login. Whatever ends one of them ends all.
CREATE TABLE refresh_families (
  id text PRIMARY KEY CHECK (id LIKE 'fam\_%'),
  user_id text NOT NULL REFERENCES users (id),
  created_at timestamptz NOT NULL,
  -- When the newest token of the family expires; each rotation moves it on.
  expires_at timestamptz NOT NULL,
  revoked_at timestamptz,
  revoked_for text CHECK (revoked_for IN ('logout', 'reuse', 'password-reset')),
  CHECK ((revoked_at IS NULL) = (revoked_for IS NULL))
);

-- By user, to forget families that have expired when the user logs in again.
CREATE INDEX refresh_families_user ON refresh_families (user_id, expires_at);

CREATE TABLE refresh_tokens (
  -- SHA-256 of the token, which is 256 random bits; the token itself is nowhere.
  token_hash bytea PRIMARY KEY CHECK (length(token_hash) = 32),
  family_id text NOT NULL REFERENCES refresh_families (id) ON DELETE CASCADE,
  issued_at timestamptz NOT NULL,
  spent_at timestamptz
);

CREATE INDEX refresh_tokens_family ON refresh_tokens (family_id);

GRANT SELECT, INSERT, DELETE, UPDATE (expires_at, revoked_at, revoked_for) ON refresh_families TO payflowx_auth;
GRANT SELECT, INSERT, UPDATE (spent_at) ON refresh_tokens TO payflowx_auth;
