/** The tables of this service's database, as Kysely sees them. Amounts are minor units. */
import type { CaptureMode, PaymentKind, PaymentState, Role } from '../domain/payment.ts';

export interface Database {
  payments: PaymentsTable;
  idempotency_keys: IdempotencyKeysTable;
}

export interface PaymentsTable {
  id: string;
  kind: PaymentKind;
  state: PaymentState;
  from_account: string;
  to_account: string;
  from_owner_id: string | null;
  to_owner_id: string | null;
  amount_minor: bigint;
  currency: string;
  captured_minor: bigint;
  refunded_minor: bigint;
  capture_mode: CaptureMode;
  description: string;
  reference: string;
  metadata: Record<string, string>;
  failure_code: string | null;
  failure_message: string | null;
  decision: Buffer | null;
  hold_expires_at: Date | null;
  version: bigint;
  created_at: Date;
  updated_at: Date;
  caller_id: string;
  caller_roles: Role[];
  request_id: string;
  traceparent: string;
  attempts: number;
  next_attempt_at: Date;
}

export interface IdempotencyKeysTable {
  caller_id: string;
  key: string;
  operation: string;
  fingerprint: Buffer;
  payment_id: string;
  answer: Buffer | null;
  created_at: Date;
}
