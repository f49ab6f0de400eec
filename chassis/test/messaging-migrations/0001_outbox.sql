-- Events that a transaction of this service wants published: one row for each destination of a transaction. The relay publishes them
-- in id order and deletes them.
-- The key leads with the destination: it is the only way this table is ever read, so one index is enough.
-- ids commit out of order, so nothing may remember "the last id"; the order of one key holds because its transactions follow each other.
CREATE TABLE outbox (
  id bigint GENERATED ALWAYS AS IDENTITY,
  destination text NOT NULL CHECK (destination <> ''),
  event_count integer NOT NULL CHECK (event_count > 0),
  -- The keys of the events: whoever wants to know what waits need not look into them.
  keys text[] NOT NULL,
  -- payflowx.outbox.v1.Parcel.
  events bytea NOT NULL,
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
  vacuum_truncate = false,
  toast.autovacuum_vacuum_scale_factor = 0,
  toast.autovacuum_vacuum_threshold = 10000,
  toast.autovacuum_vacuum_cost_delay = 0,
  toast.vacuum_truncate = false
);
-- What lives for milliseconds is not worth being compressed.
ALTER TABLE outbox ALTER COLUMN events SET STORAGE EXTERNAL;

-- Replace the role by the serving role of the service. An identity column needs no grant on its sequence.
GRANT SELECT, INSERT, DELETE ON outbox TO payflowx_chassis;
