-- What one account sent and received may exceed int8. The table has only snapshots that are deleted after an hour.
ALTER TABLE account_figures ALTER COLUMN sent_minor TYPE numeric, ALTER COLUMN received_minor TYPE numeric;
