-- migrate: no transaction
ALTER TABLE refresh_families VALIDATE CONSTRAINT refresh_families_revoked_for_check;
-- Lists the sessions of a user, newest first.
DROP INDEX CONCURRENTLY IF EXISTS refresh_families_of_user;
CREATE INDEX CONCURRENTLY refresh_families_of_user ON refresh_families (user_id, id);
