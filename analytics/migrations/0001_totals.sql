-- What one day's payments of one currency add up to. The totals of all time are the sum of the days.
CREATE TABLE daily_totals (
  -- UTC, by the time of each event.
  day date NOT NULL,
  currency text NOT NULL,
  initiated_count bigint NOT NULL,
  completed_count bigint NOT NULL,
  failed_count bigint NOT NULL,
  cancelled_count bigint NOT NULL,
  expired_count bigint NOT NULL,
  refund_count bigint NOT NULL,
  captured_minor bigint NOT NULL,
  refunded_minor bigint NOT NULL,
  -- When the newest event in this row happened.
  latest_event_at timestamptz NOT NULL,
  PRIMARY KEY (day, currency)
) WITH (fillfactor = 50); -- Few rows, changed by every flush: room for their next versions in the same page.

-- What one account sent and received. An account has one currency, which the authorization service knows.
CREATE TABLE account_totals (
  account_id text PRIMARY KEY,
  sent_count bigint NOT NULL,
  sent_minor bigint NOT NULL,
  received_count bigint NOT NULL,
  received_minor bigint NOT NULL,
  failed_count bigint NOT NULL
) WITH (fillfactor = 60);

GRANT SELECT, INSERT, UPDATE ON daily_totals, account_totals TO payflowx_analytics;
