-- Accounts that change, and who changed them.

-- A decision reads it, so it stands in the row that a decision locks. Which names are zones, the service knows.
ALTER TABLE balances
  ADD COLUMN time_zone text NOT NULL DEFAULT 'UTC' CHECK (time_zone ~ '^[A-Za-z][A-Za-z0-9_+/-]{0,63}$');

GRANT UPDATE (name, version) ON accounts TO payflowx_authorization;
GRANT UPDATE (state, time_zone, limit_per_payment, limit_daily, limit_monthly, limit_daily_count) ON balances
  TO payflowx_authorization;

-- What operators did to accounts: written with what they did, and never changed.
CREATE TABLE account_audit_records (
  id text PRIMARY KEY,
  actor_id text NOT NULL,
  action text NOT NULL CHECK (
    action IN ('account.created', 'account.updated', 'account.frozen', 'account.unfrozen', 'account.closed')
  ),
  account_id text NOT NULL REFERENCES accounts (id),
  reason text NOT NULL DEFAULT '' CHECK (char_length(reason) <= 500),
  -- Null: it was created.
  before jsonb CHECK ((before IS NULL) = (action = 'account.created')),
  after jsonb NOT NULL,
  trace_id text NOT NULL,
  created_at timestamptz NOT NULL
);

-- Ids are UUIDv7: by id is by age.
CREATE INDEX account_audit_records_of_account ON account_audit_records (account_id, id);
CREATE INDEX account_audit_records_of_actor ON account_audit_records (actor_id, id);

GRANT SELECT, INSERT ON account_audit_records TO payflowx_authorization;

CREATE TRIGGER account_audit_records_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON account_audit_records
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
