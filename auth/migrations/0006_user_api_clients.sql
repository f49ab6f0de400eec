-- Machines that act for a user. They are apart from api_clients so that the serving role, which makes these, can never make one with
-- the role of a service.
CREATE TABLE user_api_clients (
  id text PRIMARY KEY CHECK (id ~ '^cli_[a-z0-9-]{1,60}$'),
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
  -- Its tokens have this user's id and, at the moment of each login, this user's roles.
  user_id text NOT NULL REFERENCES users (id),
  scopes text[] NOT NULL CHECK (cardinality(scopes) > 0),
  -- SHA-256 of 256 random bits; null once it is revoked.
  secret_hash bytea CHECK (length(secret_hash) = 32),
  created_by text NOT NULL,
  -- The maker's id for the request that made it, so that the same request makes no second one.
  request_id text CHECK (length(request_id) BETWEEN 1 AND 255),
  created_at timestamptz NOT NULL,
  revoked_at timestamptz,
  CHECK ((revoked_at IS NULL) = (secret_hash IS NOT NULL)),
  UNIQUE (created_by, request_id)
);

CREATE INDEX user_api_clients_user ON user_api_clients (user_id, id);

-- The two kinds are told apart by their ids.
ALTER TABLE api_clients ADD CHECK (id NOT LIKE 'cli\_%');

GRANT SELECT, INSERT, UPDATE (secret_hash, revoked_at) ON user_api_clients TO payflowx_auth;
