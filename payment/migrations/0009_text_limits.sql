-- The service checks every text before it stores it. These checks are a second wall: no fault of the service may store a text that is
-- too large for an event. They count bytes, which is cheap, at four bytes for a character. NOT VALID takes the table's lock only for a
-- moment. A later migration validates the rows that exist.
ALTER TABLE payments ADD CONSTRAINT payments_texts_limited CHECK (
  octet_length(from_account) <= 64 AND octet_length(to_account) <= 64
  AND octet_length(description) <= 2000 AND octet_length(reference) <= 400
  -- 20 pairs of 40 and 500 characters. JSON escapes a control character with six bytes. This size needs no decompression.
  AND pg_column_size(metadata) <= 70000
  AND octet_length(request_id) <= 255 AND octet_length(traceparent) <= 512
) NOT VALID;

ALTER TABLE operations ADD CONSTRAINT operations_texts_limited CHECK (
  octet_length(reason) <= 2000 AND octet_length(request_id) <= 255 AND octet_length(traceparent) <= 512
) NOT VALID;
