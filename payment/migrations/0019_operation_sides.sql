-- The accounts and owners of the payment, so that captures and refunds can be listed by them. The service fills them in for new
-- operations, and in the background for those from before. Notes are the requester's own.
ALTER TABLE operations
  ADD COLUMN from_account text,
  ADD COLUMN to_account text,
  ADD COLUMN from_owner_id text,
  ADD COLUMN to_owner_id text,
  ADD COLUMN reference text NOT NULL DEFAULT '',
  ADD COLUMN metadata jsonb NOT NULL DEFAULT '{}',
  -- Bytes, as in payments_texts_limited.
  ADD CONSTRAINT operations_notes_limited CHECK (
    octet_length(reference) <= 400 AND pg_column_size(metadata) <= 70000
  ) NOT VALID;

-- Fills in the sides of up to `at_most` operations, and returns their number. The serving role may only call it: it cannot change who
-- sees an operation.
CREATE FUNCTION fill_operation_sides(at_most integer) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  WITH unfilled AS (
    SELECT id, payment_id FROM operations WHERE from_account IS NULL ORDER BY id LIMIT at_most FOR UPDATE SKIP LOCKED
  ), filled AS (
    UPDATE operations AS o SET
      from_account = p.from_account, to_account = p.to_account,
      from_owner_id = p.from_owner_id, to_owner_id = p.to_owner_id
    FROM unfilled AS u JOIN payments AS p ON p.id = u.payment_id
    WHERE o.id = u.id
    RETURNING 1
  )
  SELECT count(*) FROM filled
$$;
REVOKE EXECUTE ON FUNCTION fill_operation_sides FROM PUBLIC;
GRANT EXECUTE ON FUNCTION fill_operation_sides TO payflowx_payment;
