-- Each side's own reference and metadata of a payment, once that side has changed them. Most payments have no row, so they pay
-- nothing. The payer's first notes stay in `payments`, which never change.
CREATE TABLE payment_notes (
  -- The id of the payment, and the time of its creation, by which lists are sorted.
  id         text NOT NULL,
  created_at timestamptz NOT NULL,
  side       text NOT NULL CHECK (side IN ('PAYER', 'PAYEE')),
  owner_id   text NOT NULL,
  reference  text NOT NULL,
  metadata   jsonb NOT NULL,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (id, side),
  -- Bytes, as in payments_texts_limited.
  CONSTRAINT payment_notes_limited CHECK (octet_length(reference) <= 400 AND pg_column_size(metadata) <= 70000)
);
CREATE INDEX payment_notes_by_reference ON payment_notes (side, reference, created_at, id) WHERE reference <> '';

GRANT SELECT, INSERT ON payment_notes TO payflowx_payment;
GRANT UPDATE (reference, metadata, updated_at) ON payment_notes TO payflowx_payment;
CREATE OR REPLACE TRIGGER payment_notes_not_truncated BEFORE TRUNCATE ON payment_notes FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate();
