-- What was done to users, API clients and signing keys, and by whom. Written in the transaction that does it, and never again.
CREATE TABLE identity_audit_records (
  id text PRIMARY KEY CHECK (id LIKE 'aud\_%'),
  actor_id text NOT NULL,
  action text NOT NULL,
  subject_id text NOT NULL,
  details jsonb NOT NULL,
  trace_id text NOT NULL,
  created_at timestamptz NOT NULL
);

CREATE INDEX identity_audit_records_subject ON identity_audit_records (subject_id, id);
CREATE INDEX identity_audit_records_actor ON identity_audit_records (actor_id, id);
CREATE INDEX identity_audit_records_action ON identity_audit_records (action, id);

-- Grants keep the serving role from it; this keeps the owner too from doing it by mistake.
CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'identity_audit_records is append-only';
END $$;

CREATE TRIGGER identity_audit_records_append_only
  BEFORE UPDATE OR DELETE OR TRUNCATE ON identity_audit_records
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();

GRANT SELECT, INSERT ON identity_audit_records TO payflowx_auth;
