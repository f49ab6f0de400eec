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

-- Moves the ends of the open holds that an account pays for, and the windows in which its limits counted them. Returns their number.
-- The serving role may not change these columns, and this function can only move them to an earlier time.
CREATE FUNCTION advance_holds(account text, seconds integer, days integer, months integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  moved integer;
BEGIN
  IF seconds < 1 OR days < 0 OR months < 0 THEN
    RAISE EXCEPTION 'a test clock goes forward only' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  UPDATE holds SET
    expires_at = expires_at - make_interval(secs => seconds),
    used_day = used_day - days,
    used_month = (used_month - make_interval(months => months))::date
  WHERE from_account = account AND state = 'OPEN';
  GET DIAGNOSTICS moved = ROW_COUNT;
  RETURN moved;
END
$$;
REVOKE EXECUTE ON FUNCTION advance_holds FROM PUBLIC;
GRANT EXECUTE ON FUNCTION advance_holds TO payflowx_authorization;

-- Each request has an audit record. The old list is a part of the new one, so no row has to be read.
ALTER TABLE account_audit_records
  DROP CONSTRAINT account_audit_records_action_check,
  ADD CONSTRAINT account_audit_records_action_check CHECK (
    action IN (
      'account.created', 'account.updated', 'account.frozen', 'account.unfrozen', 'account.closed', 'account.clock_advanced'
    )
  ) NOT VALID;
