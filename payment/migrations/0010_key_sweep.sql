-- Position of the sweep that deletes expired idempotency keys: the next block of idempotency_keys to be read. One row, so that a restart
-- continues the sweep and its lock lets one instance at a time take a part. docs/internals/idempotency-keys.md has the reasons.
CREATE TABLE key_sweep (
  is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
  next_block bigint NOT NULL CHECK (next_block >= 0)
);
INSERT INTO key_sweep (next_block) VALUES (0);

GRANT SELECT, UPDATE (next_block) ON key_sweep TO payflowx_payment;
