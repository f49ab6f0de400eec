-- The account's currency, from the first payment that moved money. Accounts counted before this get theirs with their next payment.
ALTER TABLE account_totals ADD COLUMN currency text;
