-- What the creation of a payment was first answered with follows from the payment, so idempotency_keys.answer is only written for
-- later steps. For that the payment must give its metadata back in the order in which it came: jsonb sorts, json keeps.
ALTER TABLE payments
  ALTER COLUMN metadata DROP DEFAULT,
  ALTER COLUMN metadata TYPE json USING metadata::text::json,
  ALTER COLUMN metadata SET DEFAULT '{}';
