-- Each account's balances, folded as the journal grows. A convenience: the journal is the truth, and the proof folds it anew.
CREATE TABLE balances (
  account_id text NOT NULL,
  currency text NOT NULL,
  -- Credits minus debits of the posted layer.
  posted_minor bigint NOT NULL,
  -- Credits minus debits of the pending layer.
  pending_minor bigint NOT NULL,
  -- The account's own money on hold: what it has promised, without what it is promised.
  held_minor bigint NOT NULL,
  PRIMARY KEY (account_id, currency)
) WITH (fillfactor = 60); -- Room in each page for the next version of its rows: an update then leaves the index alone.

GRANT SELECT, INSERT, UPDATE ON balances TO payflowx_ledger;
