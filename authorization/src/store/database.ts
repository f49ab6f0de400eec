/** The types of the tables for Kysely; migrations/ defines the tables. */

import type { AccountAction } from '@payflowx/proto/vocabulary';
import type { ColumnType } from 'kysely';
import type { AccountState } from '../domain/account.ts';
import type { HoldState } from '../domain/hold.ts';
import type { RuleAction } from '../domain/rule.ts';
import type { StepKind } from '../domain/step-request.ts';
import type { FactsRecord } from './facts-record.ts';

/** A calendar day as text, YYYY-MM-DD. */
type Day = ColumnType<string, string | undefined, string>;
type WithDefault<T> = ColumnType<T, T | undefined, T>;

export interface AccountsTable {
  id: string;
  owner_id: string | null;
  name: string;
  external_id: WithDefault<string>;
  /** Written as JSON text. */
  metadata: ColumnType<Record<string, string>, string | undefined, string>;
  currency: string;
  is_external: boolean;
  version: WithDefault<bigint>;
  created_at: Date;
}

export interface BalancesTable {
  account_id: string;
  is_external: boolean;
  state: WithDefault<AccountState>;
  time_zone: WithDefault<string>;
  posted: WithDefault<bigint>;
  held: WithDefault<bigint>;
  spent_day: Day;
  spent_today: WithDefault<bigint>;
  count_today: WithDefault<number>;
  spent_month: Day;
  spent_this_month: WithDefault<bigint>;
  decided_at: WithDefault<Date | null>;
  limit_per_payment: bigint | null;
  limit_daily: bigint | null;
  limit_monthly: bigint | null;
  limit_daily_count: number | null;
}

export interface DecisionsTable {
  payment_id: string;
  operation_id: string;
  kind: StepKind;
  fingerprint: string;
  outcome: 'APPROVED' | 'DECLINED';
  code: string | null;
  decision: Buffer;
  remaining: bigint;
  /** Null if the payment cannot be used in a backtest. */
  facts: ColumnType<FactsRecord | null, string | null, never>;
  decided_at: Date;
}

export interface HoldsTable {
  payment_id: string;
  from_account: string;
  to_account: string;
  amount: bigint;
  captured: WithDefault<bigint>;
  remaining: bigint;
  state: WithDefault<HoldState>;
  expires_at: Date;
  used_day: string | null;
  used_month: string | null;
  created_at: Date;
  mandate_id: string | null;
}

export interface MandatesTable {
  id: string;
  from_account: string;
  to_account: string;
  from_owner_id: string;
  to_owner_id: string;
  currency: string;
  limit_per_payment: bigint | null;
  limit_daily: bigint | null;
  limit_monthly: bigint | null;
  valid_until: Date;
  reference: string;
  spent_day: Day;
  spent_today: WithDefault<bigint>;
  spent_month: Day;
  spent_this_month: WithDefault<bigint>;
  request_id: string;
  created_by: string;
  created_client_id: string | null;
  created_trace_id: string;
  created_call_id: string | null;
  created_at: Date;
  revoked_at: Date | null;
  revoked_by: string | null;
  revoked_client_id: string | null;
  revoked_trace_id: string | null;
  revoked_call_id: string | null;
}

export interface AccountRequestsTable {
  caller_id: string;
  request_id: string;
  fingerprint: string;
  account_id: string;
  created_at: Date;
}

export interface AccountAuditRecordsTable {
  id: string;
  actor_id: string;
  action: AccountAction;
  account_id: string;
  reason: string;
  before: object | null;
  after: object;
  trace_id: string;
  client_id: string | null;
  call_id: string | null;
  created_at: Date;
}

/** A request for the test clock. The newest of an account has its total. */
export interface TestClockAdvancesTable {
  account_id: string;
  /** Seconds of all requests for the account up to this one. */
  total_s: number;
  caller_id: string;
  request_id: string;
  seconds: number;
  moved_holds: number;
  created_at: Date;
}

export interface RuleVersionsTable {
  id: string;
  version: bigint;
  name: string;
  expression: string;
  action: RuleAction;
  message: string;
  enabled: boolean;
  created_by: string;
  request_id: WithDefault<string>;
  trace_id: string;
  client_id: string | null;
  call_id: string | null;
  created_at: Date;
}

/** A table with one row. */
export interface RulesetTable {
  version: bigint;
}

export interface Database {
  accounts: AccountsTable;
  balances: BalancesTable;
  decisions: DecisionsTable;
  holds: HoldsTable;
  mandates: MandatesTable;
  account_requests: AccountRequestsTable;
  account_audit_records: AccountAuditRecordsTable;
  test_clock_advances: TestClockAdvancesTable;
  rule_versions: RuleVersionsTable;
  ruleset: RulesetTable;
}
