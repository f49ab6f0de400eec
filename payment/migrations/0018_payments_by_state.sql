-- Operators list payments by state: those that are authorized, failed, refunded. A plain payment is only INITIATED and COMPLETED, and
-- is never in this index, so that it costs a plain payment nothing.
CREATE INDEX payments_by_state ON payments (state, created_at, id) WHERE state NOT IN ('INITIATED', 'COMPLETED');
