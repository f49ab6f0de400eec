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

GRANT SELECT, INSERT, DELETE ON outbox_dead_letters TO payflowx_payment;
