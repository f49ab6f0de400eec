-- How to reach a user: a copy of what auth announced last. The version is that of the user at auth.
CREATE TABLE contacts (
  user_id      text PRIMARY KEY,
  -- NULL if the user has no address.
  email        text,
  is_confirmed boolean NOT NULL,
  -- NULL for the default of the platform.
  language     text,
  version      bigint NOT NULL
);
GRANT SELECT, INSERT, UPDATE ON contacts TO payflowx_notification;

-- The choices of users who chose something.
CREATE TABLE notification_preferences (
  user_id  text PRIMARY KEY,
  inbox    boolean NOT NULL,
  mail     boolean NOT NULL,
  -- Pairs of event and channel that are off: 'payment.captured:mail'.
  muted    text[] NOT NULL,
  -- NULL for the language in contacts.
  language text
);
GRANT SELECT, INSERT, UPDATE ON notification_preferences TO payflowx_notification;

-- Each mail, with the content that its text is made from when it is sent. Purged after MAIL_RETENTION_DAYS, by id from the oldest on.
CREATE TABLE mails (
  id           text PRIMARY KEY,
  -- The event that causes it, and the side. A message that is delivered twice causes one mail.
  cause        text NOT NULL UNIQUE,
  user_id      text NOT NULL,
  -- The fixed address of a mail that does not go to the current address. Then the address of the last attempt.
  address      text,
  -- Of a payment mail.
  payment_id   text,
  content      jsonb NOT NULL,
  state        text NOT NULL CHECK (state IN ('pending', 'sent', 'failed', 'skipped')),
  -- Why it failed or was skipped.
  reason       text,
  attempts     integer NOT NULL DEFAULT 0,
  last_error   text,
  created_at   timestamptz NOT NULL,
  sent_at      timestamptz
);
-- Lists are newest first by id, which is a UUIDv7.
CREATE INDEX mails_by_user ON mails (user_id, id);
CREATE INDEX mails_by_state ON mails (state, id) WHERE state <> 'sent';
GRANT SELECT, INSERT, UPDATE, DELETE ON mails TO payflowx_notification;

-- A job for each mail that waits. The service itself decides about the pauses between attempts, and gives each attempt its own job.
SELECT jobs.create_queue('mails', '{"policy": "stately", "heartbeatSeconds": 10, "expireInSeconds": 300, "retryLimit": 1000, "deleteAfterSeconds": 3600}');

-- Addresses that a mail server refused for ever. They get no mails until an operator lifts it.
CREATE TABLE mail_suppressions (
  id         text PRIMARY KEY,
  address    text NOT NULL UNIQUE,
  response   text NOT NULL,
  mail_id    text NOT NULL,
  created_at timestamptz NOT NULL
);
GRANT SELECT, INSERT, DELETE ON mail_suppressions TO payflowx_notification;

-- A notification that its user does not want in the inbox is kept as a record: reconciliation counts it.
ALTER TABLE notifications DROP CONSTRAINT notifications_channel_check;
ALTER TABLE notifications ADD CONSTRAINT notifications_channel_check CHECK (channel IN ('inbox', 'none')) NOT VALID;
