-- What is asked of a payment after it was authorized: captures, cancels, expiries, refunds. Amounts are minor units.
CREATE TABLE operations (
  -- cap_, can_, exp_ or ref_ and a UUIDv7; authorization knows the step by it, and callers a refund.
  id text PRIMARY KEY,
  -- No foreign key: both rows are written under the payment's lock, payments are never deleted, and the check would cost on each.
  payment_id text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('CAPTURE', 'CANCEL', 'EXPIRE', 'REFUND')),
  state text NOT NULL CHECK (state IN ('PENDING', 'COMPLETED', 'DECLINED')),
  -- What it reserves while it is pending; 0 for a cancel or expiry.
  amount_minor bigint NOT NULL CHECK (amount_minor BETWEEN 0 AND 9007199254740991),
  -- A capture of whatever is still held when authorization gets to it.
  takes_rest boolean NOT NULL,
  final boolean NOT NULL,
  reason text NOT NULL,
  failure_code text,
  failure_message text,
  -- payflowx.authorization.v1.Decision, as authorization gave it.
  decision bytea,
  -- What it did to the payment: the event that announced it, the state and version it left. Absent if it was declined.
  event_id text,
  payment_state text,
  payment_version bigint,
  -- Who asked, with which key; time has neither.
  caller_id text,
  request_id text,
  traceparent text NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  -- When recovery may take it up, and how often it did.
  attempts integer NOT NULL DEFAULT 0,
  next_attempt_at timestamptz NOT NULL,
  CHECK ((amount_minor > 0) = (kind IN ('CAPTURE', 'REFUND'))),
  CHECK ((state = 'DECLINED') = (failure_code IS NOT NULL)),
  CHECK ((state = 'COMPLETED') = (event_id IS NOT NULL)),
  CHECK ((kind = 'EXPIRE') = (caller_id IS NULL))
);

-- The refunds of a payment are keyset pages over (created_at, id); its steps and what is pending come this way too.
CREATE INDEX operations_by_payment ON operations (payment_id, created_at, id);
-- Recovery's work list: nearly always empty.
CREATE INDEX operations_to_recover ON operations (next_attempt_at) WHERE state = 'PENDING';
-- A hold has one expiry, whoever finds that its time is over. One that was declined (a capture was first, or our clock is ahead) is no
-- expiry: the next one asks under a new id.
CREATE UNIQUE INDEX operations_one_expiry ON operations (payment_id) WHERE kind = 'EXPIRE' AND state <> 'DECLINED';

-- What was asked for is never rewritten, and nothing is ever deleted.
GRANT SELECT, INSERT ON operations TO payflowx_payment;
GRANT UPDATE (
  state, failure_code, failure_message, decision, event_id, payment_state, payment_version, updated_at, attempts, next_attempt_at
) ON operations TO payflowx_payment;

-- What of the hold went back uncaptured, and the events of a payment's first two steps. Payments from before this have none.
ALTER TABLE payments
  ADD COLUMN released_minor bigint NOT NULL DEFAULT 0,
  ADD COLUMN initiated_event_id text,
  ADD COLUMN decided_event_id text,
  ADD COLUMN decided_at timestamptz,
  ADD CHECK (released_minor >= 0 AND captured_minor + released_minor <= amount_minor);
GRANT UPDATE (released_minor, decided_event_id, decided_at) ON payments TO payflowx_payment;

-- The expiry worker's work list: only what is held by hand.
CREATE INDEX payments_to_expire ON payments (hold_expires_at) WHERE state IN ('AUTHORIZED', 'PARTIALLY_CAPTURED');

-- A request may also be answered with a refusal: {"reason", "message", "metadata"}. operation_id: the step that it asked for, if any.
ALTER TABLE idempotency_keys
  ADD COLUMN operation_id text,
  ADD COLUMN refusal jsonb,
  ADD CHECK (answer IS NULL OR refusal IS NULL);
GRANT UPDATE (refusal) ON idempotency_keys TO payflowx_payment;
