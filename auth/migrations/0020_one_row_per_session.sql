-- A refresh token now has two parts: the secret of its family, and its own secret. A token of a family that is not the newest one was used
-- before, so the service recognizes it without a row for it. A family is one row, however often it is refreshed.
ALTER TABLE refresh_families
  -- SHA-256 of the family's part. Null in families from before. Their tokens are no longer valid: their users log in once more.
  ADD COLUMN secret_hash bytea UNIQUE CHECK (length(secret_hash) = 32),
  -- SHA-256 of the own part of the newest token, and of its predecessor.
  ADD COLUMN token_hash bytea CHECK (length(token_hash) = 32),
  ADD COLUMN predecessor_hash bytea CHECK (length(predecessor_hash) = 32),
  -- The first use of the predecessor, and SHA-256 of its request id. Null if the request had none.
  ADD COLUMN rotated_at timestamptz,
  ADD COLUMN rotation_hash bytea CHECK (length(rotation_hash) = 32),
  ADD CHECK ((secret_hash IS NULL) = (token_hash IS NULL)),
  ADD CHECK ((predecessor_hash IS NULL) = (rotated_at IS NULL));

-- Finds ended sessions, to delete them.
CREATE INDEX refresh_families_expiry ON refresh_families (expires_at);

GRANT UPDATE (token_hash, predecessor_hash, rotated_at, rotation_hash) ON refresh_families TO payflowx_auth;

-- Instances of the previous release still use refresh_tokens during an upgrade, so a later migration drops it.
