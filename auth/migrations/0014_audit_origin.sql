-- The API client of the actor, and the id of the call. Null if there was none, and in records from before these columns.
ALTER TABLE identity_audit_records ADD COLUMN client_id text, ADD COLUMN call_id text;
