-- A proof stores authorization's balances in a temporary table of its connection. Provisioning grants only CONNECT.
DO $$
BEGIN
  EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO payflowx_ledger', current_database());
END
$$;
