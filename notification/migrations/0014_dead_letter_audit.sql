-- The audit log of dead letters that operators sent back. A record is stored before the first message is sent.
CREATE TABLE dead_letter_audit_records (
  id             text PRIMARY KEY,
  actor_id       text NOT NULL,
  -- Empty: all that match the filters.
  dead_letter_id text NOT NULL,
  -- Filters. Empty: none.
  source         text NOT NULL,
  reason         text NOT NULL,
  -- NULL until it is known.
  redriven_count integer,
  trace_id       text NOT NULL,
  call_id        text NOT NULL,
  created_at     timestamptz NOT NULL
);
CREATE INDEX dead_letter_audit_records_by_actor ON dead_letter_audit_records (actor_id, id);

GRANT SELECT, INSERT, UPDATE ON dead_letter_audit_records TO payflowx_notification;
