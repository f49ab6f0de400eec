-- migrate: no transaction
ALTER TABLE reconciliation_differences VALIDATE CONSTRAINT reconciliation_differences_known_figure;
