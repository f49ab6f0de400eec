-- migrate: no transaction
-- The mails about one payment, newest first.
DROP INDEX CONCURRENTLY IF EXISTS mails_by_payment;
CREATE INDEX CONCURRENTLY mails_by_payment ON mails (payment_id, id) WHERE payment_id IS NOT NULL;
