-- migrate: no transaction
-- The background job's work list: operations from before their sides were stored. It is empty once they are filled in.
DROP INDEX CONCURRENTLY IF EXISTS operations_to_fill;
CREATE INDEX CONCURRENTLY operations_to_fill ON operations (id) WHERE from_account IS NULL;
-- Lists of captures and of refunds are keyset pages over (created_at, id), newest first; each index carries one way in.
-- A plain payment has no operation, so none of these costs it anything.
DROP INDEX CONCURRENTLY IF EXISTS operations_by_time;
CREATE INDEX CONCURRENTLY operations_by_time ON operations (kind, created_at, id) WHERE kind IN ('CAPTURE', 'REFUND');
DROP INDEX CONCURRENTLY IF EXISTS operations_by_from_account;
CREATE INDEX CONCURRENTLY operations_by_from_account ON operations (kind, from_account, created_at, id)
  WHERE kind IN ('CAPTURE', 'REFUND');
DROP INDEX CONCURRENTLY IF EXISTS operations_by_to_account;
CREATE INDEX CONCURRENTLY operations_by_to_account ON operations (kind, to_account, created_at, id)
  WHERE kind IN ('CAPTURE', 'REFUND');
DROP INDEX CONCURRENTLY IF EXISTS operations_by_from_owner;
CREATE INDEX CONCURRENTLY operations_by_from_owner ON operations (kind, from_owner_id, created_at, id)
  WHERE kind IN ('CAPTURE', 'REFUND');
DROP INDEX CONCURRENTLY IF EXISTS operations_by_to_owner;
CREATE INDEX CONCURRENTLY operations_by_to_owner ON operations (kind, to_owner_id, created_at, id)
  WHERE kind IN ('CAPTURE', 'REFUND');
