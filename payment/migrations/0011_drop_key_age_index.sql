-- migrate: no transaction
-- The purge no longer uses this index. Deleted space is filled again, and then each range holds old and new keys: the index found nothing.
DROP INDEX CONCURRENTLY IF EXISTS idempotency_keys_by_age;
