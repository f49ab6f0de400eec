-- Ids of the events that are in the totals: inserted in the transaction of their effect, so that each counts once.
-- Ids are time-ordered (evt_<uuidv7>), so the index grows at its right edge only.
CREATE TABLE inbox (
  event_id text PRIMARY KEY,
  received_at timestamptz NOT NULL DEFAULT now()
);

GRANT SELECT, INSERT ON inbox TO payflowx_analytics;
