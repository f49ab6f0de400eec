-- Reads the rows that exist without blocking writes.
ALTER TABLE payments VALIDATE CONSTRAINT payments_texts_limited;
ALTER TABLE operations VALIDATE CONSTRAINT operations_texts_limited;
