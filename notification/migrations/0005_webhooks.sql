-- Where events are sent to. A deleted endpoint stays as long as its deliveries, without its secret.
CREATE TABLE webhook_endpoints (
  id                    text PRIMARY KEY,
  owner_id              text NOT NULL,
  -- An operator made it: it gets the events of all users.
  sees_all              boolean NOT NULL,
  url                   text NOT NULL,
  -- '*' stands for all types.
  event_types           text[] NOT NULL,
  description           text NOT NULL,
  state                 text NOT NULL CHECK (state IN ('enabled', 'disabled', 'deleted')),
  disabled_reason       text NOT NULL DEFAULT '' CHECK (disabled_reason IN ('', 'request', 'operator', 'gone', 'failing')),
  -- Encrypted with WEBHOOK_SEALING_KEY.
  secret                bytea NOT NULL,
  previous_secret       bytea,
  previous_secret_until timestamptz,
  -- The circuit: failed attempts in a row, since when, and until when nothing is sent.
  failures              int NOT NULL DEFAULT 0,
  failing_since         timestamptz,
  paused_until          timestamptz,
  created_at            timestamptz NOT NULL,
  updated_at            timestamptz NOT NULL
);
CREATE INDEX webhook_endpoints_by_owner ON webhook_endpoints (owner_id, id);
CREATE INDEX webhook_endpoints_of_operators ON webhook_endpoints (id) WHERE sees_all AND state = 'enabled';

-- One event for one endpoint. It is stored with the event, so it is the durable part of the queue. Jobs only wake workers.
CREATE TABLE webhook_deliveries (
  id              text PRIMARY KEY,
  endpoint_id     text NOT NULL,
  owner_id        text NOT NULL,
  event_id        text NOT NULL,
  state           text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'failed')),
  -- Attempts since it was last started: the position in the retry schedule.
  tries           int NOT NULL DEFAULT 0,
  -- All attempts.
  attempt_count   int NOT NULL DEFAULT 0,
  -- Only while it is pending.
  next_attempt_at timestamptz,
  created_at      timestamptz NOT NULL,
  UNIQUE (endpoint_id, event_id),
  CHECK ((state = 'pending') = (next_attempt_at IS NOT NULL))
);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (endpoint_id, next_attempt_at) WHERE state = 'pending';
CREATE INDEX webhook_deliveries_by_time ON webhook_deliveries (next_attempt_at) WHERE state = 'pending';
CREATE INDEX webhook_deliveries_by_owner ON webhook_deliveries (owner_id, id);
CREATE INDEX webhook_deliveries_by_endpoint ON webhook_deliveries (endpoint_id, id);
CREATE INDEX webhook_deliveries_by_event ON webhook_deliveries (event_id, id);

CREATE TABLE webhook_attempts (
  delivery_id text NOT NULL REFERENCES webhook_deliveries (id) ON DELETE CASCADE,
  number      int NOT NULL,
  at          timestamptz NOT NULL,
  -- NULL if there was no response.
  status      int,
  latency_ms  int NOT NULL,
  -- The first KiB of the body.
  response    text NOT NULL,
  error       text NOT NULL,
  PRIMARY KEY (delivery_id, number)
);

-- What operators did with the endpoints of others.
CREATE TABLE webhook_audit_records (
  id          text PRIMARY KEY,
  actor_id    text NOT NULL,
  action      text NOT NULL,
  endpoint_id text NOT NULL,
  owner_id    text NOT NULL,
  client_id   text NOT NULL,
  trace_id    text NOT NULL,
  call_id     text NOT NULL,
  created_at  timestamptz NOT NULL
);
CREATE INDEX webhook_audit_records_by_endpoint ON webhook_audit_records (endpoint_id, id);
CREATE INDEX webhook_audit_records_by_actor ON webhook_audit_records (actor_id, id);

GRANT SELECT, INSERT, UPDATE, DELETE ON webhook_endpoints, webhook_deliveries, webhook_attempts TO payflowx_notification;
GRANT SELECT, INSERT ON webhook_audit_records TO payflowx_notification;
