-- Payments: what was asked for, and where it stands. Amounts are minor units.
CREATE TABLE payments (
  id text PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('PAYMENT', 'DEPOSIT', 'WITHDRAWAL')),
  state text NOT NULL CHECK (state IN (
    'INITIATED', 'AUTHORIZED', 'PARTIALLY_CAPTURED', 'COMPLETED', 'FAILED',
    'CANCELLED', 'EXPIRED', 'PARTIALLY_REFUNDED', 'REFUNDED'
  )),
  from_account text NOT NULL,
  to_account text NOT NULL,
  -- The payer's is the claim of the caller until authorization has answered. The receiver's is set only if the payment was approved:
  -- a declined attempt is the sender's own matter.
  from_owner_id text,
  to_owner_id text,
  amount_minor bigint NOT NULL CHECK (amount_minor BETWEEN 1 AND 9007199254740991),
  currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  captured_minor bigint NOT NULL DEFAULT 0 CHECK (captured_minor BETWEEN 0 AND amount_minor),
  refunded_minor bigint NOT NULL DEFAULT 0 CHECK (refunded_minor BETWEEN 0 AND captured_minor),
  capture_mode text NOT NULL CHECK (capture_mode IN ('AUTOMATIC', 'MANUAL')),
  description text NOT NULL DEFAULT '',
  reference text NOT NULL DEFAULT '',
  metadata jsonb NOT NULL DEFAULT '{}',
  failure_code text,
  failure_message text,
  -- payflowx.authorization.v1.Decision, as authorization gave it.
  decision bytea,
  hold_expires_at timestamptz,
  version bigint NOT NULL CHECK (version > 0),
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  -- Who asked, with which key, in which trace: recovery asks authorization again in the same name.
  caller_id text NOT NULL,
  caller_roles text[] NOT NULL,
  request_id text NOT NULL,
  traceparent text NOT NULL,
  -- When recovery may take up a payment that is still INITIATED, and how often it did.
  attempts integer NOT NULL DEFAULT 0,
  next_attempt_at timestamptz NOT NULL,
  CHECK (from_account <> to_account),
  CHECK ((state = 'FAILED') = (failure_code IS NOT NULL))
);

-- Lists are keyset pages over (created_at, id), newest first; each index carries one way in.
CREATE INDEX payments_by_time ON payments (created_at, id);
CREATE INDEX payments_by_from_account ON payments (from_account, created_at, id);
CREATE INDEX payments_by_to_account ON payments (to_account, created_at, id);
CREATE INDEX payments_by_from_owner ON payments (from_owner_id, created_at, id) WHERE from_owner_id IS NOT NULL;
CREATE INDEX payments_by_to_owner ON payments (to_owner_id, created_at, id) WHERE to_owner_id IS NOT NULL;
CREATE INDEX payments_by_reference ON payments (reference, created_at, id) WHERE reference <> '';
-- Recovery's work list: nearly always empty.
CREATE INDEX payments_to_recover ON payments (next_attempt_at) WHERE state = 'INITIATED';

-- What was asked for is never rewritten, and nothing is ever deleted.
GRANT SELECT, INSERT ON payments TO payflowx_payment;
GRANT UPDATE (
  state, from_owner_id, to_owner_id, captured_minor, refunded_minor, failure_code, failure_message,
  decision, version, updated_at, attempts, next_attempt_at
) ON payments TO payflowx_payment;
