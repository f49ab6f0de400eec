-- Passkeys (WebAuthn) as second factors of users, beside authenticator apps.
ALTER TABLE second_factors
  DROP CONSTRAINT second_factors_kind_check,
  ADD CONSTRAINT second_factors_known_kind CHECK (kind IN ('totp', 'passkey')) NOT VALID,
  -- Only an app has a secret that the platform knows too. That of a passkey is empty.
  ADD CONSTRAINT second_factors_secret_of_apps CHECK ((kind = 'totp') = (length(sealed_secret) > 0)) NOT VALID;

-- The public half of a confirmed passkey.
CREATE TABLE passkeys (
  factor_id text PRIMARY KEY REFERENCES second_factors (id) ON DELETE CASCADE,
  -- Chosen by the authenticator. WebAuthn allows 1023 bytes. No two users have the same.
  credential_id bytea NOT NULL UNIQUE CHECK (length(credential_id) BETWEEN 1 AND 1023),
  -- A COSE_Key (RFC 9052).
  public_key bytea NOT NULL CHECK (length(public_key) BETWEEN 1 AND 4096),
  -- The signature counter of the newest login. Many authenticators do not count: theirs stays 0.
  sign_count bigint NOT NULL CHECK (sign_count BETWEEN 0 AND 4294967295),
  -- How browsers reach the authenticator, such as usb or internal.
  transports text[] NOT NULL,
  -- The passkey can be copied to other devices, and was at the newest login.
  backup_eligible boolean NOT NULL,
  backed_up boolean NOT NULL,
  last_used_at timestamptz
);

-- Passkeys that wait for the browser's response. A row is deleted when it is used, and with its factor when it has expired.
CREATE TABLE passkey_registrations (
  factor_id text PRIMARY KEY REFERENCES second_factors (id) ON DELETE CASCADE,
  -- SHA-256 of 256 random bits in base64url.
  challenge_hash bytea NOT NULL CHECK (length(challenge_hash) = 32),
  expires_at timestamptz NOT NULL
);
CREATE INDEX passkey_registrations_expiry ON passkey_registrations (expires_at);

GRANT SELECT, INSERT, UPDATE (sign_count, backed_up, last_used_at) ON passkeys TO payflowx_auth;
GRANT SELECT, INSERT, DELETE ON passkey_registrations TO payflowx_auth;

CREATE TRIGGER passkeys_not_truncated BEFORE TRUNCATE ON passkeys FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate();
