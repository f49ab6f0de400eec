-- The API client of the actor, and the id of the call. Null if there was no client, and in records from before these columns.
ALTER TABLE account_audit_records ADD COLUMN client_id text, ADD COLUMN call_id text;
ALTER TABLE rule_versions ADD COLUMN client_id text, ADD COLUMN call_id text;
