-- What was decided, and what is promised.

-- Every decision ever taken, one for each step of a payment. Append-only: the serving role can neither change nor remove.
CREATE TABLE decisions (
  payment_id text NOT NULL,
  operation_id text NOT NULL,
  -- SHA-256 of what was asked: the same ids with another request are refused.
  fingerprint text NOT NULL,
  outcome text NOT NULL CHECK (outcome IN ('APPROVED', 'DECLINED')),
  code text CHECK ((code IS NULL) = (outcome = 'APPROVED')),
  -- payflowx.authorization.v1.Decision as it was answered, trace included: what a repeated request gets again.
  decision bytea NOT NULL,
  decided_at timestamptz NOT NULL,
  PRIMARY KEY (payment_id, operation_id)
);

-- Money that is promised to an authorized payment. What is open of an account's holds adds up to its balances.held.
CREATE TABLE holds (
  payment_id text PRIMARY KEY,
  from_account text NOT NULL REFERENCES balances (account_id),
  to_account text NOT NULL REFERENCES balances (account_id),
  amount bigint NOT NULL CHECK (amount BETWEEN 1 AND 9007199254740991),
  -- What of the amount is still held.
  remaining bigint NOT NULL CHECK (remaining BETWEEN 0 AND amount),
  state text NOT NULL DEFAULT 'OPEN' CHECK (state IN ('OPEN', 'CAPTURED', 'RELEASED', 'EXPIRED')),
  expires_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL,
  CHECK ((state = 'OPEN') = (remaining > 0))
);

GRANT SELECT, INSERT ON decisions, holds TO payflowx_authorization;
