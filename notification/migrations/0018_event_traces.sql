-- The W3C trace context of the request that caused the event, so that deliveries to webhook endpoints appear in its trace. Only sampled
-- traces are recorded, so it is empty for the others. The default is no rewrite of the table.
ALTER TABLE events ADD COLUMN traceparent text NOT NULL DEFAULT '' CHECK (length(traceparent) <= 55);
