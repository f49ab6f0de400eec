-- Amounts of payments fit in int8, but their sum may not: 1,025 payments of the largest amount in one day exceed it, and from then
-- on no payment of that day could be counted.
ALTER TABLE daily_totals ALTER COLUMN captured_minor TYPE numeric, ALTER COLUMN refunded_minor TYPE numeric;
ALTER TABLE account_totals ALTER COLUMN sent_minor TYPE numeric, ALTER COLUMN received_minor TYPE numeric;
