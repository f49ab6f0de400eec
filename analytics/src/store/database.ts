/** The tables as Kysely sees them. The migrations create them. The inbox table belongs to the chassis. */

export interface Database {
  daily_totals: DailyTotalsRow;
  account_totals: AccountTotalsRow;
  inbox_horizon: { event_id: string; newest_event_id: string; moved_at: Date };
}

export interface CountColumns {
  initiated_count: bigint;
  completed_count: bigint;
  failed_count: bigint;
  cancelled_count: bigint;
  expired_count: bigint;
  refund_count: bigint;
  captured_minor: bigint;
  refunded_minor: bigint;
}

export interface DailyTotalsRow extends CountColumns {
  /** YYYY-MM-DD. */
  day: string;
  currency: string;
  latest_event_at: Date;
}

export interface AccountTotalsRow {
  account_id: string;
  /** Null if no money has moved, or none since the column was added. */
  currency: string | null;
  sent_count: bigint;
  sent_minor: bigint;
  received_count: bigint;
  received_minor: bigint;
  failed_count: bigint;
}
