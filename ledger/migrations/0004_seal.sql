-- The seal: every transaction of the journal gets a place in a Merkle tree (RFC 6962), and heads commit to the tree as it grows.
-- Rows are added and never changed. README.md says which bytes are hashed.

-- Transactions that wait for their place. A row comes in the database transaction that records its journal transaction, so
-- none can be missed, in whatever order they commit.
CREATE TABLE unsealed (
  transaction_id text PRIMARY KEY
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000); -- Nearly empty, or nearly all dead rows.

INSERT INTO unsealed (transaction_id) SELECT id FROM transactions;

-- One for each sealed transaction. No foreign key: a transaction that is removed must not take its seal along.
CREATE TABLE seals (
  -- Its place among the leaves, from 0, without gaps.
  position bigint PRIMARY KEY CHECK (position >= 0),
  transaction_id text NOT NULL UNIQUE,
  -- SHA-256 over 0x00 and the transaction's canonical bytes.
  leaf_hash bytea NOT NULL CHECK (octet_length(leaf_hash) = 32),
  -- Hashes of the larger complete subtrees that end with this leaf, smallest first, 32 bytes each. They belong to the leaf that
  -- completes them, so the tree needs no other rows and none of them ever changes.
  subtree_hashes bytea NOT NULL CHECK (octet_length(subtree_hashes) % 32 = 0)
);

-- One for each time that something was sealed.
CREATE TABLE heads (
  -- How many leaves it commits to.
  size bigint PRIMARY KEY CHECK (size > 0),
  root_hash bytea NOT NULL CHECK (octet_length(root_hash) = 32),
  head_hash bytea NOT NULL CHECK (octet_length(head_hash) = 32),
  -- head_hash of the head before; empty for the first.
  previous_head_hash bytea NOT NULL CHECK (octet_length(previous_head_hash) IN (0, 32)),
  sealed_at timestamptz NOT NULL
);

CREATE TRIGGER seals_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON seals
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE seals ENABLE ALWAYS TRIGGER seals_append_only;

CREATE TRIGGER heads_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON heads
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE heads ENABLE ALWAYS TRIGGER heads_append_only;

GRANT SELECT, INSERT ON seals, heads TO payflowx_ledger;
GRANT SELECT, INSERT, DELETE ON unsealed TO payflowx_ledger;

-- What an account's sealed entries add up to, hour by hour of the events' time. Whoever asks for a balance of the past sums hours
-- instead of entries. The sealer keeps it, off the path of payments; the proof folds it anew.
CREATE TABLE hourly_totals (
  account_id text NOT NULL,
  currency text NOT NULL,
  -- The first moment of the hour, UTC.
  hour timestamptz NOT NULL,
  -- Credits minus debits of the hour, by layer.
  posted_minor bigint NOT NULL,
  pending_minor bigint NOT NULL,
  PRIMARY KEY (account_id, hour, currency)
) WITH (fillfactor = 80); -- Room for the next version of the rows of the running hour.

GRANT SELECT, INSERT, UPDATE ON hourly_totals TO payflowx_ledger;
