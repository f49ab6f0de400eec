-- When the expiry worker comes back to a hold whose expiry it has begun. Until it has, and for holds from before this: when the hold ends.
ALTER TABLE payments ADD COLUMN next_expiry_at timestamptz;
-- Authorization says when the hold ends that it has made, by its own clock.
GRANT UPDATE (hold_expires_at, next_expiry_at) ON payments TO payflowx_payment;

-- The expiry worker's work list. Holds that wait for their expiry's next attempt are not among what is due, so they are not read.
-- The index payments_to_expire stays for instances of the version before this one.
CREATE INDEX payments_due_to_expire ON payments (coalesce(next_expiry_at, hold_expires_at))
  WHERE state IN ('AUTHORIZED', 'PARTIALLY_CAPTURED');
