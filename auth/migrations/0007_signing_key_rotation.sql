-- A key is announced with the moment from which it signs, so that verifiers know it by then. A retired key needs its private half no
-- more, and what is not kept cannot be stolen.
ALTER TABLE signing_keys
  ADD COLUMN activates_at timestamptz,
  ALTER COLUMN sealed_private_key DROP NOT NULL,
  ADD CHECK (state <> 'next' OR activates_at IS NOT NULL),
  ADD CHECK ((state = 'retired') = (sealed_private_key IS NULL));

GRANT UPDATE (state, activated_at, retired_at, sealed_private_key) ON signing_keys TO payflowx_auth;
