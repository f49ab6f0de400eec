-- The dead letters of a topic, as its consumers gave them up. A collector reads them from the dead-letter topic. A row leaves when an
-- operator sends it back. Only for the service that produces the topic.
CREATE TABLE dead_letters (
  id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  -- The position in the dead-letter topic. A topic that was created again counts from 0, so the time is part of the key.
  topic_partition integer NOT NULL,
  topic_offset    bigint NOT NULL,
  failed_at       timestamptz NOT NULL,
  reason          text NOT NULL,
  error           text NOT NULL,
  -- The message. Headers are JSON, with one character for each byte of a value.
  key             bytea,
  value           bytea,
  headers         bytea NOT NULL,
  UNIQUE (topic_partition, topic_offset, failed_at)
);
CREATE INDEX dead_letters_by_time ON dead_letters (failed_at, id);

-- The audit log of dead letters that operators sent back. A record is stored before the first message is sent.
CREATE TABLE dead_letter_audit_records (
  id             text PRIMARY KEY,
  actor_id       text NOT NULL,
  -- Empty: all that match the filters.
  dead_letter_id text NOT NULL,
  -- Filters. Empty: none.
  source         text NOT NULL,
  reason         text NOT NULL,
  -- NULL until it is known.
  redriven_count integer,
  trace_id       text NOT NULL,
  call_id        text NOT NULL,
  created_at     timestamptz NOT NULL
);
CREATE INDEX dead_letter_audit_records_by_actor ON dead_letter_audit_records (actor_id, id);

-- Replace the role with the serving role of the service. An identity column needs no grant on its sequence.
GRANT SELECT, INSERT, DELETE ON dead_letters TO payflowx_chassis;
GRANT SELECT, INSERT, UPDATE ON dead_letter_audit_records TO payflowx_chassis;
