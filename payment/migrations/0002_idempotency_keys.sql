-- The key of a request, unique per caller, with the answer it got. Without an answer the request is still being worked on.
-- payment_id is no foreign key: both rows are written by one transaction, payments are never deleted, and the check would cost on each.
CREATE TABLE idempotency_keys (
  caller_id text NOT NULL,
  key text NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
  operation text NOT NULL,
  -- SHA-256 of the operation and the request's fields.
  fingerprint bytea NOT NULL CHECK (length(fingerprint) = 32),
  payment_id text NOT NULL,
  -- payflowx.payment.v1.Payment as it was first answered.
  answer bytea,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (caller_id, key)
) WITH (fillfactor = 60); -- The answer comes moments later: leave it room on the same page, so that the index need not follow.

-- For the purge. Rows arrive in the order of their time, so a block range index does, and costs an insert next to nothing.
CREATE INDEX idempotency_keys_by_age ON idempotency_keys USING brin (created_at) WITH (pages_per_range = 32, autosummarize = on);

GRANT SELECT, INSERT, DELETE ON idempotency_keys TO payflowx_payment;
GRANT UPDATE (answer) ON idempotency_keys TO payflowx_payment;
