-- migrate: no transaction
-- Lists of users are keyset pages by id, newest first. This index carries the way in by external id.
DROP INDEX CONCURRENTLY IF EXISTS users_by_external_id;
CREATE INDEX CONCURRENTLY users_by_external_id ON users (external_id, id) WHERE external_id <> '';
