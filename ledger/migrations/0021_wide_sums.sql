-- A figure may be the sum of many amounts, which exceeds int8.
ALTER TABLE reconciliation_differences ALTER COLUMN expected TYPE numeric, ALTER COLUMN found TYPE numeric;
