-- A figure may be the sum of many amounts, which exceeds int8. Null in reports from before: the older columns then count.
-- Where a figure does not fit in an older column, that has 0. So the older columns may be equal now.
ALTER TABLE reconciliation_differences
  ADD COLUMN expected_sum numeric,
  ADD COLUMN found_sum numeric,
  DROP CONSTRAINT reconciliation_differences_check,
  ADD CONSTRAINT reconciliation_differences_differ
    CHECK (coalesce(expected_sum, expected) <> coalesce(found_sum, found)) NOT VALID;
