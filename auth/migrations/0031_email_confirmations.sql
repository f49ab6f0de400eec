-- Links that were sent to confirm an address. The token is stored as a hash only. A used row is deleted with all others of its user;
-- upkeep deletes expired ones.
CREATE TABLE email_confirmations (
  id           text PRIMARY KEY CHECK (id LIKE 'ecf\_%'),
  user_id      text NOT NULL REFERENCES users (id),
  -- The address that the link was sent to.
  email        text NOT NULL,
  token_hash   bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
  requested_at timestamptz NOT NULL,
  expires_at   timestamptz NOT NULL
);
CREATE INDEX email_confirmations_by_user ON email_confirmations (user_id, requested_at);
CREATE INDEX email_confirmations_expiry ON email_confirmations (expires_at);
GRANT SELECT, INSERT, DELETE ON email_confirmations TO payflowx_auth;
