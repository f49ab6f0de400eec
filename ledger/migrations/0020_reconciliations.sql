-- Reports of reconciliations: what was compared, when, and what differed. Rows are added and never changed.
CREATE TABLE reconciliations (
  id text PRIMARY KEY CHECK (id LIKE 'rec\_%'),
  -- Empty: the schedule.
  requested_by text NOT NULL,
  started_at timestamptz NOT NULL,
  finished_at timestamptz NOT NULL,
  account_count bigint NOT NULL CHECK (account_count >= 0),
  difference_count bigint NOT NULL CHECK (difference_count >= 0),
  -- Accounts that did not agree but never stood still.
  unsettled_count bigint NOT NULL CHECK (unsettled_count >= 0),
  CHECK (finished_at >= started_at)
);

CREATE TABLE reconciliation_differences (
  reconciliation_id text NOT NULL REFERENCES reconciliations (id),
  number smallint NOT NULL CHECK (number >= 0),
  account_id text NOT NULL,
  -- Empty for a count.
  currency text NOT NULL,
  figure text NOT NULL CHECK (figure IN ('posted', 'held', 'sent', 'received', 'notifications')),
  expected_by text NOT NULL,
  expected bigint NOT NULL,
  found_by text NOT NULL,
  found bigint NOT NULL,
  PRIMARY KEY (reconciliation_id, number),
  CHECK (expected <> found)
);

CREATE FUNCTION refuse_report_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'reports are append-only: % of % is refused', TG_OP, TG_TABLE_NAME
    USING ERRCODE = 'restrict_violation';
END
$$;

CREATE TRIGGER reconciliations_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON reconciliations
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_report_change();
ALTER TABLE reconciliations ENABLE ALWAYS TRIGGER reconciliations_append_only;

CREATE TRIGGER reconciliation_differences_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON reconciliation_differences
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_report_change();
ALTER TABLE reconciliation_differences ENABLE ALWAYS TRIGGER reconciliation_differences_append_only;

GRANT SELECT, INSERT ON reconciliations, reconciliation_differences TO payflowx_ledger;
