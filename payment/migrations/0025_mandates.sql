-- The mandate by which the payee collected. Null for a payment by the payer, which pays nothing for it: its rows have nulls anyway.
ALTER TABLE payments ADD COLUMN mandate_id text;
