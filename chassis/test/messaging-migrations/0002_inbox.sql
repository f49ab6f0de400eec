-- Ids of the events whose effect this service has stored: inserted in the transaction of the effect.
-- Ids are time-ordered (evt_<uuidv7>), so the index grows at its right edge only.
CREATE TABLE inbox (
  event_id text PRIMARY KEY,
  received_at timestamptz NOT NULL DEFAULT now()
);

-- Replace the role by the serving role of the service.
GRANT SELECT, INSERT ON inbox TO payflowx_chassis;
