-- migrate: no transaction
-- The audit log: requests of operators, newest first. Rows of customers are not in these indexes.
DROP INDEX CONCURRENTLY IF EXISTS payments_by_operators;
CREATE INDEX CONCURRENTLY payments_by_operators ON payments (created_at, id) WHERE 'operator' = ANY (caller_roles);
DROP INDEX CONCURRENTLY IF EXISTS operations_by_operators;
CREATE INDEX CONCURRENTLY operations_by_operators ON operations (created_at, id) WHERE by_operator;
