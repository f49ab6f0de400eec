-- Ids of applied events. Each is inserted in the transaction of the event's effect.
-- Ids are ordered by time (evt_<uuidv7>), so the index only grows at its right edge.
CREATE TABLE inbox (
  event_id text PRIMARY KEY,
  received_at timestamptz NOT NULL DEFAULT now()
);

-- Replace the role with the serving role of the service.
GRANT SELECT, INSERT ON inbox TO payflowx_chassis;
