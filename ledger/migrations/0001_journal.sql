-- The journal: what every event did to the books. Rows are added and never changed.

-- One for each event that moved money. The id is the event's own UUID, so that the journal is its own inbox:
-- an event that comes again finds its transaction already here.
CREATE TABLE transactions (
  id text PRIMARY KEY CHECK (id LIKE 'txn\_%'),
  event_type text NOT NULL,
  payment_id text NOT NULL,
  -- When the event happened, not when it was recorded: a replay gives the same rows.
  created_at timestamptz NOT NULL
);

CREATE INDEX transactions_payment_id ON transactions (payment_id);

-- One for each movement of an event. It is both a debit and a credit of one amount, so no transaction can be out of balance.
CREATE TABLE postings (
  transaction_id text NOT NULL REFERENCES transactions (id),
  number smallint NOT NULL CHECK (number >= 0),
  -- Holds and releases are the pending layer, transfers the posted one.
  kind text NOT NULL CHECK (kind IN ('hold', 'release', 'transfer')),
  debit_account text NOT NULL,
  credit_account text NOT NULL,
  amount_minor bigint NOT NULL CHECK (amount_minor BETWEEN 1 AND 9007199254740991),
  currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  PRIMARY KEY (transaction_id, number),
  CHECK (debit_account <> credit_account)
);

-- An account's entries, newest first: event ids are UUIDv7 and so sort by time.
CREATE INDEX postings_debit_account ON postings (debit_account, transaction_id, number);
CREATE INDEX postings_credit_account ON postings (credit_account, transaction_id, number);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the journal is append-only: % of % is refused', TG_OP, TG_TABLE_NAME
    USING ERRCODE = 'restrict_violation';
END
$$;

-- Whoever asks, the owner too. ALWAYS: also where triggers are switched off for replication.
CREATE TRIGGER transactions_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON transactions
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE transactions ENABLE ALWAYS TRIGGER transactions_append_only;

CREATE TRIGGER postings_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON postings
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE postings ENABLE ALWAYS TRIGGER postings_append_only;

GRANT SELECT, INSERT ON transactions, postings TO payflowx_ledger;
