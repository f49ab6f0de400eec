-- Statements and balances of a past moment go by the time of the event, so an account's entries must be found by it.

-- The time of the transaction again: an index cannot reach into another table. The proof holds the two against each other.
ALTER TABLE postings ADD COLUMN created_at timestamptz;
ALTER TABLE postings DISABLE TRIGGER postings_append_only;
UPDATE postings AS p SET created_at = t.created_at FROM transactions AS t WHERE t.id = p.transaction_id;
ALTER TABLE postings ENABLE ALWAYS TRIGGER postings_append_only;
ALTER TABLE postings ALTER COLUMN created_at SET NOT NULL;

-- An account's entries in the order of their time.
DROP INDEX postings_debit_account;
DROP INDEX postings_credit_account;
CREATE INDEX postings_debit_account ON postings (debit_account, created_at, transaction_id, number);
CREATE INDEX postings_credit_account ON postings (credit_account, created_at, transaction_id, number);

-- Everybody's entries in the order of their time.
CREATE INDEX transactions_created_at ON transactions (created_at, id);

-- Which database transaction recorded it. Later pages of a statement leave out what was not recorded yet when the first was read.
-- It says nothing about the event and is in no digest and no seal.
ALTER TABLE transactions ADD COLUMN recorded_by xid8 NOT NULL DEFAULT pg_current_xact_id();
