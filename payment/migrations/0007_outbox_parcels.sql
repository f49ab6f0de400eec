-- The outbox has one row for each destination of a transaction, with all its events: a row for each event cost several times as much.
-- The relay publishes the rows in id order and deletes them. The key leads with the destination: it is the only way this table is ever
-- read, so one index is enough. ids commit out of order, so nothing may remember "the last id"; the order of one key holds because its
-- transactions follow each other.
ALTER TABLE outbox RENAME TO old_outbox;
ALTER INDEX outbox_pkey RENAME TO old_outbox_pkey;

CREATE TABLE outbox (
  id bigint GENERATED ALWAYS AS IDENTITY,
  destination text NOT NULL CHECK (destination <> ''),
  event_count integer NOT NULL CHECK (event_count > 0),
  -- The keys of the events: whoever wants to know what waits need not look into them.
  keys text[] NOT NULL,
  -- payflowx.outbox.v1.Parcel.
  events bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (destination, id)
) WITH (
  -- A queue is nearly all dead rows: vacuum by their number, not by their share, and without pauses.
  autovacuum_vacuum_scale_factor = 0,
  autovacuum_vacuum_threshold = 2000,
  autovacuum_vacuum_insert_scale_factor = 0,
  autovacuum_vacuum_insert_threshold = 20000,
  autovacuum_vacuum_cost_delay = 0,
  -- The pages are filled again at once: giving them back would only take an exclusive lock.
  vacuum_truncate = false,
  toast.autovacuum_vacuum_scale_factor = 0,
  toast.autovacuum_vacuum_threshold = 10000,
  toast.autovacuum_vacuum_cost_delay = 0,
  toast.vacuum_truncate = false
);
-- What lives for milliseconds is not worth being compressed.
ALTER TABLE outbox ALTER COLUMN events SET STORAGE EXTERNAL;
GRANT SELECT, INSERT, DELETE ON outbox TO payflowx_payment;

-- What waits in the old table is carried over: each row a Parcel of one event, written as the wire has it
-- (https://protobuf.dev/programming-guides/encoding/).
CREATE FUNCTION pg_temp.varint(n bigint) RETURNS bytea LANGUAGE sql AS $$
  SELECT CASE WHEN n < 128 THEN set_byte('\x00', 0, n::int)
              ELSE set_byte('\x00', 0, (n & 127 | 128)::int) || pg_temp.varint(n >> 7) END
$$;
CREATE FUNCTION pg_temp.field(number int, value bytea) RETURNS bytea LANGUAGE sql AS $$
  SELECT CASE WHEN value IS NULL THEN '' ELSE pg_temp.varint(number << 3 | 2) || pg_temp.varint(length(value)) || value END
$$;
CREATE FUNCTION pg_temp.field(number int, value text) RETURNS bytea LANGUAGE sql AS $$
  SELECT pg_temp.field(number, convert_to(value, 'UTF8'))
$$;
CREATE FUNCTION pg_temp.milliseconds(moment timestamptz) RETURNS bytea LANGUAGE sql AS $$
  SELECT '\x08' || pg_temp.varint(floor(extract(epoch FROM moment))::bigint)
      || '\x10' || pg_temp.varint((extract(milliseconds FROM moment)::bigint % 1000) * 1000000)
$$;
INSERT INTO outbox (destination, event_count, keys, events)
SELECT destination, 1, ARRAY[key], pg_temp.field(1,
  pg_temp.field(1, message_id) || pg_temp.field(2, type) || pg_temp.field(3, headers ->> 'ce_source')
  || pg_temp.field(4, pg_temp.milliseconds((headers ->> 'ce_time')::timestamptz))
  || pg_temp.field(5, headers ->> 'ce_subject') || pg_temp.field(6, headers ->> 'traceparent')
  || pg_temp.field(7, key) || pg_temp.field(8, payload))
FROM old_outbox ORDER BY id;
DROP TABLE old_outbox;
