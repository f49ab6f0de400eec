-- The admin's own id and metadata of a user. A user without a password is one for whom only API clients act.
ALTER TABLE users
  ADD COLUMN external_id text NOT NULL DEFAULT '' CONSTRAINT users_external_id_length CHECK (char_length(external_id) <= 100),
  ADD COLUMN metadata jsonb NOT NULL DEFAULT '{}',
  -- Without a password the hash is that of a secret which was thrown away: every login fails after the same work.
  ADD COLUMN has_password boolean NOT NULL DEFAULT true;
GRANT UPDATE (external_id, metadata, has_password) ON users TO payflowx_auth;

-- What a request asked for, so that a retry is compared with the request and not with later changes.
ALTER TABLE create_user_requests
  ADD COLUMN external_id text NOT NULL DEFAULT '',
  ADD COLUMN metadata jsonb NOT NULL DEFAULT '{}',
  ADD COLUMN has_password boolean NOT NULL DEFAULT true;
