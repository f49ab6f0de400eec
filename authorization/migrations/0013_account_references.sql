-- The operator's own id and metadata of an account. Decisions read neither, so they stand in `accounts`, not in `balances`.
ALTER TABLE accounts
  ADD COLUMN external_id text NOT NULL DEFAULT '' CONSTRAINT accounts_external_id_length CHECK (char_length(external_id) <= 100),
  ADD COLUMN metadata jsonb NOT NULL DEFAULT '{}';
GRANT UPDATE (external_id, metadata) ON accounts TO payflowx_authorization;
