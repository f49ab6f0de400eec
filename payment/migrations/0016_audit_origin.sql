-- The API client that made the request for its user. Null if a person or a service made it, and in rows from before this column.
ALTER TABLE payments ADD COLUMN client_id text;
ALTER TABLE operations
  ADD COLUMN client_id text,
  -- True if the caller was an operator. False in rows from before this column.
  ADD COLUMN by_operator boolean NOT NULL DEFAULT false;
