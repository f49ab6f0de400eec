-- migrate: no transaction
-- Lists find decided payments by these indexes, and the few undecided ones by the recovery's work list. So a payment enters each of them
-- once, when it is decided, and not a second time with every later version of its row before that.
DROP INDEX CONCURRENTLY IF EXISTS payments_decided_by_time;
CREATE INDEX CONCURRENTLY payments_decided_by_time ON payments (created_at, id) WHERE state <> 'INITIATED';
DROP INDEX CONCURRENTLY IF EXISTS payments_decided_by_from_account;
CREATE INDEX CONCURRENTLY payments_decided_by_from_account ON payments (from_account, created_at, id) WHERE state <> 'INITIATED';
DROP INDEX CONCURRENTLY IF EXISTS payments_decided_by_to_account;
CREATE INDEX CONCURRENTLY payments_decided_by_to_account ON payments (to_account, created_at, id) WHERE state <> 'INITIATED';
DROP INDEX CONCURRENTLY IF EXISTS payments_decided_by_reference;
CREATE INDEX CONCURRENTLY payments_decided_by_reference ON payments (reference, created_at, id)
  WHERE reference <> '' AND state <> 'INITIATED';
-- The previous version lists payments by these. Until it is replaced, its lists are slow.
DROP INDEX CONCURRENTLY IF EXISTS payments_by_time;
DROP INDEX CONCURRENTLY IF EXISTS payments_by_from_account;
DROP INDEX CONCURRENTLY IF EXISTS payments_by_to_account;
DROP INDEX CONCURRENTLY IF EXISTS payments_by_reference;
-- Lists of changes, for jobs that read what is new since the last time.
DROP INDEX CONCURRENTLY IF EXISTS payments_decided_by_update;
CREATE INDEX CONCURRENTLY payments_decided_by_update ON payments (updated_at, id) WHERE state <> 'INITIATED';
