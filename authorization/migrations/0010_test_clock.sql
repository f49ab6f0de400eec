-- The test clock of the sandbox. It moves the times of one account: the ends of its holds, and the windows of its limits.

-- What was asked for, so that a retry moves nothing again. The newest row of an account has the sum of its seconds, and stays. A later
-- request deletes the account's rows that no retry can ask for any more.
CREATE TABLE test_clock_advances (
  account_id text NOT NULL REFERENCES accounts (id),
  -- Seconds of all requests for the account up to this one.
  total_s integer NOT NULL CHECK (total_s >= seconds),
  caller_id text NOT NULL,
  request_id text NOT NULL,
  seconds integer NOT NULL CHECK (seconds > 0),
  moved_holds integer NOT NULL CHECK (moved_holds >= 0),
  created_at timestamptz NOT NULL,
  PRIMARY KEY (account_id, total_s),
  UNIQUE (caller_id, request_id)
);

GRANT SELECT, INSERT, DELETE ON test_clock_advances TO payflowx_authorization;
-- The other columns that it moves are already written by decisions.
GRANT UPDATE (expires_at, used_day, used_month) ON holds TO payflowx_authorization;

-- Each request has an audit record. The old list is a part of the new one, so no row has to be read.
ALTER TABLE account_audit_records
  DROP CONSTRAINT account_audit_records_action_check,
  ADD CONSTRAINT account_audit_records_action_check CHECK (
    action IN (
      'account.created', 'account.updated', 'account.frozen', 'account.unfrozen', 'account.closed', 'account.clock_advanced'
    )
  ) NOT VALID;
