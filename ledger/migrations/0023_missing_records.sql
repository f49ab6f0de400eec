-- Reconciliation also counts events, deliveries and mails that notification lacks.
ALTER TABLE reconciliation_differences
  DROP CONSTRAINT reconciliation_differences_figure_check,
  ADD CONSTRAINT reconciliation_differences_known_figure CHECK (figure IN (
    'posted', 'held', 'sent', 'received', 'notifications', 'missing_events', 'missing_deliveries', 'missing_mails'
  )) NOT VALID;
