-- Amounts of payments fit in int8, but their sum may not: 1,025 payments of the largest amount in one day exceed it, and from then
-- on no payment of that day could be counted. A sum is the older column plus what did not fit in it.
ALTER TABLE daily_totals
  ADD COLUMN captured_beyond numeric NOT NULL DEFAULT 0,
  ADD COLUMN refunded_beyond numeric NOT NULL DEFAULT 0;
ALTER TABLE account_totals
  ADD COLUMN sent_beyond numeric NOT NULL DEFAULT 0,
  ADD COLUMN received_beyond numeric NOT NULL DEFAULT 0;
