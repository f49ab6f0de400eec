-- The event log: each step of a payment that its sides may see, and what happened to webhook endpoints.
CREATE TABLE events (
  id                  text PRIMARY KEY,
  -- Assigned under a lock that is held until the commit, so no smaller position appears later. Streams resume after a position.
  position            bigint NOT NULL UNIQUE,
  type                text NOT NULL,
  -- NULL for events of webhook endpoints. Their owner is in sender_owner_id.
  payment_id          text,
  sender_account_id   text,
  receiver_account_id text,
  -- The two users that see the event. NULL if the account is external, or if the side may not see it.
  sender_owner_id     text,
  receiver_owner_id   text,
  created_at          timestamptz NOT NULL,
  -- A payflowx.payment.v1.PaymentEvent as it was delivered, or a payflowx.notification.v1.WebhookEndpoint.
  content             bytea NOT NULL
);
-- Position 1 stands for the begin of the log.
CREATE SEQUENCE event_positions AS bigint START WITH 2;

-- Lists are newest first by id, which is a UUIDv7.
CREATE INDEX events_by_payment ON events (payment_id, id);
CREATE INDEX events_by_sender ON events (sender_owner_id, id);
CREATE INDEX events_by_receiver ON events (receiver_owner_id, id);
CREATE INDEX events_by_sender_account ON events (sender_account_id, id);
CREATE INDEX events_by_receiver_account ON events (receiver_account_id, id);

GRANT SELECT, INSERT, DELETE ON events TO payflowx_notification;
GRANT USAGE ON SEQUENCE event_positions TO payflowx_notification;
