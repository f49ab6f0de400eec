-- Events to publish: one row for each destination of a transaction. The relay publishes them in id order and deletes them.
-- The primary key begins with the destination. All queries select by it, so one index is enough.
-- Ids commit out of order, so no reader may continue after "the last id". Events of one key keep their order, because its
-- transactions run one after another.
CREATE TABLE outbox (
  id bigint GENERATED ALWAYS AS IDENTITY,
  destination text NOT NULL CHECK (destination <> ''),
  event_count integer NOT NULL CHECK (event_count > 0),
  -- The keys of the events, so that operators can see the waiting keys without decoding the events.
  keys text[] NOT NULL,
  -- payflowx.outbox.v1.Parcel.
  events bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (destination, id)
) WITH (
  -- Nearly all rows of a queue are dead. So vacuum starts by their number, not by their share, and runs without pauses.
  autovacuum_vacuum_scale_factor = 0,
  autovacuum_vacuum_threshold = 2000,
  autovacuum_vacuum_insert_scale_factor = 0,
  autovacuum_vacuum_insert_threshold = 20000,
  autovacuum_vacuum_cost_delay = 0,
  -- The pages are filled again at once. Truncating them would only take an exclusive lock.
  vacuum_truncate = false,
  toast.autovacuum_vacuum_scale_factor = 0,
  toast.autovacuum_vacuum_threshold = 10000,
  toast.autovacuum_vacuum_cost_delay = 0,
  toast.vacuum_truncate = false
);
-- Rows live for milliseconds, so compression is not worth its cost.
ALTER TABLE outbox ALTER COLUMN events SET STORAGE EXTERNAL;

-- An identity column needs no grant on its sequence.
GRANT SELECT, INSERT, DELETE ON outbox TO payflowx_auth;

-- Events that their broker refuses for ever, such as a message above its size limit. The relay moves them here, so that the events
-- behind them are published. The redrive command moves them back.
CREATE TABLE outbox_dead_letters (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  destination text NOT NULL,
  event_count integer NOT NULL,
  keys text[] NOT NULL,
  -- payflowx.outbox.v1.Parcel: one event, or a whole row of the outbox that cannot be decoded.
  events bytea NOT NULL,
  -- The broker's error.
  error text NOT NULL,
  -- When the event was stored in the outbox.
  created_at timestamptz NOT NULL,
  refused_at timestamptz NOT NULL DEFAULT now()
);

-- An identity column needs no grant on its sequence.
GRANT SELECT, INSERT, DELETE ON outbox_dead_letters TO payflowx_auth;
