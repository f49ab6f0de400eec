-- The use of limits is counted in full. A sum that stopped at 2^53 - 1 lost what it no longer counted, so a released payment gave
-- back too much. The old constraint was stricter, so no row has to be read.
ALTER TABLE balances
  DROP CONSTRAINT balances_spent_today_check,
  DROP CONSTRAINT balances_spent_this_month_check,
  ADD CONSTRAINT balances_spent_today_check CHECK (spent_today >= 0) NOT VALID,
  ADD CONSTRAINT balances_spent_this_month_check CHECK (spent_this_month >= 0) NOT VALID;
