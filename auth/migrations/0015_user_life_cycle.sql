-- The life of a user after its creation: how to reach the person, in which language, and whether it may log in.
ALTER TABLE users
  ADD COLUMN email text,
  -- A changed address is not verified.
  ADD COLUMN email_verified boolean NOT NULL DEFAULT false,
  -- A BCP 47 tag. Null: the default of the platform.
  ADD COLUMN language text,
  ADD COLUMN state text NOT NULL DEFAULT 'enabled',
  -- Rises with each change of what an admin sees.
  ADD COLUMN version bigint NOT NULL DEFAULT 1,
  ADD COLUMN last_login_at timestamptz,
  ADD CONSTRAINT users_email_check CHECK (length(email) BETWEEN 3 AND 254) NOT VALID,
  ADD CONSTRAINT users_email_verified_check CHECK (email IS NOT NULL OR NOT email_verified) NOT VALID,
  ADD CONSTRAINT users_language_check CHECK (length(language) BETWEEN 2 AND 35) NOT VALID,
  ADD CONSTRAINT users_state_check CHECK (state IN ('enabled', 'disabled')) NOT VALID;

-- Admins now change users through the service. The name and the id of a user never change.
GRANT UPDATE (roles, email, email_verified, language, state, version, last_login_at) ON users TO payflowx_auth;
