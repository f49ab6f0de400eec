-- The API client that made the request for its user. Null if a person or a service made it, and in rows from before this column.
ALTER TABLE payments ADD COLUMN client_id text;
ALTER TABLE operations
  ADD COLUMN client_id text,
  -- True if the caller was an operator. False in rows from before this column.
  ADD COLUMN by_operator boolean NOT NULL DEFAULT false;

-- The audit log: requests of operators, newest first. Rows of customers are not in these indexes.
CREATE INDEX payments_by_operators ON payments (created_at, id) WHERE 'operator' = ANY (caller_roles);
CREATE INDEX operations_by_operators ON operations (created_at, id) WHERE by_operator;
