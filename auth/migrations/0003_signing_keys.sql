-- The Ed25519 keys that access tokens are signed with. A key is announced (next), signs (active), and is kept as long as a
-- token it signed can still be valid (retired).
CREATE TABLE signing_keys (
  -- The key's RFC 7638 thumbprint.
  kid text PRIMARY KEY,
  state text NOT NULL CHECK (state IN ('next', 'active', 'retired')),
  public_key bytea NOT NULL CHECK (length(public_key) = 32),
  -- AES-256-GCM under AUTH_SEALING_KEY, bound to the kid: nonce (12), tag (16), ciphertext.
  sealed_private_key bytea NOT NULL,
  created_at timestamptz NOT NULL,
  activated_at timestamptz,
  retired_at timestamptz,
  CHECK ((state = 'next') = (activated_at IS NULL)),
  CHECK ((state = 'retired') = (retired_at IS NOT NULL))
);

-- However many instances start at once, one key signs.
CREATE UNIQUE INDEX signing_keys_one_active ON signing_keys (state) WHERE state = 'active';
CREATE UNIQUE INDEX signing_keys_one_next ON signing_keys (state) WHERE state = 'next';

GRANT SELECT, INSERT ON signing_keys TO payflowx_auth;
