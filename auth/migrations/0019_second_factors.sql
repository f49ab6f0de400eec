-- Authenticator apps (RFC 6238) as second factors of users.
CREATE TABLE second_factors (
  id text PRIMARY KEY CHECK (id ~ '^sf_'),
  user_id text NOT NULL REFERENCES users (id),
  kind text NOT NULL CHECK (kind IN ('totp')),
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
  -- AES-256-GCM under AUTH_SEALING_KEY, bound to the id.
  sealed_secret bytea NOT NULL,
  -- The newest time step whose code was accepted. No code of it or of an earlier one is accepted again.
  last_step bigint NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL,
  -- A factor is needed at logins from then on.
  confirmed_at timestamptz
);
CREATE INDEX second_factors_user ON second_factors (user_id);

-- Codes that replace a lost app, each once. A used code is deleted.
CREATE TABLE recovery_codes (
  -- SHA-256. Enough for a code of 80 random bits that is throttled.
  code_hash bytea PRIMARY KEY CHECK (length(code_hash) = 32),
  user_id text NOT NULL REFERENCES users (id)
);
CREATE INDEX recovery_codes_user ON recovery_codes (user_id);

-- Logins whose password was right and that wait for the second factor.
CREATE TABLE login_challenges (
  -- SHA-256 of 256 random bits.
  challenge_hash bytea PRIMARY KEY CHECK (length(challenge_hash) = 32),
  user_id text NOT NULL REFERENCES users (id),
  -- The password that was right. A challenge from before a change of the password is worth nothing.
  password_hash text NOT NULL,
  expires_at timestamptz NOT NULL
);
CREATE INDEX login_challenges_expiry ON login_challenges (expires_at);

ALTER TABLE users ADD COLUMN has_second_factor boolean NOT NULL DEFAULT false;

GRANT SELECT, INSERT, DELETE, UPDATE (last_step, confirmed_at) ON second_factors TO payflowx_auth;
GRANT SELECT, INSERT, DELETE ON recovery_codes, login_challenges TO payflowx_auth;
GRANT UPDATE (has_second_factor) ON users TO payflowx_auth;
