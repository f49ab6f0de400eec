-- What each side of a payment was told. A message may be delivered twice; (event_id, side) makes the second one do nothing.
CREATE TABLE notifications (
  id           text PRIMARY KEY,
  event_id     text NOT NULL,
  side         text NOT NULL CHECK (side IN ('sender', 'receiver')),
  recipient_id text NOT NULL,
  account_id   text NOT NULL,
  payment_id   text NOT NULL,
  event_type   text NOT NULL,
  channel      text NOT NULL CHECK (channel IN ('inbox')),
  title        text NOT NULL,
  body         text NOT NULL,
  amount_minor bigint NOT NULL CHECK (amount_minor > 0 AND amount_minor <= 9007199254740991),
  currency     text NOT NULL,
  created_at   timestamptz NOT NULL,
  UNIQUE (event_id, side)
);

-- Lists are newest first by id, which is a UUIDv7, for one recipient, one payment, or everybody.
CREATE INDEX notifications_by_recipient ON notifications (recipient_id, id);
CREATE INDEX notifications_by_payment ON notifications (payment_id, id);

GRANT SELECT, INSERT ON notifications TO payflowx_notification;
