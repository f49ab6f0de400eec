-- migrate: no transaction
ALTER TABLE refresh_families VALIDATE CONSTRAINT refresh_families_hashes;
ALTER TABLE refresh_families VALIDATE CONSTRAINT refresh_families_token;
ALTER TABLE refresh_families VALIDATE CONSTRAINT refresh_families_rotation;
DROP INDEX CONCURRENTLY IF EXISTS refresh_families_secret;
CREATE UNIQUE INDEX CONCURRENTLY refresh_families_secret ON refresh_families (secret_hash);
-- Finds ended sessions, to delete them.
DROP INDEX CONCURRENTLY IF EXISTS refresh_families_expiry;
CREATE INDEX CONCURRENTLY refresh_families_expiry ON refresh_families (expires_at);
