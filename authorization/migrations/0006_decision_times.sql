-- The times of one account's decisions are in the order of its changes, also if two instances have different clocks. So each
-- decision has to be later than the last one, whose time is kept here. Null for accounts that no decision has changed since.
ALTER TABLE balances ADD COLUMN decided_at timestamptz;

GRANT UPDATE (decided_at) ON balances TO payflowx_authorization;
