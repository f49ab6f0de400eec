-- What one account sent and received may exceed int8. Null in lines from before: the older columns then count.
ALTER TABLE account_figures ADD COLUMN sent_sum numeric, ADD COLUMN received_sum numeric;
