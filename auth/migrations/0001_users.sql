-- People who can log in. The serving role makes users but never changes one: that is the operator CLI's (src/admin.ts), as the owner.
CREATE TABLE users (
  id text PRIMARY KEY CHECK (id LIKE 'usr\_%'),
  username text NOT NULL CHECK (username ~ '^[A-Za-z0-9._-]{3,64}$'),
  -- A PHC string of argon2id: it carries its own parameters and salt.
  password_hash text NOT NULL CHECK (password_hash LIKE '$argon2id$%'),
  roles text[] NOT NULL CHECK (cardinality(roles) > 0 AND roles <@ ARRAY['customer', 'operator', 'auditor']),
  created_at timestamptz NOT NULL
);

-- Names differ by more than case.
CREATE UNIQUE INDEX users_username_key ON users (lower(username));

-- The answer that a CreateUser with a request id got, so that the same request gets it again.
CREATE TABLE create_user_requests (
  caller_id text NOT NULL,
  request_id text NOT NULL CHECK (length(request_id) BETWEEN 1 AND 255),
  -- Checked at the commit: the request is claimed first, so that of two at once the second waits and finds the answer.
  user_id text NOT NULL REFERENCES users (id) DEFERRABLE INITIALLY DEFERRED,
  username text NOT NULL,
  roles text[] NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (caller_id, request_id)
);

GRANT SELECT, INSERT ON users, create_user_requests TO payflowx_auth;
