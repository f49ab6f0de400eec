-- Access tokens that are refused although they have not expired. The services read this list, so it must stay short: a row is deleted
-- when the tokens that it names have expired.
CREATE TABLE revocations (
  -- In the order of the commits: the rows are inserted one transaction at a time. So a reader continues after the last one it has.
  position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  -- A user, a session or an API client.
  id text NOT NULL CHECK (id ~ '^(usr|fam|cli)_'),
  -- Tokens that begin before it are revoked. Null: all tokens.
  not_before timestamptz,
  expires_at timestamptz NOT NULL
);

-- Finds the rows to delete.
CREATE INDEX revocations_expiry ON revocations (expires_at);

GRANT SELECT, INSERT, DELETE ON revocations TO payflowx_auth;
GRANT SELECT ON SEQUENCE revocations_position_seq TO payflowx_auth;

ALTER TABLE users
  -- No token of the user begins earlier. Rises when earlier tokens are revoked.
  ADD COLUMN tokens_valid_from timestamptz,
  -- Set by a reset: the password can only be replaced, and only until then.
  ADD COLUMN one_time_until timestamptz;

GRANT UPDATE (password_hash, tokens_valid_from, one_time_until) ON users TO payflowx_auth;

ALTER TABLE refresh_families
  DROP CONSTRAINT refresh_families_revoked_for_check,
  ADD CONSTRAINT refresh_families_revoked_for_check
    CHECK (revoked_for IN ('logout', 'reuse', 'password-reset', 'password-change', 'revoked', 'disabled')) NOT VALID;
