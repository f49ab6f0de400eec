-- True if the notification has a mail: reconciliation looks for mails that are missing. NULL in rows that an earlier version stored, which
-- reconciliation does not examine.
ALTER TABLE notifications ADD COLUMN has_mail boolean;

-- pg-boss inserts, updates and deletes a row for each wake-up, so its small table has many dead rows. They are removed by their number, as in
-- an outbox, because every claim reads past them.
ALTER TABLE jobs.job_common SET (
  autovacuum_vacuum_scale_factor = 0,
  autovacuum_vacuum_threshold = 2000,
  autovacuum_vacuum_insert_scale_factor = 0,
  autovacuum_vacuum_insert_threshold = 20000,
  autovacuum_vacuum_cost_delay = 0,
  vacuum_truncate = off
);
