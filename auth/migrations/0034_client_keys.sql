-- Public keys of API clients. A client proves its identity by an assertion that it signs with the private key (RFC 7523).
CREATE TABLE client_keys (
  client_id text NOT NULL REFERENCES user_api_clients (id),
  kid text NOT NULL CHECK (length(kid) BETWEEN 1 AND 128),
  -- RFC 7517, only the public members.
  jwk jsonb NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (client_id, kid)
);

-- The assertions that were used. Each is accepted once. A row is deleted when its assertion has expired.
CREATE TABLE client_assertions (
  client_id text NOT NULL,
  -- SHA-256 of the `jti`.
  jti_hash bytea NOT NULL CHECK (length(jti_hash) = 32),
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (client_id, jti_hash)
);
CREATE INDEX client_assertions_expiry ON client_assertions (expires_at);

-- A client with keys may have no secret.
ALTER TABLE user_api_clients
  DROP CONSTRAINT user_api_clients_check,
  ADD CONSTRAINT user_api_clients_revoked_without_secret CHECK (revoked_at IS NULL OR secret_hash IS NULL) NOT VALID;

GRANT SELECT, INSERT, DELETE ON client_keys, client_assertions TO payflowx_auth;
