-- Messages that a transaction of this service wants published. The relay publishes them in id order and deletes them.
-- The key leads with the destination: it is the only way this table is ever read, so one index is enough.
-- ids commit out of order, so nothing may remember "the last id"; the order of one key holds because its transactions follow each other.
CREATE TABLE outbox (
  id bigint GENERATED ALWAYS AS IDENTITY,
  destination text NOT NULL CHECK (destination <> ''),
  message_id text NOT NULL,
  key text NOT NULL,
  type text NOT NULL,
  headers jsonb NOT NULL DEFAULT '{}',
  payload bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (destination, id)
) WITH (
  -- A queue is nearly all dead rows: vacuum by their number, not by their share, and without pauses.
  autovacuum_vacuum_scale_factor = 0,
  autovacuum_vacuum_threshold = 2000,
  autovacuum_vacuum_insert_scale_factor = 0,
  autovacuum_vacuum_insert_threshold = 20000,
  autovacuum_vacuum_cost_delay = 0,
  -- The pages are filled again at once: giving them back would only take an exclusive lock.
  vacuum_truncate = false
);

-- Replace the role by the serving role of the service. An identity column needs no grant on its sequence.
GRANT SELECT, INSERT, DELETE ON outbox TO payflowx_payment;
