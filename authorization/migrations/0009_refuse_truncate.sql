-- Without these tables, money and the limits of its owners are forgotten.
-- The owner and the superuser too: TRUNCATE by hand is a usual mistake, and no command of the platform truncates them.
CREATE OR REPLACE FUNCTION refuse_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'TRUNCATE of % is refused: nothing could bring its rows back', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE OR REPLACE TRIGGER accounts_not_truncated BEFORE TRUNCATE ON accounts FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate();
CREATE OR REPLACE TRIGGER balances_not_truncated BEFORE TRUNCATE ON balances FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate();
CREATE OR REPLACE TRIGGER holds_not_truncated BEFORE TRUNCATE ON holds FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate();
CREATE OR REPLACE TRIGGER account_requests_not_truncated BEFORE TRUNCATE ON account_requests FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate();
CREATE OR REPLACE TRIGGER ruleset_not_truncated BEFORE TRUNCATE ON ruleset FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate();
