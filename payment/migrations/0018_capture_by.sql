-- The side that captures and cancels: the payer unless this is true.
ALTER TABLE payments ADD COLUMN captured_by_payee boolean NOT NULL DEFAULT false;
-- When the hold ended: by its last capture, a cancel or its expiry. A plain payment has none; it was completed at decided_at.
ALTER TABLE payments ADD COLUMN hold_ended_at timestamptz;
GRANT UPDATE (hold_ended_at) ON payments TO payflowx_payment;
