-- The result of the newest proof of any instance: one row, which each proof replaces.
CREATE TABLE last_proof (
  singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
  verdict text NOT NULL CHECK (verdict IN ('holds', 'unsettled', 'broken')),
  difference_count bigint NOT NULL CHECK (difference_count >= 0),
  account_count bigint NOT NULL CHECK (account_count >= 0),
  transaction_count bigint NOT NULL CHECK (transaction_count >= 0),
  proved_at timestamptz NOT NULL
);

GRANT SELECT, INSERT, UPDATE ON last_proof TO payflowx_ledger;
