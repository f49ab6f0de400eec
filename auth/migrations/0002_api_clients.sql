-- Machines that can log in: the platform's own services and, later, others.
CREATE TABLE api_clients (
  -- Becomes the subject of the client's tokens, so it may never look like a user's id.
  id text PRIMARY KEY CHECK (id ~ '^[a-z]+_[a-z0-9-]{1,60}$' AND id NOT LIKE 'usr\_%'),
  -- SHA-256. Enough for a secret of 256 random bits: nobody guesses it, however fast guesses are.
  secret_hash bytea NOT NULL CHECK (length(secret_hash) = 32),
  roles text[] NOT NULL CHECK (cardinality(roles) > 0 AND roles <@ ARRAY['customer', 'operator', 'auditor', 'service']),
  created_at timestamptz NOT NULL
);

GRANT SELECT ON api_clients TO payflowx_auth;
