-- The horizon of the inbox: the purge has deleted the ids of events before it. One row. README.md explains how it moves.
CREATE TABLE inbox_horizon (
  is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
  -- Events with a smaller id are not counted, because the inbox no longer shows if they were counted before.
  event_id text NOT NULL DEFAULT '',
  -- The newest counted event when the horizon moved last. The next horizon is computed from it.
  newest_event_id text NOT NULL DEFAULT '',
  moved_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO inbox_horizon DEFAULT VALUES;

GRANT SELECT, UPDATE (event_id, newest_event_id, moved_at) ON inbox_horizon TO payflowx_analytics;
GRANT DELETE ON inbox TO payflowx_analytics;
