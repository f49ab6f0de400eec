-- Mandates: a payer lets one payee collect from one account. A table of its own, because most payments have no mandate, and those pay
-- nothing for it.
CREATE TABLE mandates (
  id text PRIMARY KEY,
  -- Accounts, their owners and the currency never change.
  from_account text NOT NULL REFERENCES accounts (id),
  to_account text NOT NULL REFERENCES accounts (id),
  from_owner_id text NOT NULL,
  to_owner_id text NOT NULL,
  currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  -- Null: no limit.
  limit_per_payment bigint CHECK (limit_per_payment BETWEEN 1 AND 9007199254740991),
  limit_daily bigint CHECK (limit_daily BETWEEN 1 AND 9007199254740991),
  limit_monthly bigint CHECK (limit_monthly BETWEEN 1 AND 9007199254740991),
  valid_until timestamptz NOT NULL,
  -- Bytes.
  reference text NOT NULL DEFAULT '' CHECK (octet_length(reference) <= 400),
  -- The use, in the same windows as that of the payer's account. It and the revocation change only together with the payer's row in
  -- balances, so the version of that row covers both.
  spent_day date NOT NULL DEFAULT '1970-01-01',
  spent_today bigint NOT NULL DEFAULT 0 CHECK (spent_today >= 0),
  spent_month date NOT NULL DEFAULT '1970-01-01',
  spent_this_month bigint NOT NULL DEFAULT 0 CHECK (spent_this_month >= 0),
  -- The request that made it. An empty request id: not idempotent.
  request_id text NOT NULL DEFAULT '',
  created_by text NOT NULL,
  created_client_id text,
  created_trace_id text NOT NULL,
  created_call_id text,
  created_at timestamptz NOT NULL,
  -- The request that revoked it. Null: it was not revoked.
  revoked_at timestamptz,
  revoked_by text,
  revoked_client_id text,
  revoked_trace_id text,
  revoked_call_id text,
  CHECK (from_account <> to_account),
  CHECK ((revoked_at IS NULL) = (revoked_by IS NULL))
) WITH (fillfactor = 70);

-- Ids are UUIDv7: by id is by age.
CREATE INDEX mandates_of_payer ON mandates (from_owner_id, id);
CREATE INDEX mandates_of_payee ON mandates (to_owner_id, id);
CREATE INDEX mandates_from_account ON mandates (from_account, id);
CREATE INDEX mandates_to_account ON mandates (to_account, id);
CREATE UNIQUE INDEX mandate_requests ON mandates (created_by, request_id) WHERE request_id <> '';

GRANT SELECT, INSERT ON mandates TO payflowx_authorization;
GRANT UPDATE (spent_day, spent_today, spent_month, spent_this_month, revoked_at, revoked_by, revoked_client_id, revoked_trace_id,
  revoked_call_id) ON mandates TO payflowx_authorization;

-- A payer who revoked a mandate relies on that, whatever the code believes.
CREATE FUNCTION refuse_unrevoking() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'mandate % is revoked and stays so', OLD.id USING ERRCODE = 'check_violation';
END
$$;
CREATE TRIGGER mandates_stay_revoked BEFORE UPDATE ON mandates FOR EACH ROW
  WHEN (OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS DISTINCT FROM OLD.revoked_at) EXECUTE FUNCTION refuse_unrevoking();
CREATE TRIGGER mandates_not_truncated BEFORE TRUNCATE ON mandates FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate();

-- The mandate of a hold, which gets back what is released. Null for the payer's own payments.
ALTER TABLE holds ADD COLUMN mandate_id text;
