-- migrate: no transaction
-- The list of the collections of a mandate. A payment without a mandate is not in it.
DROP INDEX CONCURRENTLY IF EXISTS payments_decided_by_mandate;
CREATE INDEX CONCURRENTLY payments_decided_by_mandate ON payments (mandate_id, created_at, id)
  WHERE mandate_id IS NOT NULL AND state <> 'INITIATED';
