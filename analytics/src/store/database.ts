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
  /** Sums are numeric, which pg returns as text: they may exceed int8. */
  captured_minor: string;
  refunded_minor: string;
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
  sent_minor: string;
  received_count: bigint;
  received_minor: string;
  failed_count: bigint;
}
