-- Admins manage users, API clients and signing keys. Operators did this before the role existed, so each operator gets it too: an upgrade
-- takes nothing from anybody. The operator's command then separates the duties, by setting the roles of a user.
ALTER TABLE users
  DROP CONSTRAINT users_roles_check,
  ADD CONSTRAINT users_roles_check
    CHECK (cardinality(roles) > 0 AND roles <@ ARRAY['customer', 'operator', 'auditor', 'admin']);

WITH widened AS (
  UPDATE users SET roles = roles || ARRAY['admin'] WHERE 'operator' = ANY (roles) RETURNING id, roles
)
INSERT INTO identity_audit_records (id, actor_id, action, subject_id, details, trace_id, created_at)
SELECT 'aud_' || uuidv7(), 'auth', 'user.updated', id,
  jsonb_build_object('roles', roles, 'reason', 'the role admin is new, and operators had its rights before'), '', now()
FROM widened;
